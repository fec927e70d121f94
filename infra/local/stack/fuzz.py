"""`make fuzz-api`: thousands of requests that are made from the OpenAPI documents, against the deployed functions.

Schemathesis generates and judges them by infra/local/fuzz/schemathesis.toml; this gives it a stack of its own with something in it, asks
for each function until it has got as many as it should, and tells what came of it.
"""

import collections
import json
import os
import random
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from . import config as settings_of, fuzz_seed, openapi, postgres, standalone, status, tests, venv
from .config import LOOPBACK, ROOT, Config, Problem, say
from .fuzz_world import World
from .openapi import AREAS

FOLDER = Path(__file__).resolve().parents[1] / "fuzz"
KEPT = ROOT / ".local" / "fuzz-logs"
ROUNDS = 20
"""After so many that still are too few requests, more of the same would not help."""
LONGEST_S = 1800
"""For one function's turn."""


@dataclass
class Tally:
    """What came of one function's requests."""

    statuses: collections.Counter = field(default_factory=collections.Counter)
    failures: dict = field(default_factory=dict)
    """First of its kind, by operation, check and title → what is known of it, and how often."""

    @classmethod
    def read(cls, path: Path) -> "Tally":
        tally = cls()
        for line in path.read_text().splitlines() if path.exists() else ():
            tally.add(json.loads(line))
        return tally

    def add(self, noted: dict) -> None:
        if "failure" not in noted:
            self.statuses[noted["status"]] += 1
            return
        failure = noted["failure"]
        kind = (failure["operation"], failure["check"], failure["title"], failure["status"])
        self.failures.setdefault(kind, {**failure, "times": 0})["times"] += 1

    @property
    def counted(self) -> int:
        """All but those that were held back by a rate limit."""
        return self.statuses.total() - self.statuses[429]

    def told(self) -> str:
        statuses = " ".join(f"{status}×{count}" for status, count in sorted(self.statuses.items()))
        lines = [f"{self.counted} requests, {len(self.failures)} failures: {statuses}"]
        for failure in self.failures.values():
            lines += ["", f"  {failure['operation']} answered {failure['status']}, {failure['times']} times: {failure['title']}"]
            lines += [f"    {line}" for line in failure["message"].splitlines()[:12]] + [f"    {failure['curl']}"]
        return "\n".join(lines)


def run(_: Config, seed: str, requests: str, only: str, target: str) -> None:
    """Brings the target up, sends each function its requests and takes it down; a seed that is left out is drawn, and printed."""
    areas, wanted = chosen(only), number("REQUESTS", requests)
    drawn = number("SEED", seed) if seed else random.SystemRandom().randrange(2**31)
    tests.clear_leftovers("fuzz")
    throwaway = settings_of.load(ROOT / ".local" / f"fuzz-{os.getpid()}", throwaway=True)
    try:
        world = _bring_up(throwaway, target)
        say(f"Fuzzing {world.base} with SEED={drawn}, {wanted} requests for each of {', '.join(areas)}")
        fuzz_seed.sow(world)
        failed = [area for area in areas if not _fuzz(throwaway, world, area, drawn, wanted)]
    finally:
        _keep(throwaway)
        status.down(throwaway)
    if failed:
        raise Problem(f"Failures in {', '.join(failed)}; all of it is in {KEPT}. make fuzz-api SEED={drawn} ONLY={','.join(failed)} generates the same requests.")


def chosen(only: str) -> list:
    """The functions that were asked for, all of them where none was."""
    asked = [area.strip() for area in only.split(",") if area.strip()]
    unknown = sorted(set(asked) - set(AREAS))
    if unknown:
        raise Problem(f"ONLY is {only!r}; it takes some of {', '.join(AREAS)}.")
    return [area for area in AREAS if not asked or area in asked]


def number(name: str, text: str) -> int:
    """A setting that counts."""
    if not text.isdigit():
        raise Problem(f"{name} is {text!r}; it has to be a number.")
    return int(text)


def _bring_up(throwaway: Config, target: str) -> World:
    tally = str(throwaway.path("fuzz", "tally"))
    if target == "stack":
        from .cli import bring_up

        running = bring_up(throwaway)
        return World(running["base"], tally, endpoint=running["endpoint"], counters=running["outputs"]["EphemeralTable"])
    if target != "standalone":
        raise Problem(f"TARGET is {target!r}; it is stack, the deployed functions, or standalone, the one process.")
    venv.ensure(throwaway)
    database_url = postgres.ensure(throwaway)
    service = standalone.serve(throwaway, standalone.binary(), database_url, f"{LOOPBACK}/32")
    mailbox = throwaway.directory("data") / "mailbox"
    return World(standalone.url(service), tally, mailbox=str(mailbox), database_url=database_url)


def _keep(throwaway: Config) -> None:
    """What was asked and answered, and what the services said, outlives the stack."""
    shutil.rmtree(KEPT, ignore_errors=True)
    for part in ("fuzz", "logs"):
        shutil.copytree(throwaway.directory(part), KEPT / part)


def _fuzz(throwaway: Config, world: World, area: str, seed: int, wanted: int) -> bool:
    """One function's turn; whether nothing failed."""
    home = throwaway.directory("fuzz", area)
    world.tally = str(home / "tally")
    _equip(home, world)
    document = openapi.document(world.base, area)
    (home / "openapi.json").write_text(json.dumps(document))
    operations = sum(len(item) for item in document["paths"].values())
    began, is_fine, turn = time.monotonic(), True, 0
    while is_fine and turn < ROUNDS and (missing := wanted - Tally.read(home / "tally").counted) > 0:
        is_fine = _schemathesis(throwaway, world, home, max(5, missing // operations), seed + turn)
        turn += 1
    tally = Tally.read(home / "tally")
    say(f"{area}, in {time.monotonic() - began:.0f} s: {tally.told()}")
    if tally.counted < wanted:
        say(f"{area}: fewer than the {wanted} requests that were asked for")
    return is_fine and not tally.failures and tally.counted >= wanted


def _equip(home: Path, world: World) -> None:
    """Settings, dictionaries and the world, where schemathesis finds them."""
    (home / "known").mkdir(exist_ok=True)
    for name, values in world.known.items():
        (home / "known" / f"{name}.dict").write_text("".join(f"{json.dumps(value)}\n" for value in values))
    shutil.copy(FOLDER / "schemathesis.toml", home)
    world.write(home / "world.json")


def _schemathesis(throwaway: Config, world: World, home: Path, examples: int, seed: int) -> bool:
    """One run; whether it found nothing. What it found by other ways than the checks on an answer is in its own words only."""
    command = [*venv.tool(throwaway, "st"), "--config-file", str(home / "schemathesis.toml"), "run", str(home / "openapi.json")]
    command += ["--url", world.base, "--seed", str(seed), "--max-examples", str(examples), "--no-color"]
    command += ["--exclude-path-regex", "^/health"]  # every function's; API Gateway has them under each area only
    environment = {
        **os.environ,
        "HEDDLE_FUZZ_WORLD": str(home / "world.json"),
        "HEDDLE_FUZZ_HOOKS": str(FOLDER / "hooks.py"),
        "PYTHONPATH": str(FOLDER.parent),
        "NO_PROXY": f"{LOOPBACK},localhost",
    }
    log = home / f"seed-{seed}.log"
    with open(log, "w") as output:
        try:
            done = subprocess.run(command, cwd=home, env=environment, stdout=output, stderr=subprocess.STDOUT, timeout=LONGEST_S)
        except subprocess.TimeoutExpired:
            raise Problem(f"schemathesis has not ended after {LONGEST_S} s.") from None
    if done.returncode != 0 and not Tally.read(home / "tally").failures:
        say(f"schemathesis failed; the end of {log}:\n" + "\n".join(log.read_text().splitlines()[-60:]))
    return done.returncode == 0
