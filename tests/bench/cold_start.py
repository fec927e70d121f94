#!/usr/bin/env python3
"""How big a function's binary is, and how long it takes from exec until it first asks the Lambda Runtime API for work.

    python3 tests/bench/cold_start.py [directory of <function>/bootstrap, default target/lambda] [--runs N] [--function NAME] [--json FILE]

The Runtime API here is a listening socket: the clock starts before the process is made and stops when the request line of the first
`GET …/invocation/next` has arrived. Nothing is answered and the process is killed, so this is init alone: no secret, table or
database is reached. Prints a table, then the same as one line of JSON; a binary over its bound makes the exit status 1.
"""

import argparse
import json
import os
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FIRST_POLL = b"GET /2018-06-01/runtime/invocation/next"
# What has to hold for the functions on the hot path (issue A): stripped size and median time to the first poll.
MOST_BYTES = 15_000_000
MOST_MS = 20.0
BOUND = ("runs", "node-executor")
PATIENCE_S = 10


def main() -> int:
    options = _options()
    binaries = sorted(options.directory.glob("*/bootstrap"))
    if options.function:
        binaries = [path for path in binaries if path.parent.name in options.function]
    if not binaries:
        print(f"No binaries under {options.directory}; `make build ARCH={_this_machine()}` makes them.", file=sys.stderr)
        return 2
    results = [measure(path, options.runs) for path in binaries]
    print_table(results)
    text = json.dumps({"runs": options.runs, "machine": platform.machine(), "cores": os.cpu_count(), "functions": results})
    print(text)
    if options.json:
        options.json.write_text(text + "\n")
    over = [result["function"] for result in results if not result["within_bounds"]]
    if over:
        print(f"Over {MOST_BYTES / 1e6:.0f} MB or {MOST_MS:.0f} ms: {', '.join(over)}", file=sys.stderr)
    return 1 if over else 0


def measure(binary: Path, runs: int) -> dict:
    """Size as deployed and stripped, and the spread of the time to the first poll. The first start, which reads the disk, is left out."""
    times = [first_poll_ms(binary) for _ in range(runs + 1)][1:]
    stripped = stripped_bytes(binary)
    median = statistics.median(times)
    function = binary.parent.name
    return {
        "function": function,
        "bytes": binary.stat().st_size,
        "stripped_bytes": stripped,
        "first_poll_ms": {"min": round(min(times), 2), "median": round(median, 2), "max": round(max(times), 2)},
        "within_bounds": function not in BOUND or (stripped <= MOST_BYTES and median <= MOST_MS),
    }


def first_poll_ms(binary: Path) -> float:
    """One start of a function against a Runtime API that only listens."""
    with socket.create_server(("127.0.0.1", 0)) as api, tempfile.TemporaryFile() as output:
        api.settimeout(PATIENCE_S)
        environment = _environment(binary.parent.name, api.getsockname()[1])
        began = time.perf_counter()
        process = subprocess.Popen([str(binary)], env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd="/")
        try:
            connection, _ = api.accept()
            with connection:
                connection.settimeout(PATIENCE_S)
                asked = b""
                while len(asked) < len(FIRST_POLL):
                    part = connection.recv(4096)
                    if not part:
                        raise _Unfit(binary, output, "closed its connection before asking for work")
                    asked += part
                took = (time.perf_counter() - began) * 1000
            if not asked.startswith(FIRST_POLL):
                raise _Unfit(binary, output, f"first sent {asked[:200]!r}")
            return took
        except TimeoutError:
            raise _Unfit(binary, output, f"did not ask for work within {PATIENCE_S} s") from None
        finally:
            process.kill()
            process.wait()


def stripped_bytes(binary: Path) -> int:
    """The size without symbols; release builds are stripped already, and where `strip` is missing the size is taken as it is."""
    if shutil.which("strip") is None:
        return binary.stat().st_size
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "stripped"
        done = subprocess.run(["strip", "-o", str(copy), str(binary)], capture_output=True)
        return (copy if done.returncode == 0 else binary).stat().st_size


def print_table(results: list) -> None:
    print(f"{'function':<16}{'stripped':>10}{'min':>9}{'median':>9}{'max':>9}   exec to first poll, ms")
    for result in results:
        ms = result["first_poll_ms"]
        mark = "" if result["within_bounds"] else "  over its bound"
        size = f"{result['stripped_bytes'] / 1e6:.1f} MB"
        print(f"{result['function']:<16}{size:>10}{ms['min']:>9.1f}{ms['median']:>9.1f}{ms['max']:>9.1f}{mark}")


class _Unfit(SystemExit):
    def __init__(self, binary: Path, output, what: str):
        output.seek(0)
        said = output.read().decode(errors="replace")[-1000:]
        super().__init__(f"{binary} {what}. It printed:\n{said}")


def _environment(function: str, port: int) -> dict:
    """What Lambda and template.yaml set. The endpoint is one where nobody listens: init must not need it."""
    return {
        "PATH": "/usr/bin:/bin",
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}",
        "AWS_LAMBDA_FUNCTION_NAME": f"heddle-bench-{function}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/heddle-bench-{function}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "bench",
        "_HANDLER": "bootstrap",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "STAGE": "dev",
        "LOG_LEVEL": "info",
        "METRICS_NAMESPACE": "Heddle",
        "RUN_TABLE": "bench",
        "EPHEMERAL_TABLE": "bench",
        "STEP_QUEUE_HIGH_URL": "http://127.0.0.1:9/000000000000/high",
        "STEP_QUEUE_URL": "http://127.0.0.1:9/000000000000/bench",
        "STEP_QUEUE_LOW_URL": "http://127.0.0.1:9/000000000000/low",
        "STEP_QUEUE_ARN": "arn:aws:sqs:us-east-1:000000000000:bench",
        "RUN_TIMERS_ROLE_ARN": "arn:aws:iam::000000000000:role/bench",
        "RUN_TIMERS_GROUP": "bench",
        "DEAD_LETTERS_URL": "http://127.0.0.1:9/000000000000/bench-dead",
        "BLOB_BUCKET": "bench",
        "DATABASE_SECRET_ARN": "arn:aws:secretsmanager:us-east-1:000000000000:secret:heddle/dev/database-url",
        "EGRESS_ALLOW": "",
    }


def _this_machine() -> str:
    return "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Size and cold start of function binaries.")
    parser.add_argument("directory", nargs="?", type=Path, default=ROOT / "target" / "lambda")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--function", action="append", help="only this one; may be given again")
    parser.add_argument("--json", type=Path, help="also write the JSON there")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
