"""The meter in front of the emulator: who asked, for what, and what AWS would bill; and which parts `make bench` knows."""

import asyncio
import json
import unittest
from pathlib import Path

from stack import bench
from stack.bench_emulator import PATH, Meter, Metered, asked_by, asked_for, item_bytes, units_of
from stack.config import Config, Problem

SIGNED = "AWS4-HMAC-SHA256 Credential=000000000000/20260101/us-east-1/{}/aws4_request, SignedHeaders=host, Signature=0"
RUNS = "aws-sdk-rust/1.3 os/linux lang/rust/1.95 app/runs"


def exchange(inner, method: str, path: str, headers: dict, body: bytes, meter: Meter) -> bytes:
    """One request through the meter; what was answered."""
    scope = {"type": "http", "method": method, "path": path, "headers": [(k.encode(), v.encode()) for k, v in headers.items()]}
    parts, answered = [body[:3], body[3:]], bytearray()

    async def receive():
        return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

    async def send(event):
        answered.extend(event.get("body", b""))

    asyncio.run(Metered(inner, meter)(scope, receive, send))
    return bytes(answered)


async def table(scope, receive, send):
    """A table that says what it was asked, and that it took seven units."""
    event = await receive()
    length = dict(scope["headers"])[b"content-length"]
    assert int(length) == len(event["body"]) and not event["more_body"]
    assert json.loads(event["body"]) == {"TableName": "runs", "ReturnConsumedCapacity": "TOTAL"}
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b'{"ConsumedCapacity": {"CapacityUnits": 7.0}}'})


class Requests(unittest.TestCase):
    def test_a_write_is_asked_for_its_units_and_counted_with_them(self):
        meter, body = Meter(), b'{"TableName": "runs"}'
        headers = {"authorization": SIGNED.format("dynamodb"), "x-amz-target": "DynamoDB_20120810.PutItem", "user-agent": RUNS}
        for _ in range(2):
            exchange(table, "POST", "/", {**headers, "content-length": str(len(body))}, body, meter)
        expected = {"by": "runs", "service": "dynamodb", "operation": "PutItem", "requests": 2, "units": 14.0}
        self.assertEqual(meter.told(), [expected])
        self.assertEqual(json.loads(exchange(table, "GET", PATH, {}, b"", meter)), [expected])

    def test_who_asks_is_told_by_the_user_agent_or_the_api_key(self):
        self.assertEqual(asked_by({"user-agent": RUNS}), "runs")
        self.assertEqual(asked_by({"x-amz-user-agent": "aws-sdk-rust/1.3 app/node-executor"}), "node-executor")
        self.assertEqual(asked_by({"x-api-key": "hdl_x"}), "client")
        self.assertIsNone(asked_by({"user-agent": "Boto3/1.40"}))

    def test_what_is_asked_for_is_told_by_signature_target_and_method(self):
        signed = lambda service, **more: {"authorization": SIGNED.format(service), **more}
        self.assertEqual(asked_for("POST", "/", signed("sqs", **{"x-amz-target": "AmazonSQS.SendMessageBatch"})), ("sqs", "SendMessageBatch"))
        self.assertEqual(asked_for("PUT", "/blobs/x", signed("s3")), ("s3", "PUT"))
        self.assertEqual(asked_for("POST", "/schedules/x", signed("scheduler")), ("scheduler", "CreateSchedule"))
        self.assertEqual(asked_for("POST", "/_aws/execute-api/a/$default/api/v1/runs", {}), ("apigateway", "Request"))
        self.assertEqual(asked_for("GET", "/_ministack/health", {})[0], None)


class Units(unittest.TestCase):
    def test_a_read_takes_a_unit_for_each_4_kb_and_half_of_it_where_it_may_be_stale(self):
        answered = json.dumps({"Items": [{"pk": {"S": "x" * 3000}}, {"pk": {"S": "x" * 3000}}]}).encode()
        self.assertEqual(units_of("dynamodb", "Query", b'{"ConsistentRead": true}', answered), 2)
        self.assertEqual(units_of("dynamodb", "Query", b"{}", answered), 1)
        self.assertEqual(units_of("dynamodb", "GetItem", b'{"ConsistentRead": true}', b"{}"), 1)

    def test_writes_of_several_tables_add_up_and_a_refused_one_takes_what_stands_there(self):
        several = b'{"ConsumedCapacity": [{"CapacityUnits": 2.0}, {"CapacityUnits": 3.0}]}'
        self.assertEqual(units_of("dynamodb", "BatchWriteItem", b"{}", several), 5)
        self.assertEqual(units_of("dynamodb", "UpdateItem", b"{}", b'{"__type": "ConditionalCheckFailedException"}'), 1)
        refused = json.dumps({"__type": "ConditionalCheckFailedException", "Item": {"state": {"S": "x" * 3000}}}).encode()
        self.assertEqual(units_of("dynamodb", "UpdateItem", b"{}", refused), 3)

    def test_messages_are_billed_by_64_kb(self):
        self.assertEqual([units_of("sqs", "SendMessageBatch", b"x" * size, b"") for size in (1, 65536, 65537)], [1, 1, 2])

    def test_an_item_is_as_large_as_its_names_and_values(self):
        self.assertEqual(item_bytes({"pk": {"S": "ü"}, "n": {"N": "123"}, "ok": {"BOOL": True}}), 2 + 2 + 1 + 3 + 2 + 1)
        self.assertEqual(item_bytes({"m": {"M": {"a": {"S": "bc"}}}, "s": {"SS": ["a", "bc"]}}), 1 + 3 + 1 + 1 + 2 + 1 + 3)


class Parts(unittest.TestCase):
    def test_an_unknown_part_or_profile_is_refused_before_anything_is_measured(self):
        for only, profile in (("stak", "release"), ("memory", "debug")):
            with self.assertRaises(Problem):
                bench.run(Config(Path("/nowhere"), {}), "3", only, profile)
