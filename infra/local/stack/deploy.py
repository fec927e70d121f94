"""Deploys `template.yaml`: to the emulator when anything changed since the last time, or to a stage on AWS."""

import json
import os
import re
import subprocess
import time
from pathlib import Path

from . import emulator, postgres, venv
from .config import FUNCTIONS, LOOPBACK, ROOT, STACK_NAME, Config, Problem, architecture, digest, say

TEMPLATE = ROOT / "template.yaml"
SAMCONFIG = ROOT / "samconfig.toml"
# What was deployed last. Kept in the emulator, whose state it describes: a crash loses both or neither.
STAMP = "heddle/local/deployed"
SETTLED = ("CREATE_COMPLETE", "UPDATE_COMPLETE")


def local(config: Config, at: str, database_url: str, sample_port: int) -> dict:
    """Deploys to the emulator if template, binaries or parameters changed; returns the stack's outputs."""
    emulator.put_secret(at, "heddle/local/database-url", postgres.functions_url(config, database_url))
    emulator.put_secret(at, "heddle/local/migrator-database-url", database_url)
    emulator.may_send_from(at, mail_sender())
    # Tests bring servers of their own, on any port of the loopback interface.
    may_call = f"{LOOPBACK}/32" if config.throwaway else f"{LOOPBACK}:{sample_port}"
    parameters = {"Architecture": architecture(), "EgressAllow": may_call, "Maintenance": "DISABLED" if config.throwaway else "ENABLED"}
    binaries = [config.lambda_dir / name / "bootstrap" for name in FUNCTIONS]
    wanted = digest(TEMPLATE, SAMCONFIG, json.dumps(parameters, sort_keys=True), at, *binaries)
    state, outputs = emulator.stack(at, STACK_NAME)
    if state in SETTLED and emulator.secret(at, STAMP) == wanted:
        say("Deployed: unchanged")
        return outputs
    if state == "ROLLBACK_COMPLETE":  # a first deployment that failed; CloudFormation only lets it be deleted
        emulator.delete_stack(at, STACK_NAME)
    say("Deploying template.yaml …")
    command = _sam_deploy(config, "local", parameters)
    environment = {**emulator.client_environment(config, at), "SAM_CLI_TELEMETRY": "0"}
    # SAM asks the network weekly for a newer release of itself, and no option stops it; a check of just now does.
    config.path("home", ".aws-sam", "metadata.json").write_text(json.dumps({"lastVersionCheck": time.time(), "telemetryEnabled": False}))
    log = config.path("logs", "deploy.log")
    with open(log, "w") as output:
        done = subprocess.run(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise Problem(f"sam deploy failed; the end of {log}:\n" + "\n".join(log.read_text().splitlines()[-25:]))
    emulator.put_secret(at, STAMP, wanted)
    return emulator.stack(at, STACK_NAME)[1]


def mail_sender() -> str:
    """What codes and invitations are sent from: the template's default, which nobody overrides here."""
    return re.search(r"^  MailSender:\n    Type: String\n    Default: (\S+)$", TEMPLATE.read_text(), re.MULTILINE)[1]


def to_stage(config: Config, stage: str, arch: str) -> None:
    """Deploys to AWS with the user's own credentials, then migrates. What is under target/lambda has to be built for `arch`."""
    if stage not in ("dev", "stage", "prod"):
        raise Problem(f"STAGE is {stage!r}; it has to be dev, stage or prod.")
    missing = [name for name in FUNCTIONS if not (config.lambda_dir / name / "bootstrap").exists()]
    if missing:
        raise Problem(f"Not built: {', '.join(missing)}. `make build ARCH={arch}` builds them.")
    wrong = [name for name in FUNCTIONS if machine(config, name) != arch]
    if wrong:
        raise Problem(f"Not built for {arch}: {', '.join(wrong)}. `make build ARCH={arch}` builds them.")
    migrate = [str(config.python), str(Path(__file__).with_name("migrate_stage.py")), f"heddle-{stage}"]
    binary = str(config.lambda_dir / "migrator" / "bootstrap")
    _step([*migrate, "before", binary], "Nothing is deployed; the old code serves on.")
    _step(_sam_deploy(config, stage, {"Architecture": arch}), "sam deploy failed; CloudFormation has rolled back.")
    _step([*migrate, "after"], "The functions are deployed but the catalog could not be migrated.")


def _sam_deploy(config: Config, stage: str, parameters: dict) -> list:
    """The command, with the stage's parameters from samconfig.toml: those that SAM is given here would replace all of them."""
    section = SAMCONFIG.read_text().partition(f"[{stage}.deploy.parameters]")[2].partition("\n[")[0]
    configured = re.search(r'^parameter_overrides = "(.*)"$', section, re.MULTILINE)
    overrides = configured[1].split() if configured else []
    overrides += [f"{key}={value}" for key, value in parameters.items()]
    return [*venv.tool(config, "sam"), "deploy", "--config-env", stage, "--template-file", str(TEMPLATE), "--parameter-overrides", *overrides]


def machine(config: Config, name: str) -> str:
    """What a binary was built for, read from its ELF header."""
    with open(config.lambda_dir / name / "bootstrap", "rb") as file:
        header = file.read(20)
    return {0x3E: "x86_64", 0xB7: "arm64"}.get(int.from_bytes(header[18:20], "little"), "unknown")


def _step(command: list, help_text: str) -> None:
    region = os.environ.get("AWS_REGION")  # which boto3 doesn't read
    environment = {**({"AWS_DEFAULT_REGION": region} if region else {}), **os.environ, "SAM_CLI_TELEMETRY": "0"}
    if subprocess.run(command, cwd=ROOT, env=environment).returncode != 0:
        raise Problem(help_text)
