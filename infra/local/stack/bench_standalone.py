"""Measures `heddle`, all of Heddle in one process, over a Postgres that flushes every commit. Both are started for it and end with it."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from . import bench, config as settings_of, postgres, process, standalone, status, tests, venv
from .bench import PROFILE
from .config import LOOPBACK, ROOT, Config, Problem

WORKERS = 16
FLUSHES = 200


def run(config: Config, seconds: str) -> int:
    """Builds, starts, measures and stops; 1 if a bound is not met. What was measured stays under `.local/bench`."""
    venv.ensure_postgres(config)
    heddle, load = standalone.binary(PROFILE), bench.driver()
    tests.clear_leftovers("bench")
    measured = settings_of.load(ROOT / ".local" / f"bench-{os.getpid()}", throwaway=True, durable=True)
    try:
        service = standalone.serve(measured, heddle, postgres.ensure(measured), f"{LOOPBACK}/32", WORKERS)
        missed = _drive(measured, load, service, seconds, _facts(measured, heddle))
        return max(missed, _call(measured, service))
    finally:
        status.down(measured)


def _drive(config: Config, load: Path, service: process.Service, seconds: str, facts: dict) -> int:
    arguments = ["--url", standalone.url(service), "--key-file", config.path("demo-key"), "--seconds", seconds]
    arguments += ["--pid", service.pid, "--postgres-pid", process.running(config, "postgres").pid, "--check", "standalone"]
    ended = bench.drive(load, arguments, "standalone", facts)
    if ended is None:
        log = config.path("logs", "heddle.log")
        raise Problem("The measurement failed; see above. The end of heddle's log:\n" + "\n".join(log.read_text().splitlines()[-15:]))
    return ended


def _call(config: Config, service: process.Service) -> int:
    """How long calls of the API take."""
    path = bench.kept("calls")
    script = ROOT / "tests" / "bench" / "calls.py"
    arguments = ["--url", standalone.url(service), "--key-file", config.path("demo-key"), "--mailbox", config.path("data", "mailbox")]
    ended = subprocess.run([sys.executable, str(script), *map(str, arguments), "--json", str(path)]).returncode
    if ended not in (0, 1):
        raise Problem("The calls can't be measured; see above.")
    return ended


def _facts(config: Config, heddle: Path) -> dict:
    """What the numbers depend on, as the programs themselves tell it."""
    return {
        **bench.facts(PROFILE),
        "heddle": bench.output(str(heddle), "--version"),
        "workers": WORKERS,
        **{name: postgres.setting(config, name) for name in ("server_version", "fsync", "synchronous_commit", "full_page_writes")},
        "flush_ms": f"{_flush_ms(config.directory()):.3f}",
    }


def _flush_ms(directory: Path) -> float:
    """How long this disk takes to keep 8 KB where a file has them already, the median: what every commit waits for at least."""
    times = []
    with tempfile.TemporaryFile(dir=directory, buffering=0) as file:
        for _ in range(FLUSHES):
            page = os.urandom(8192)
            began = time.perf_counter()
            os.pwrite(file.fileno(), page, 0)
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - began)
    return statistics.median(times) * 1000
