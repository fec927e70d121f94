"""The functions under `cargo lambda watch`, rebuilt on every change, against the services of the running stack."""

import os
import subprocess

from . import deploy, emulator, process, venv
from .config import LOOPBACK, ROOT, STACK_NAME, Config, Problem, say


def run(config: Config) -> None:
    """Stays in the foreground until interrupted."""
    venv.ensure(config)
    at = emulator.endpoint(config)
    state, outputs = emulator.stack(at, STACK_NAME)
    if state not in deploy.SETTLED:
        raise Problem("The stack is not deployed. `make stack` deploys it.")
    port = process.choose_port(config, "watch")
    variables = _variables(at, outputs["RunsFunction"])
    listed = config.path("watch.env")
    listed.write_text("".join(f"{key}={value}\n" for key, value in variables.items()))
    say("The functions get, as in the deployed stack (.local/watch.env):")
    for key, value in sorted(variables.items()):
        say(f"  {key}={value}")
    say(f"\n  curl http://{LOOPBACK}:{port}/lambda-url/runs/health\n")
    command = [str(config.venv / "bin" / "cargo-lambda"), "lambda", "watch", "--invoke-address", LOOPBACK, "--invoke-port", str(port)]
    command += ["--env-file", str(listed), "--profile", "local"]  # as `make stack` builds them, so that nothing is compiled twice
    environment = {**emulator.client_environment(config, at), "HOME": os.environ.get("HOME", "/"), **variables}
    raise SystemExit(subprocess.run(command, cwd=ROOT, env=environment).returncode)


def _variables(at: str, function: str) -> dict:
    """The environment that the deployed function has, with what the emulator adds to it."""
    path = f"/2015-03-31/functions/{function}/configuration"
    configured = emulator.get(at, "lambda", path)["Environment"]["Variables"]
    return {
        **configured,
        "AWS_ENDPOINT_URL": at,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
