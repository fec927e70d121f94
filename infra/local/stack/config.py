"""Where things are and which ports they use: read once, from the environment, then `.env`, then defaults."""

import hashlib
import os
import platform
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
LOOPBACK = "127.0.0.1"
REGION = "us-east-1"
STACK_NAME = "heddle-local"
FUNCTIONS = ("auth", "teams", "services", "experts", "secrets", "workflows", "runs", "node-executor", "maintenance", "migrator")
DEFAULT_PORTS = {"heddle": 4500, "aws": 4566, "postgres": 54329, "sample": 4580, "watch": 9000}


class Problem(Exception):
    """Something that the person at the keyboard can put right; printed without a traceback."""


@dataclass(frozen=True)
class Config:
    """One stack. `home` holds all of its state, so two stacks with different homes never meet."""

    home: Path
    settings: dict = field(repr=False)
    throwaway: bool = False
    """For one run: any free ports, nothing kept, and nothing flushed to disk unless `durable`."""
    durable: bool = False
    """A throwaway stack whose Postgres flushes to disk all the same, as one that is measured has to."""

    @property
    def venv(self) -> Path:
        """Shared by every stack of the clone."""
        return ROOT / ".local" / "venv"

    @property
    def python(self) -> Path:
        return self.venv / "bin" / "python"

    @property
    def lambda_dir(self) -> Path:
        """Where `template.yaml` looks for the functions' binaries."""
        return ROOT / "target" / "lambda"

    @property
    def flushes(self) -> bool:
        """Whether Postgres keeps what it has committed when the machine loses power."""
        return self.durable or not self.throwaway

    @property
    def database_url(self) -> "str | None":
        """A Postgres that the user brings along."""
        return None if self.throwaway else self.settings.get("DATABASE_URL")

    def asked_port(self, name: str) -> "int | None":
        """The port that the user asked for by HEDDLE_PORT_<NAME>; 0 means any free one."""
        if self.throwaway:
            return 0
        text = self.settings.get(f"HEDDLE_PORT_{name.upper()}", "")
        if not text:
            return None
        if not text.isdigit() or int(text) > 65535:
            raise Problem(f"HEDDLE_PORT_{name.upper()} is {text!r}; it has to be a port number, or 0 for any free port.")
        return int(text)

    def path(self, *parts: str) -> Path:
        """A file of this stack; its directory exists."""
        path = self.home.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def directory(self, *parts: str) -> Path:
        """A directory of this stack; it exists."""
        path = self.home.joinpath(*parts)
        path.mkdir(parents=True, exist_ok=True)
        return path


def load(home: "Path | None" = None, throwaway: bool = False, durable: bool = False) -> Config:
    """The stack of this clone, or another one of it under `home`."""
    settings = {**read_env_file(ROOT / ".env"), **os.environ}
    return Config(home or ROOT / ".local", settings, throwaway, durable)


def read_env_file(path: Path) -> dict:
    """KEY=value lines; comments, blank lines, `export` and quotes are understood, nothing is expanded."""
    if not path.is_file():
        return {}
    values = {}
    for line in path.read_text().splitlines():
        key, separator, value = line.strip().removeprefix("export ").partition("=")
        if separator and not key.startswith("#"):
            values[key.strip()] = value.strip().strip("\"'")
    return values


def architecture() -> str:
    """This machine, as Lambda names it."""
    return "arm64" if platform.machine().lower() in ("arm64", "aarch64") else "x86_64"


def digest(*parts: "str | bytes | Path") -> str:
    """SHA-256 over texts, bytes and the content of files, each kept apart from the next."""
    total = hashlib.sha256()
    for part in parts:
        data = part.read_bytes() if isinstance(part, Path) else part.encode() if isinstance(part, str) else part
        total.update(hashlib.sha256(data).digest())
    return total.hexdigest()


def say(text: str) -> None:
    """A line for the person at the keyboard, at once."""
    print(text, flush=True)
