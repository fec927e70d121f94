"""What Heddle costs: the engine's hot paths, the functions' binaries, the whole loop in memory, and a run on the emulated AWS.

Each part prints tables and keeps what it measured as JSON under `.local/bench`, with what the numbers depend on. A bound that is not met
(engine.md, Cost and speed to reach) does not keep the next part from being measured; at the end it makes the exit status 1.
"""

import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

from . import build, config as settings_of, emulator, process, status, tests, venv
from .config import FUNCTIONS, ROOT, Config, Problem, architecture, digest, say

PROFILE = "standalone"
PARTS = ("engine", "functions", "memory", "stack")
WARM_UP_S = "1"
# Nanoseconds, by the beginning of a benchmark's name.
ENGINE_BOUNDS = {"compile 50 nodes": 1_000_000, "advance a run of 50 nodes": 50_000}


def run(config: Config, seconds: str, only: str, profile: str) -> int:
    """Measures the parts that `only` names, or all of them. `profile` is that of the functions: `release`, or `local` for a quick look."""
    wanted = only.split(",") if only else PARTS
    unknown = [part for part in wanted if part not in PARTS]
    if unknown or profile not in ("release", "local"):
        raise Problem(f"ONLY takes {', '.join(PARTS)}; PROFILE is release or local.")
    measure = {
        "engine": lambda: _engine(config),
        "functions": lambda: _functions(config, profile),
        "memory": lambda: _memory(config, seconds),
        "stack": lambda: _stack(config, seconds, profile),
    }
    missed = [part for part in PARTS if part in wanted and measure[part]() != 0]
    if missed:
        say(f"\nA bound was not met: {', '.join(missed)}")
    return 1 if missed else 0


def driver() -> Path:
    """The load driver, optimised like what it measures: a slow one would take the time that is measured."""
    if subprocess.run(["cargo", "build", "--locked", "--profile", PROFILE, "-p", "load"], cwd=ROOT).returncode != 0:
        raise Problem("The load driver does not build; see above.")
    return build.target_directory() / PROFILE / "load"


def kept(kind: str) -> Path:
    """Where a measurement of now is kept."""
    path = ROOT / ".local" / "bench" / time.strftime(f"{kind}-%Y%m%dT%H%M%SZ.json", time.gmtime())
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def facts(profile: str) -> dict:
    """What every number depends on."""
    return {
        "commit": output("git", "describe", "--always", "--dirty"),
        "rustc": output("rustc", "--version"),
        "profile": profile,
        "load_average": f"{os.getloadavg()[0]:.2f}",  # of the minute before: others' work makes every number worse
    }


def output(*command: str) -> str:
    """What a program prints about itself."""
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return told.stdout.strip() if told.returncode == 0 else "unknown"


def drive(load: Path, arguments: list, kind: str, known: dict) -> "int | None":
    """Runs the driver; 1 if a bound is not met, None if it could not measure."""
    path = kept(kind)
    command = [load, *arguments, "--json", path]
    for name, value in known.items():
        command += ["--fact", f"{name}={value}"]
    ended = subprocess.run([str(part) for part in command]).returncode
    if ended not in (0, 1):
        return None
    say(f"\nKept: {path.relative_to(ROOT)}")
    return ended


def _engine(config: Config) -> int:
    """The engine's hot paths without any I/O."""
    command = ["cargo", "bench", "--locked", "--profile", PROFILE, "-p", "engine-bench"]
    if subprocess.run(command, cwd=ROOT).returncode != 0:
        raise Problem("The engine can't be measured; see above.")
    results = [_estimate(path) for path in sorted((build.target_directory() / "criterion").glob("*/new"))]
    for result in results:
        bound = f"   has to be under {result['bound_ns'] / 1000:.0f}" if result["bound_ns"] else ""
        say(f"{'met' if result['is_met'] else 'NOT met':<9}{result['name']:<46}{result['mean_ns'] / 1000:>10.2f} µs{bound}")
    measured_all = all(any(result["name"].startswith(name) for result in results) for name in ENGINE_BOUNDS)
    _keep("engine", {"machine": _machine(), "facts": facts(PROFILE), "measured": results})
    return 0 if measured_all and all(result["is_met"] for result in results) else 1


def _estimate(directory: Path) -> dict:
    """What criterion found out about one benchmark."""
    name = json.loads((directory / "benchmark.json").read_text())["full_id"]
    mean = json.loads((directory / "estimates.json").read_text())["mean"]["point_estimate"]
    bound = next((bound for beginning, bound in ENGINE_BOUNDS.items() if name.startswith(beginning)), None)
    return {"name": name, "mean_ns": mean, "bound_ns": bound, "is_met": bound is None or mean < bound}


def _functions(config: Config, profile: str) -> int:
    """Size of each function's binary, and its time from exec to the first poll."""
    _build_functions(config, profile)
    path = kept("functions")
    script = ROOT / "tests" / "bench" / "cold_start.py"
    ended = subprocess.run([sys.executable, str(script), str(config.lambda_dir), "--json", str(path)]).returncode
    if ended not in (0, 1):
        raise Problem("The functions can't be measured; see above.")
    path.write_text(json.dumps({"facts": facts(profile), **json.loads(path.read_text())}, indent=2) + "\n")
    say(f"\nKept: {path.relative_to(ROOT)}")
    return ended


def _memory(config: Config, seconds: str) -> int:
    """The loop in one process, with store and queue in memory: our own cost."""
    arguments = ["--in-memory", "--seconds", seconds, "--warm-up", WARM_UP_S, "--check", "memory"]
    ended = drive(driver(), arguments, "memory", facts(PROFILE))
    if ended is None:
        raise Problem("The measurement in memory failed; see above.")
    return ended


def _stack(config: Config, seconds: str, profile: str) -> int:
    """Runs through the API of the emulated AWS: what is asked of AWS, and what that costs."""
    from .cli import bring_up

    venv.ensure(config)
    _build_functions(config, profile)
    load = driver()
    tests.clear_leftovers("bench")
    measured = settings_of.load(ROOT / ".local" / f"bench-{os.getpid()}", throwaway=True)
    try:
        at = emulator.ensure(measured, metered=True)
        running = bring_up(measured, is_built=True)
        arguments = ["--url", running["base"], "--key-file", measured.path("demo-key"), "--meter", at + emulator.METER]
        arguments += ["--emulator-pid", process.running(measured, "emulator").pid, "--prices", ROOT / "shared" / "engine" / "prices.json"]
        arguments += ["--seconds", seconds, "--warm-up", WARM_UP_S, "--check", "stack"]
        ended = drive(load, arguments, "stack", {**facts(profile), "functions": digest(*_binaries(config))[:12]})
        if ended is None:
            log = measured.path("logs", "emulator.log")
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
            raise Problem("The measurement on the stack failed; see above. The end of the emulator's log:\n" + tail)
        return ended
    finally:
        status.down(measured)


def _build_functions(config: Config, profile: str) -> None:
    """This machine's functions under `target/lambda`; cargo decides whether there is anything to do."""
    if profile == "local":
        build.local(config)
    else:
        venv.ensure(config)
        build.release(config, architecture())


def _binaries(config: Config) -> list:
    return [config.lambda_dir / name / "bootstrap" for name in FUNCTIONS]


def _machine() -> dict:
    return {"architecture": platform.machine(), "cores": os.cpu_count(), "kernel": platform.release()}


def _keep(kind: str, measured: dict) -> None:
    path = kept(kind)
    path.write_text(json.dumps(measured, indent=2) + "\n")
    say(f"\nKept: {path.relative_to(ROOT)}")
