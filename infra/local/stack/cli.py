"""The commands, as `make help` lists them."""

import argparse
import contextlib
import fcntl
import functools
import json
import signal
import sys
from pathlib import Path

from . import api, bench, bench_standalone, build, chaos, check, config, deploy, dev, emulator, fuzz, migrations, postgres, process, sample, seed, sim, status, tests, venv, watch
from .config import STACK_NAME, Config, Problem, say


def main() -> int:
    arguments = _parser().parse_args()
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `make logs | head` is no error
    try:
        return arguments.run(config.load(), arguments) or 0
    except Problem as problem:
        print(f"\n{problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def stack(settings: Config, _) -> None:
    """Everything, from nothing to a finished run."""
    with only_one(settings):
        running = bring_up(settings)
        finished = sample.run(settings, api.Client(running["base"], running["key"]), running["sample_port"])
    write_env(settings, running)
    _welcome(running, finished)


def run_dev(settings: Config, _) -> None:
    """One process over Postgres, from nothing to a finished run."""
    with only_one(settings):
        running, finished = dev.run(settings)
    write_env(settings, running)
    _welcome_dev(running, finished)


def write_env(settings: Config, running: dict) -> None:
    """What `. .local/env` gives a shell: where the API is, and what `heddle` needs to run beside it."""
    variables = {
        "HEDDLE_URL": running["base"],
        "HEDDLE_KEY": running["key"],
        "HEDDLE_SAMPLE": f"{config.LOOPBACK}:{running['sample_port']}",
        "HEDDLE_DATA": str(settings.directory("data")),
        # Not DATABASE_URL: that would tell the next `make dev` that someone brings a Postgres along.
        "HEDDLE_DATABASE": running["database_url"],
    }
    postgres.write_secret(settings.path("env"), "".join(f"export {name}='{value}'\n" for name, value in variables.items()))


def bring_up(settings: Config, is_built: bool = False) -> dict:
    """Services, functions, schema and seed; what a client needs to know of them. Where it `is_built`, what stands under `target/lambda` is deployed."""
    venv.ensure(settings)
    if not is_built:
        build.local(settings)
    database_url = postgres.ensure(settings)
    at = emulator.ensure(settings)
    sample_port = sample.serve(settings)
    outputs = deploy.local(settings, at, database_url, sample_port)
    key = seed.apply(settings, at, outputs["MigratorFunction"])
    return {
        "endpoint": at,
        "base": api.base_url(at, outputs["ApiId"]),
        "key": key,
        "database_url": database_url,
        "sample_port": sample_port,
        "outputs": outputs,
    }


@contextlib.contextmanager
def only_one(settings: Config):
    """Two starts at the same time: the second waits for the first."""
    with open(settings.path("lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _welcome_dev(running: dict, finished: dict) -> None:
    """As for the stack, and what only one process can do."""
    workflow = sample.WORKFLOW.relative_to(config.ROOT)
    inputs = {"shop_url": f"http://{config.LOOPBACK}:{running['sample_port']}", "at_least": 50, "goal": 1000}
    heddle = running["heddle"].relative_to(config.ROOT) if running["heddle"].is_relative_to(config.ROOT) else running["heddle"]
    _welcome(
        running,
        finished,
        f"""
  {heddle} run {workflow} --database-url "$HEDDLE_DATABASE" \\
    --egress-allow "$HEDDLE_SAMPLE" --inputs '{json.dumps(inputs)}'
""",
    )


def _welcome(running: dict, finished: dict, more: str = "") -> None:
    start = {"workflow_id": finished["workflow_id"], "inputs": {**finished["inputs"], "goal": 1000}}
    json_of = functools.partial(json.dumps, ensure_ascii=False)
    say(
        f"""
The sample run {finished["id"]} {finished["status"]}. Its result:

{json_of(finished.get("result"), indent=2)}

  API       {running["base"]}
  demo key  {running["key"]}
{_sign_in(running)}
Try next, after `. .local/env`:

  curl -s "$HEDDLE_URL/api/v1/runs/{finished["id"]}" -H "X-API-Key: $HEDDLE_KEY"

  curl -s "$HEDDLE_URL/api/v1/runs" -H "X-API-Key: $HEDDLE_KEY" -H "Content-Type: application/json" -H "Prefer: wait=10" \\
    -d '{json_of(start)}'

  curl -s "$HEDDLE_URL/api/v1/workflows/{finished["workflow_id"]}" -H "X-API-Key: $HEDDLE_KEY"
{more}
`make status` shows what runs, `make logs` what it says, `make down` ends it."""
    )


def _sign_in(running: dict) -> str:
    """Who can be signed in as, and how. On the emulated AWS the mails are the emulator's."""
    who = "owner@demo.example, admin@…, editor@… and viewer@… sign in by a code"
    if "mailbox" not in running:
        return f"  members   {who} (docs/sign-in.md)\n"
    return f"""  members   {who} that is mailed to {running["mailbox"]}/:

  curl -s "$HEDDLE_URL/api/v1/auth/request-otp" -H "Content-Type: application/json" -d '{{"email": "owner@demo.example", "purpose": "login"}}'
  CODE=$(grep -hoE '^ +[0-9]{{6}}' "$(ls -t {running["mailbox"]}/*.eml | head -1)" | tr -d ' ')
  curl -s "$HEDDLE_URL/api/v1/auth/verify-otp" -H "Content-Type: application/json" -d '{{"email": "owner@demo.example", "code": "'"$CODE"'"}}'
"""


def invoke(settings: Config, arguments) -> int:
    """Sends an event file to a deployed function and prints the answer."""
    if not arguments.function or not arguments.event:
        raise Problem("Say which: make invoke F=runs E=events/http-health.json")
    event = json.loads(Path(arguments.event).read_text())
    succeeded, answer = emulator.invoke(emulator.endpoint(settings), f"{STACK_NAME}-{arguments.function}", event)
    say(json.dumps(answer, indent=2, ensure_ascii=False))
    return 0 if succeeded else 1


def build_release(settings: Config, arguments) -> None:
    venv.ensure(settings)
    build.release(settings, arguments.arch)


def deploy_stage(settings: Config, arguments) -> None:
    venv.ensure(settings)
    deploy.to_stage(settings, arguments.stage, arguments.arch)


def down(settings: Config, _) -> None:
    status.down(settings)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="heddle.py", description="Runs Heddle on this machine.")
    commands = parser.add_subparsers(required=True, metavar="command")

    def command(name: str, run, text: str, /, **options: str) -> None:
        sub = commands.add_parser(name, help=text)
        for option, default in options.items():
            sub.add_argument(f"--{option}", default=default)
        sub.set_defaults(run=run)

    command("dev", run_dev, "start Heddle as one process and run the sample workflow")
    command("stack", stack, "start everything and run the sample workflow")
    command("down", down, "stop everything")
    command("status", lambda settings, _: status.show(settings), "what runs")
    command("logs", lambda settings, a: status.logs(settings, a.function, a.follow == "1"), "logs", function="", follow="")
    command("invoke", invoke, "send an event to a deployed function", function="", event="")
    command("watch", lambda settings, _: watch.run(settings), "the functions under cargo lambda watch")
    command("build", build_release, "release build", arch="arm64")
    command("deploy", deploy_stage, "deploy to AWS", stage="dev", arch="arm64")
    command("check", lambda settings, _: check.full(settings), "formatting, lints, template, licences")
    command("migrate", lambda settings, _: migrations.apply(settings), "bring a database to the schema of this tree")
    command("migration", lambda _, a: migrations.create(a.name), "start a new migration", name="")
    command("test", lambda settings, _: tests.run(settings), "every test")
    command("chaos", lambda settings, a: chaos.run(settings, a.seed, a.runs, a.kills), "kills under load", seed="", runs="200", kills="30")
    asked = {"seed": "", "requests": "2000", "only": "", "target": "stack"}
    command("fuzz-api", lambda settings, a: fuzz.run(settings, a.seed, a.requests, a.only, a.target), "generated requests", **asked)
    command("sim", lambda settings, a: sim.run(settings, a.seeds, a.first, a.seed), "the simulation", seeds="1000", first="0", seed="")
    measured = {"seconds": "3", "only": "", "profile": "release"}
    command("bench", lambda settings, a: bench.run(settings, a.seconds, a.only, a.profile), "what Heddle costs", **measured)
    command("bench-standalone", lambda settings, a: bench_standalone.run(settings, a.seconds), "speed of the single process", seconds="10")
    return parser
