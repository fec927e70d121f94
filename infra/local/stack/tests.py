"""Runs the tests: the Rust ones against a Postgres and an emulator of their own, which end with the run."""

import json
import os
import shutil
import subprocess

from . import api, check, config as settings_of, openapi, process, sample, standalone, status
from .config import LOOPBACK, ROOT, Config, Problem, say


def run(config: Config) -> None:
    """Formatting and template, then every test of the workspace; flows go through the deployed functions and through the one process."""
    from .cli import bring_up

    check.quick(config)
    throwaway = settings_of.load(ROOT / ".local" / f"test-{os.getpid()}", throwaway=True)
    clear_leftovers("test")
    try:
        running = bring_up(throwaway)
        heddle = standalone.binary()
        one_process = standalone.serve(throwaway, heddle, running["database_url"], f"{LOOPBACK}/32")
        openapi.lint(throwaway, running["base"])
        told = {**environment(throwaway, running), "HEDDLE_FLOW_STANDALONE_URL": standalone.url(one_process), "HEDDLE_FLOW_STANDALONE": str(heddle)}
        cargo(throwaway, ["--workspace"], told)
        _released_queries(told)
        if shutil.which("cargo-nextest"):
            _doc_tests()
        for base in (running["base"], standalone.url(one_process)):
            say(f"Running the sample workflow on {base} …")
            sample.prove(throwaway, api.Client(base, running["key"]), running["sample_port"])
    finally:
        status.down(throwaway)


def cargo(config: Config, which: list, told: dict, names: tuple = ()) -> None:
    """Runs tests against a stack that is up; given names, those that begin with one, one after the other, though `make test` leave them out."""
    if shutil.which("cargo-nextest"):
        command = ["cargo", "nextest", "run", "--cargo-profile", "local", *which, "--locked"]
        command += ["--no-capture", "--run-ignored", "all", "-E", f"test(/^({'|'.join(names)})/)"] if names else []
    else:
        command = ["cargo", "test", "--profile", "local", *which, "--locked"]
        command += ["--", "--nocapture", "--include-ignored", "--test-threads=1", *names] if names else []
    say("$ " + " ".join(command))
    if subprocess.run(command, cwd=ROOT, env={**os.environ, **told}).returncode != 0:
        raise Problem(f"Tests failed. Logs of the services: {_keep_logs(config)}")


def environment(config: Config, running: dict) -> dict:
    """What the Rust tests are told (the list stands in infra/local/README.md)."""
    facts = config.path("stack.json")
    facts.write_text(
        json.dumps(
            {
                "endpoint": running["endpoint"],
                "run_table": running["outputs"]["RunTable"],
                "ephemeral_table": running["outputs"]["EphemeralTable"],
                "step_queue_url": running["outputs"]["StepQueueUrl"],
                "step_dead_letters_url": running["outputs"]["StepDeadLettersUrl"],
                "blob_bucket": running["outputs"]["BlobBucket"],
                "functions": {name: f"{settings_of.STACK_NAME}-{name}" for name in settings_of.FUNCTIONS},
                "database_url": running["database_url"],
                "sample_url": f"http://{LOOPBACK}:{running['sample_port']}",
                "pids_dir": str(config.directory("run")),
                "logs_dir": str(config.directory("logs")),
                "emulator_pid": process.running(config, "emulator").pid,
            },
            indent=2,
        )
    )
    return {
        "HEDDLE_TEST_DATABASE_URL": running["database_url"],
        "HEDDLE_TEST_AWS_ENDPOINT": running["endpoint"],
        "HEDDLE_FLOW_BASE_URL": running["base"],
        "HEDDLE_FLOW_API_KEY": running["key"],
        "HEDDLE_FLOW_STACK": str(facts),
        "SQLX_OFFLINE": "true",
        "NO_PROXY": f"{LOOPBACK},localhost",
    }


def _released_queries(told: dict) -> None:
    """The code of the last release has to work on this tree's schema: it serves while the migrations are applied."""
    lines = (ROOT / "shared" / "catalog" / "released").read_text().splitlines()
    named = next(line.strip() for line in lines if not line.startswith("#"))
    known = ["git", "cat-file", "-e", f"{named}^{{commit}}"]
    if subprocess.run(known, cwd=ROOT, stderr=subprocess.DEVNULL).returncode != 0:
        say("skipped: the queries of the last release (this is no git clone, or a shallow one)")
        return
    command = ["cargo", "run", "--locked", "--quiet", "--profile", "local", "-p", "test-support", "--example", "released_queries"]
    if subprocess.run(command, cwd=ROOT, env={**os.environ, **told}).returncode != 0:
        raise Problem("The last release could not serve on this schema; see above, and docs/migrations.md.")


def _doc_tests() -> None:
    """nextest runs no examples of the documentation."""
    if subprocess.run(["cargo", "test", "--doc", "--workspace", "--locked", "--profile", "local", "--quiet"], cwd=ROOT).returncode != 0:
        raise Problem("An example in the documentation failed.")


def _keep_logs(config: Config) -> str:
    kept = ROOT / ".local" / "test-logs"
    shutil.rmtree(kept, ignore_errors=True)
    shutil.copytree(config.directory("logs"), kept)
    return str(kept)


def clear_leftovers(kind: str) -> None:
    """Ends what a run with the home `<kind>-<pid>` left behind that was itself killed; a run that still goes on is let be."""
    for home in (ROOT / ".local").glob(f"{kind}-*"):
        owner = home.name.removeprefix(f"{kind}-")
        if owner.isdigit() and not _alive(int(owner)):
            status.down(settings_of.load(home, throwaway=True))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
