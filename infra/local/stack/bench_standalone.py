"""Measures `heddle`, all of Heddle in one process, over a Postgres that flushes every commit. Both are started for it and end with it."""

import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from . import build, config as settings_of, postgres, process, standalone, status, tests, venv
from .config import LOOPBACK, ROOT, Config, Problem, say

PROFILE = "standalone"
WORKERS = 16
FLUSHES = 200


def run(config: Config, seconds: str) -> int:
    """Builds, starts, measures and stops; 1 if a bound is not met. What was measured stays under `.local/bench`."""
    venv.ensure_postgres(config)
    heddle, load = standalone.binary(PROFILE), _driver()
    tests.clear_leftovers("bench")
    measured = settings_of.load(ROOT / ".local" / f"bench-{os.getpid()}", throwaway=True, durable=True)
    try:
        service = standalone.serve(measured, heddle, postgres.ensure(measured), f"{LOOPBACK}/32", WORKERS)
        return _drive(measured, load, service, seconds, _facts(measured, heddle))
    finally:
        status.down(measured)


def _driver() -> Path:
    """The load driver, optimised like what it measures: a slow one would take the time that is measured."""
    if subprocess.run(["cargo", "build", "--locked", "--profile", PROFILE, "-p", "load"], cwd=ROOT).returncode != 0:
        raise Problem("The load driver does not build; see above.")
    return build.target_directory() / PROFILE / "load"


def _drive(config: Config, load: Path, service: process.Service, seconds: str, facts: dict) -> int:
    kept = ROOT / ".local" / "bench" / time.strftime("standalone-%Y%m%dT%H%M%SZ.json", time.gmtime())
    kept.parent.mkdir(parents=True, exist_ok=True)
    command = [load, "--url", standalone.url(service), "--key-file", config.path("demo-key"), "--seconds", seconds]
    command += ["--pid", service.pid, "--postgres-pid", process.running(config, "postgres").pid, "--json", kept, "--check"]
    for name, value in facts.items():
        command += ["--fact", f"{name}={value}"]
    ended = subprocess.run([str(part) for part in command]).returncode
    if ended not in (0, 1):
        log = config.path("logs", "heddle.log")
        raise Problem("The measurement failed; see above. The end of heddle's log:\n" + "\n".join(log.read_text().splitlines()[-15:]))
    say(f"\nKept: {kept.relative_to(ROOT)}")
    return ended


def _facts(config: Config, heddle: Path) -> dict:
    """What the numbers depend on, as the programs themselves tell it."""
    return {
        "heddle": _output(str(heddle), "--version"),
        "commit": _output("git", "describe", "--always", "--dirty"),
        "rustc": _output("rustc", "--version"),
        "profile": PROFILE,
        "workers": WORKERS,
        **{name: postgres.setting(config, name) for name in ("server_version", "fsync", "synchronous_commit", "full_page_writes")},
        "load_average": f"{os.getloadavg()[0]:.2f}",  # of the minute before: others' work makes every number worse
        "flush_ms": f"{_flush_ms(config.directory()):.3f}",
    }


def _output(*command: str) -> str:
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return told.stdout.strip() if told.returncode == 0 else "unknown"


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
