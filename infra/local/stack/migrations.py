"""The schema's files: applies them to a database, and starts a new one (docs/migrations.md)."""

import datetime
import os
import re
import subprocess
from pathlib import Path

from . import postgres, standalone, venv
from .config import ROOT, Config, Problem, say

FOLDER = ROOT / "shared" / "catalog" / "migrations"
MINUTE = "%Y%m%d%H%M"


def apply(config: Config) -> None:
    """Brings the local database, or the one that DATABASE_URL names, to the schema of this tree."""
    if not config.database_url:
        venv.ensure_postgres(config)
    heddle = standalone.binary()
    environment = {"PATH": os.environ.get("PATH", os.defpath), "DATABASE_URL": postgres.ensure(config)}
    if subprocess.run([str(heddle), "migrate"], env=environment, stdin=subprocess.DEVNULL).returncode != 0:
        raise Problem("The database was not migrated; see above.")


def create(name: str) -> None:
    """Makes the file of the next migration and says where it is."""
    now = datetime.datetime.now(datetime.timezone.utc)
    path = FOLDER / file_name(name, now, [file.name for file in FOLDER.glob("*.sql")])
    path.write_text(f"-- What this is for, in a sentence ({name.replace('_', ' ')}).\n")
    say(f"{path.relative_to(ROOT)}\n\ndocs/migrations.md says what it has to keep to.")


def file_name(name: str, now: datetime.datetime, present: "list[str]") -> str:
    """`YYYYMMDDHHMM_<name>.sql`, after the present minute and after every file that is there."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{2,60}", name):
        raise Problem("Say what it does in lower-case letters, digits and underscores: make migration NAME=teams_get_a_colour")
    last = max((Path(file).name.partition("_")[0] for file in present), default="")
    number = now.strftime(MINUTE)
    if number <= last:
        following = datetime.datetime.strptime(last, MINUTE) + datetime.timedelta(minutes=1)
        number = following.strftime(MINUTE)
    return f"{number}_{name}.sql"
