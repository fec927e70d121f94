"""The emulator with a meter: the same `ministack`, run by its own Python, which also counts what is asked of it and in what units AWS bills that.

`GET /_heddle/requests` tells it as a list of `{by, service, operation, requests, units}`, counted since the start. Requests of functions are told apart by the
application name in the SDK's user agent, which they are given here. DynamoDB tells itself what a write consumes, indexes included,
once it is asked to (`ReturnConsumedCapacity`); what a read consumes is the size of what it answers, since the emulator does not measure that.
"""

import json
import re
import threading
from collections import defaultdict
from urllib.parse import unquote

PATH = "/_heddle/requests"
READS = ("GetItem", "Query", "BatchGetItem", "TransactGetItems", "Scan")
WRITES = ("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems")
MESSAGE_KB = 64


class Meter:
    """Counts requests by who asks, of which service, for which operation."""

    def __init__(self):
        self.counts = defaultdict(lambda: [0, 0.0])
        self.lock = threading.Lock()  # functions are invoked by several threads

    def count(self, by: str, service: str, operation: str, units: float = 0.0) -> None:
        with self.lock:
            entry = self.counts[by, service, operation]
            entry[0] += 1
            entry[1] += units

    def told(self) -> list:
        names = ("by", "service", "operation", "requests", "units")
        with self.lock:
            return [dict(zip(names, (*key, *count))) for key, count in sorted(self.counts.items())]


class Metered:
    """An ASGI application around another one."""

    def __init__(self, inner, meter: Meter):
        self.inner = inner
        self.meter = meter

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return await self.inner(scope, receive, send)
        if scope["path"] == PATH:
            return await _tell(send, self.meter.told())
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        by, service, operation = asked_by(headers), *asked_for(scope["method"], scope["path"], headers)
        if by is None or service is None:
            return await self.inner(scope, receive, send)
        body = await _read(receive)
        if service == "dynamodb" and operation in WRITES:
            body = json.dumps({**json.loads(body), "ReturnConsumedCapacity": "TOTAL"}).encode()
            scope = {**scope, "headers": _with_length(scope["headers"], len(body))}
        answered = bytearray()

        async def record(event):
            answered.extend(event.get("body", b"") if event["type"] == "http.response.body" else b"")
            await send(event)

        await self.inner(scope, _again(body, receive), record)
        self.meter.count(by, service, operation, units_of(service, operation, body, bytes(answered)))


def asked_by(headers: dict) -> "str | None":
    """The function that asks, by the application name in its user agent; None for whoever has none. A caller of the API is the client."""
    found = re.search(r"\bapp/(\S+)", headers.get("x-amz-user-agent", "") + " " + headers.get("user-agent", ""))
    return unquote(found[1]) if found else "client" if "x-api-key" in headers else None


def asked_for(method: str, path: str, headers: dict) -> "tuple[str | None, str]":
    """Service and operation of a request; no service where it is none that AWS would bill."""
    if path.startswith("/_aws/execute-api/"):
        return "apigateway", "Request"
    scope = re.search(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/", headers.get("authorization", ""))
    target = headers.get("x-amz-target", "").rpartition(".")[2]
    if scope is None:
        return None, ""
    if scope[1] == "scheduler":
        return "scheduler", {"POST": "CreateSchedule", "PUT": "UpdateSchedule", "DELETE": "DeleteSchedule"}.get(method, method)
    return scope[1], target or method


def units_of(service: str, operation: str, body: bytes, answered: bytes) -> float:
    """What the request is billed by beside its number: read or write units, or chunks of 64 KB of messages."""
    if service == "sqs":
        return max(1, -(-len(body) // (MESSAGE_KB * 1024)))
    if service != "dynamodb":
        return 0.0
    answer = json.loads(answered or b"{}")
    if operation in WRITES:
        if "ConsumedCapacity" not in answer:
            # A write that was refused consumes the size of the item that stands there, which a refusal shows if it was asked to.
            return float(max(1, -(-item_bytes(answer.get("Item", {})) // 1024)))
        consumed = answer["ConsumedCapacity"]
        return sum(table["CapacityUnits"] for table in (consumed if isinstance(consumed, list) else [consumed]))
    if operation in READS:
        read = sum(item_bytes(item) for item in answer.get("Items", [answer["Item"]] if answer.get("Item") else []))
        units = max(1, -(-read // 4096))
        return units if json.loads(body).get("ConsistentRead") else units / 2
    return 0.0


def item_bytes(item: dict) -> int:
    """The size of an item as DynamoDB bills it: names and values; what is nested has a few bytes more for each level and element."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: dict) -> int:
    ((kind, content),) = value.items()
    if kind == "S":
        return len(content.encode())
    if kind == "N":
        return (len(content.strip("-0.")) + 1) // 2 + 1 + content.startswith("-")
    if kind == "B":
        return len(content) * 3 // 4
    if kind in ("SS", "NS", "BS"):
        return sum(_value_bytes({kind[0]: part}) for part in content)
    if kind == "L":
        return 3 + sum(1 + _value_bytes(part) for part in content)
    if kind == "M":
        return 3 + sum(1 + len(name.encode()) + _value_bytes(part) for name, part in content.items())
    return 1  # NULL and BOOL


async def _read(receive) -> bytes:
    body, more = b"", True
    while more:
        event = await receive()
        if event["type"] != "http.request":
            break
        body, more = body + event.get("body", b""), event.get("more_body", False)
    return body


def _again(body: bytes, receive):
    """A `receive` that hands over what was read already, and then what really comes."""
    parts = [{"type": "http.request", "body": body, "more_body": False}]

    async def again():
        return parts.pop() if parts else await receive()

    return again


def _with_length(headers: list, length: int) -> list:
    return [(name, str(length).encode() if name.lower() == b"content-length" else value) for name, value in headers]


async def _tell(send, told: list) -> None:
    body = json.dumps(told).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def main() -> None:
    """Starts ministack as `python -m ministack` does, with the meter in front, a look at each invocation, and functions that say who they are."""
    from ministack import app
    from ministack.services import lambda_svc

    meter, dispatch, environment = Meter(), lambda_svc._execute_function_dispatch, lambda_svc._provided_worker_env

    def invoked(func, config, *how):
        meter.count(name_of(config), "lambda", "Invoke")
        return dispatch(func, config, *how)

    def named(config, *how):
        return {**environment(config, *how), "AWS_SDK_UA_APP_ID": name_of(config)}

    lambda_svc._execute_function_dispatch, lambda_svc._provided_worker_env = invoked, named
    app.app = Metered(app.app, meter)
    app.main()


def name_of(config: dict) -> str:
    """A function's name without that of its stack."""
    return config["FunctionName"].split("-", 2)[-1]


if __name__ == "__main__":
    main()
