"""The sample's files fit together; what the workflow computes is proven by running it (`make stack`)."""

import json
import unittest

from stack import deploy, sample
from stack.config import ROOT, load


class Sample(unittest.TestCase):
    def setUp(self):
        self.document = json.loads(sample.WORKFLOW.read_text())

    def test_every_required_input_is_given(self):
        required = set(self.document["workflow"]["input_params"]["required"])
        self.assertEqual(required - set(self.document["sample_inputs"]), {"shop_url"}, "the stack adds the URL of its own server")

    def test_edges_name_nodes(self):
        keys = {node["key"] for node in self.document["graph"]["nodes"]}
        named = {edge[end] for edge in self.document["graph"]["edges"] for end in ("from", "to")}
        self.assertEqual(named, keys)

    def test_the_data_meets_the_goal(self):
        orders = json.loads((sample.FOLDER / "data" / "orders.json").read_text())["orders"]
        inputs = self.document["sample_inputs"]
        big = [order["total"] for order in orders if order["status"] == "paid" and order["total"] >= inputs["at_least"]]
        self.assertGreaterEqual(sum(big), inputs["goal"])


class Events(unittest.TestCase):
    def test_every_event_is_json(self):
        events = sorted((ROOT / "events").glob("*.json"))
        self.assertTrue(events)
        for path in events:
            with self.subTest(path.name):
                self.assertIsInstance(json.loads(path.read_text()), dict)


class Samconfig(unittest.TestCase):
    def test_given_parameters_are_added_to_the_configured_ones(self):
        config = load()
        command = deploy._sam_deploy(config, "dev", {"Architecture": "x86_64"})
        overrides = command[command.index("--parameter-overrides") + 1 :]
        self.assertIn("Stage=dev", overrides)
        self.assertIn("Architecture=x86_64", overrides)
        self.assertNotIn("Stage=local", overrides)


if __name__ == "__main__":
    unittest.main()
