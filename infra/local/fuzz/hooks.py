"""What schemathesis asks while `make fuzz-api` runs: who calls, which requests would saw off the branch, and what came of each.

`HEDDLE_FUZZ_WORLD` names the file that stack/fuzz.py has written for this run.
"""

import copy
import itertools
import json
import os
from pathlib import Path

import schemathesis
from stack import fuzz_world

WORLD = fuzz_world.World.read(Path(os.environ["HEDDLE_FUZZ_WORLD"]))
TALLY = open(WORLD.tally, "a", buffering=1)
TURNS = itertools.count()


@schemathesis.auth(refresh_interval=600)
class Owner:
    """The owner of the demo team. Access tokens hold for 15 minutes, also when the session behind them has ended."""

    def get(self, case, context):
        return WORLD.sign_in()["access_token"]

    def set(self, case, data, context):
        case.headers["Authorization"] = f"Bearer {data}"


@schemathesis.hook
def filter_case(context, case) -> bool:
    """Leaves out what would end the run for all others, and what no function hears of (see fuzz_world.World)."""
    parameters = case.path_parameters or {}
    return WORLD.spares(case.method, case.path, parameters) and WORLD.reaches(parameters)


@schemathesis.hook
def map_case(context, case):
    """Nine in ten requests act for the demo team, and one in three has a body that is known to be good: chance makes no graph that runs."""
    turn = next(TURNS)
    if turn % 10:
        case.headers["X-Team-Id"] = WORLD.team
    bodies = WORLD.bodies.get(f"{case.method} {case.path}")
    if turn % 3 == 0 and bodies and case.media_type == "application/json":
        case.body = copy.deepcopy(bodies[turn // 3 % len(bodies)])
    return case


@schemathesis.hook
def after_call(context, case, response) -> None:
    """Counts; where a member has called too often, their counters begin again, and the request is not counted as one."""
    if response.status_code == 429:
        WORLD.forget_counters()
    _note({"operation": f"{case.method} {case.path}", "status": response.status_code})


@schemathesis.hook
def after_validate(context, case, response, results) -> None:
    """Notes what failed, with a command that repeats it."""
    for result in results:
        if result.failure is not None:
            found = {"operation": f"{case.method} {case.path}", "check": result.name, "status": response.status_code}
            told = {"title": result.failure.title, "message": result.failure.message, "curl": case.as_curl_command()}
            _note({"failure": {**found, **told}})


def _note(what: dict) -> None:
    TALLY.write(json.dumps(what) + "\n")
