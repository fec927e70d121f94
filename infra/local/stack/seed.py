"""Brings the catalog to the functions' schema and puts the demo team into it, both by the deployed migrator."""

import hashlib
import secrets

from . import emulator
from .config import Config, Problem, say
from .postgres import write_secret


def apply(config: Config, at: str, migrator: str) -> str:
    """Migrates and seeds; returns the demo key, which is made once and lives in `.local/demo-key`. Safe to repeat."""
    key = demo_key(config)
    _ask(at, migrator, {"action": "migrate"})
    _ask(at, migrator, {"action": "seed", "api_key_sha256": hashlib.sha256(key.encode()).hexdigest(), "api_key_last4": key[-4:]})
    say("Catalog: migrated and seeded")
    return key


def demo_key(config: Config) -> str:
    """The API key of the demo team's dev service."""
    path = config.path("demo-key")
    if not path.exists():
        write_secret(path, "hdl_" + secrets.token_urlsafe(36) + "\n")
    return path.read_text().strip()


def _ask(at: str, migrator: str, event: dict) -> None:
    succeeded, answer = emulator.invoke(at, migrator, event)
    if not succeeded:
        raise Problem(f"The migrator could not {event['action']}: {answer}. `make logs F=migrator` shows more.")
