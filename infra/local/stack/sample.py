"""The sample: orders served over HTTP by the stack itself, and a workflow that reads them, run through the real API."""

import json
import sys
import time
from pathlib import Path

from . import process
from .api import Client
from .config import LOOPBACK, Config, Problem, digest, say

FOLDER = Path(__file__).resolve().parents[1] / "sample"
WORKFLOW = FOLDER / "workflow.json"
PATIENCE_S = 30
FINISHED = ("succeeded", "failed", "cancelled")


def serve(config: Config) -> int:
    """Serves the sample's data on the loopback interface; returns the port."""
    service = process.running(config, "sample")
    if service is None:
        port = process.choose_port(config, "sample")
        command = [sys.executable, "-m", "http.server", "--bind", LOOPBACK, "--directory", str(FOLDER / "data"), str(port)]
        service = process.start(config, "sample", command, port, env={"PATH": "/usr/bin:/bin"}, cwd=FOLDER)
        process.await_ready(config, service, lambda: process.listening(port), seconds=20)
    return service.port


def run(config: Config, client: Client, port: int) -> dict:
    """Creates and publishes the workflow where that is still to be done, runs it, and returns the finished run with its workflow's id."""
    document = json.loads(WORKFLOW.read_text())
    inputs = {**document["sample_inputs"], "shop_url": f"http://{LOOPBACK}:{port}"}
    published = config.path("sample-published")
    known_as, _, workflow_id = (published.read_text() if published.exists() else "").partition(" ")
    status = 404
    if known_as == digest(WORKFLOW):
        # The emulator may have lost what Postgres remembers: then the workflow is published again.
        status, answer = _start(client, workflow_id, inputs, may_fail=(404, 409, 422))
    if status >= 400:
        workflow_id = _publish(client, document)
        published.write_text(f"{digest(WORKFLOW)} {workflow_id}")
        status, answer = _start(client, workflow_id, inputs)
    finished = _await_end(client, answer)
    if finished["status"] != "succeeded":
        raise Problem(f"The sample run ended as {finished['status']}:\n{json.dumps(finished, indent=2)}")
    return {**finished, "workflow_id": workflow_id, "inputs": inputs}


def prove(config: Config, client: Client, port: int) -> None:
    """Runs the sample and compares its result with the one that the document promises."""
    finished = run(config, client, port)
    expected = json.loads(WORKFLOW.read_text())["sample_result"]
    if finished["result"] != expected:
        raise Problem(f"The sample run's result is\n{json.dumps(finished['result'], indent=2)}\nand should be\n{json.dumps(expected, indent=2)}")


def _publish(client: Client, document: dict) -> str:
    say("Creating the sample workflow …")
    _, found = client.call("GET", "/api/v1/workflows?limit=100")
    same = [item["id"] for item in found["items"] if item["name"] == document["workflow"]["name"]]
    if same:
        workflow_id = same[0]
    else:
        _, created = client.call("POST", "/api/v1/workflows", document["workflow"])
        workflow_id = created["id"]
    client.call("PUT", f"/api/v1/workflows/{workflow_id}/graph", document["graph"])
    client.call("POST", f"/api/v1/workflows/{workflow_id}/publish", {})
    return workflow_id


def _start(client: Client, workflow_id: str, inputs: dict, may_fail: tuple = ()) -> "tuple[int, dict]":
    return client.call("POST", "/api/v1/runs", {"workflow_id": workflow_id, "inputs": inputs}, prefer="wait=10", may_fail=may_fail)


def _await_end(client: Client, started: dict) -> dict:
    run_id = started.get("run_id") or started.get("id")
    if not run_id:
        raise Problem(f"The answer to a start names no run: {started}")
    end = time.monotonic() + PATIENCE_S
    while True:
        _, run = client.call("GET", f"/api/v1/runs/{run_id}")
        if run["status"] in FINISHED:
            return run
        if time.monotonic() > end:
            raise Problem(f"Run {run_id} is still {run['status']} after {PATIENCE_S} s. `make logs F=node-executor` may say why.")
        time.sleep(0.2)
