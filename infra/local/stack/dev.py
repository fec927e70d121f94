"""`make dev`: Heddle in one process, from nothing to a finished run."""

import threading

from . import api, postgres, sample, seed, standalone, venv
from .config import LOOPBACK, Config


def run(config: Config) -> "tuple[dict, dict]":
    """Starts everything and runs the sample workflow; what a client needs to know, and the finished run."""
    heddle = _installed_and_built(config)
    database_url = postgres.ensure(config)
    sample_port = sample.serve(config)
    service = standalone.serve(config, heddle, database_url, f"{LOOPBACK}:{sample_port}")
    running = {
        "heddle": heddle,
        "base": standalone.url(service),
        "key": seed.demo_key(config),
        "database_url": database_url,
        "sample_port": sample_port,
        "mailbox": standalone.mailbox(config),
    }
    finished = sample.run(config, api.Client(running["base"], running["key"]), sample_port)
    return running, finished


def _installed_and_built(config: Config):
    """Postgres is downloaded while the compiler works."""
    failed = []

    def install() -> None:
        try:
            venv.ensure_postgres(config)
        except Exception as problem:  # raised again below, where someone sees it
            failed.append(problem)

    installing = threading.Thread(target=install)
    installing.start()
    heddle = standalone.binary()
    installing.join()
    if failed:
        raise failed[0]
    return heddle
