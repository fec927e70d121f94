"""The emulated AWS: `ministack` on the loopback interface, and the few calls that the stack itself makes to it."""

import json
import os
import re
import shutil
import signal
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree as xml
from pathlib import Path

from . import bench_emulator, process
from .config import LOOPBACK, REGION, Config, Problem, say

METER = bench_emulator.PATH
_NO_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def ensure(config: Config, metered: bool = False) -> str:
    """Starts the emulator unless it runs; returns its URL. An address, not a name: the AWS SDKs then put S3 buckets in the path.

    `metered` has it count requests, and tell them under METER.
    """
    service = process.running(config, "emulator")
    if service is None:
        service = _start(config, metered)
    say(f"Emulated AWS: {url(service.port)}")
    return url(service.port)


def stop(config: Config) -> bool:
    """Ends the emulator and, as they share its process group, every function that it runs."""
    return process.stop(config, "emulator", signal.SIGTERM)


def endpoint(config: Config) -> str:
    """URL of the running emulator."""
    service = process.running(config, "emulator")
    if service is None:
        raise Problem("The stack does not run. `make stack` starts it.")
    return url(service.port)


def url(port: int) -> str:
    return f"http://{LOOPBACK}:{port}"


def client_environment(config: Config, at: str) -> dict:
    """For AWS clients: only the emulator, made-up credentials, and nothing from the user's own AWS configuration."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    return {
        **kept,
        "HOME": str(config.directory("home")),
        "TMPDIR": str(config.directory("tmp")),
        "AWS_ENDPOINT_URL": at,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": f"{LOOPBACK},localhost",
        "no_proxy": f"{LOOPBACK},localhost",
    }


def _start(config: Config, metered: bool) -> process.Service:
    port = process.choose_port(config, "aws")
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(config.directory("home")),
        "TMPDIR": str(config.directory("tmp")),
        "LANG": "C.UTF-8",
        "BIND_HOST": LOOPBACK,  # it listens on every interface unless told
        "GATEWAY_PORT": str(port),
        # Functions get the emulator's environment: this is how their SDK clients find it.
        "AWS_ENDPOINT_URL": url(port),
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "DOCKER_HOST": "unix:///nonexistent/docker.sock",  # it would tidy up containers; it has no business with them
        **({} if config.throwaway else _persistence(config, port)),
    }
    command = [config.python, "-I", Path(bench_emulator.__file__)] if metered else [config.python, "-m", "ministack"]
    service = process.start(config, "emulator", command, port, env=environment, cwd=config.directory("tmp"))
    process.await_ready(config, service, lambda: _ready(port), seconds=60)
    return service


def _persistence(config: Config, port: int) -> dict:
    """Has the emulator write its state to disk when it is stopped. The state names its port in every queue's URL: on another it is no use."""
    state, remembered = config.directory("aws"), config.path("aws", "heddle-port")
    if remembered.exists() and remembered.read_text() != str(port):
        say("  the emulated AWS moves to another port and starts empty")
        shutil.rmtree(state)
    config.path("aws", "heddle-port").write_text(str(port))
    return {"PERSIST_STATE": "1", "STATE_DIR": str(state), "S3_PERSIST": "1", "S3_DATA_DIR": str(config.directory("aws", "s3"))}


def _ready(port: int) -> bool:
    try:
        with _NO_PROXY.open(f"{url(port)}/_ministack/health", timeout=2) as answer:
            return answer.status == 200
    except OSError:
        return False


def invoke(at: str, function: str, event: "dict | list") -> "tuple[bool, object]":
    """Runs a deployed function with an event; whether it succeeded, and what it answered."""
    path = f"/2015-03-31/functions/{urllib.parse.quote(function)}/invocations"
    headers, body = call(at, "lambda", path, json.dumps(event).encode(), {"Content-Type": "application/json"})
    text = body.decode(errors="replace")
    try:
        answer = json.loads(text)
    except ValueError:
        answer = text
    return "x-amz-function-error" not in headers, answer


def stack(at: str, name: str) -> "tuple[str, dict]":
    """State and outputs of a CloudFormation stack; an empty state if there is none."""
    try:
        tree = _cloudformation(at, "DescribeStacks", name)
    except Problem:
        return "", {}
    found = tree.find(".//Stacks/member")
    if found is None:
        return "", {}
    outputs = {item.findtext("OutputKey"): item.findtext("OutputValue") for item in found.findall("Outputs/member")}
    return found.findtext("StackStatus") or "", outputs


def delete_stack(at: str, name: str) -> None:
    """Deletes a stack and waits until it is gone."""
    _cloudformation(at, "DeleteStack", name)
    if not process.until(lambda: stack(at, name)[0] in ("", "DELETE_COMPLETE"), 60):
        raise Problem(f"The stack {name} can't be deleted; it is {stack(at, name)[0]}.")


def _cloudformation(at: str, action: str, name: str) -> xml.Element:
    query = urllib.parse.urlencode({"Action": action, "Version": "2010-05-15", "StackName": name})
    _, body = call(at, "cloudformation", "/", query.encode(), {"Content-Type": "application/x-www-form-urlencoded"})
    return xml.fromstring(re.sub(rb'xmlns="[^"]*"', b"", body, count=1))


def secret(at: str, name: str) -> "str | None":
    """A secret's value; None if there is no such secret."""
    try:
        return json_call(at, "secretsmanager", "secretsmanager.GetSecretValue", {"SecretId": name})["SecretString"]
    except Problem:
        return None


def put_secret(at: str, name: str, value: str) -> None:
    """Creates a secret, or gives it a new value."""
    try:
        json_call(at, "secretsmanager", "secretsmanager.CreateSecret", {"Name": name, "SecretString": value})
    except Problem:
        json_call(at, "secretsmanager", "secretsmanager.PutSecretValue", {"SecretId": name, "SecretString": value})


def may_send_from(at: str, address: str) -> None:
    """Has SES take mail from an address, as somebody who owns it has it once on AWS."""
    known = get(at, "ses", "/v2/email/identities").get("EmailIdentities", [])
    if address not in [identity["IdentityName"] for identity in known]:
        call(at, "ses", "/v2/email/identities", json.dumps({"EmailIdentity": address}).encode(), {"Content-Type": "application/json"})


def json_call(at: str, service: str, target: str, body: dict) -> dict:
    """A call of a service that speaks AWS JSON."""
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": target}
    _, answer = call(at, service, "/", json.dumps(body).encode(), headers)
    return json.loads(answer or b"{}")


def get(at: str, service: str, path: str) -> dict:
    """A GET whose answer is JSON."""
    return json.loads(call(at, service, path, None, {})[1])


def call(at: str, service: str, path: str, body: "bytes | None", headers: dict) -> "tuple[dict, bytes]":
    """A POST (a GET where there is no body) to the emulator, which reads the service from the scope of a signature that it does not check."""
    scope = f"AWS4-HMAC-SHA256 Credential=test/20200101/{REGION}/{service}/aws4_request, SignedHeaders=host, Signature=0"
    request = urllib.request.Request(at + path, data=body, headers={**headers, "Authorization": scope})
    try:
        with _NO_PROXY.open(request, timeout=310) as answer:
            return {key.lower(): value for key, value in answer.headers.items()}, answer.read()
    except urllib.error.HTTPError as error:
        raise Problem(f"{service} answered {error.code}: {error.read().decode(errors='replace')[:500]}") from error
    except OSError as error:
        raise Problem(f"No answer from the emulated AWS at {at}: {error}") from error
