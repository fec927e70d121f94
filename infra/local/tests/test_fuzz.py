"""What `make fuzz-api` counts, leaves out and is told; and the linter of the OpenAPI documents."""

import json
import re
import tempfile
import unittest
from pathlib import Path

from stack import fuzz
from stack.config import Problem
from stack.fuzz import Tally
from stack.fuzz_world import World, code_in
from stack.openapi import AREAS
from stack.openapi_lint import mistakes

SETTINGS = (fuzz.FOLDER / "schemathesis.toml").read_text()
MINIMAL = {"openapi": "3.1.0", "info": {"title": "Things", "version": "1"}, "paths": {}}


def failure(operation: str, title: str) -> dict:
    return {"failure": {"operation": operation, "check": "x", "status": 500, "title": title, "message": "m", "curl": f"curl {operation}"}}


class Counting(unittest.TestCase):
    def test_requests_that_a_rate_limit_held_back_do_not_count(self):
        tally = Tally()
        for status in (200, 200, 429, 404):
            tally.add({"operation": "GET /x", "status": status})
        self.assertEqual(tally.counted, 3)
        self.assertEqual(tally.told(), "3 requests, 0 failures: 200×2 404×1 429×1")

    def test_a_failure_is_told_once_with_the_command_that_repeats_it(self):
        with tempfile.TemporaryDirectory() as folder:
            notes = Path(folder) / "tally"
            noted = [failure("GET /x", "Server error"), failure("GET /x", "Server error"), failure("GET /y", "Server error")]
            notes.write_text("".join(f"{json.dumps(note)}\n" for note in noted))
            tally = Tally.read(notes)
        self.assertEqual([found["times"] for found in tally.failures.values()], [2, 1])
        self.assertIn("GET /x answered 500, 2 times: Server error", tally.told())
        self.assertEqual(tally.told().count("curl GET /x"), 1)

    def test_no_notes_are_no_requests(self):
        self.assertEqual(Tally.read(Path("/nonexistent")).counted, 0)


class Asking(unittest.TestCase):
    def test_the_functions_are_all_or_those_that_are_named(self):
        self.assertEqual(fuzz.chosen(""), list(AREAS))
        self.assertEqual(fuzz.chosen("runs, auth"), ["auth", "runs"])
        with self.assertRaisesRegex(Problem, "ONLY is 'runz'"):
            fuzz.chosen("runz")

    def test_numbers_are_numbers(self):
        self.assertEqual(fuzz.number("SEED", "7"), 7)
        with self.assertRaisesRegex(Problem, "REQUESTS is '-1'"):
            fuzz.number("REQUESTS", "-1")


class Sparing(unittest.TestCase):
    def test_what_the_requests_are_about_is_not_deleted(self):
        world = World("", "", kept=["kept"])
        team, member = "/api/v1/teams/{team_id}", "/api/v1/teams/{team_id}/members/{member_id}"
        self.assertFalse(world.spares("DELETE", team, {"team_id": "kept"}))
        self.assertFalse(world.spares("DELETE", team, {"team_id": "KEPT"}), "ids are read in either case")
        self.assertTrue(world.spares("DELETE", team, {"team_id": "spare"}))
        self.assertTrue(world.spares("PATCH", team, {"team_id": "kept"}))
        self.assertTrue(world.spares("DELETE", member, {"team_id": "kept", "member_id": "other"}))
        self.assertFalse(world.spares("PATCH", member, {"team_id": "kept", "member_id": "kept"}), "the owner stays one")

    def test_ties_between_them_may_be_cut(self):
        world = World("", "", kept=["kept"])
        path = "/api/v1/experts/{expert_id}/workflows/{workflow_id}"
        self.assertTrue(world.spares("DELETE", path, {"expert_id": "kept", "workflow_id": "kept"}))
        path = "/api/v1/services/{service_id}/segments/{segment_id}"
        self.assertFalse(world.spares("DELETE", path, {"service_id": "kept", "segment_id": "kept"}))

    def test_what_the_emulated_gateway_keeps_for_itself_is_not_asked(self):
        stack, process = World("", "", endpoint="http://127.0.0.1:1"), World("", "")
        self.assertFalse(stack.reaches({"name": "a%0Ab"}))
        self.assertFalse(stack.reaches({"team_id": "a\nb"}))
        self.assertTrue(stack.reaches({"name": "a%20b", "number": 1}))
        self.assertTrue(process.reaches({"name": "a%0Ab"}))

    def test_a_code_is_found_in_its_mail(self):
        self.assertEqual(code_in("Order 123456 is\r\n\r\n    042137\r\n\r\ngood."), "042137")


class Settings(unittest.TestCase):
    def test_every_binding_names_a_dictionary_and_every_file_is_sown(self):
        sown = (fuzz.FOLDER.parent / "stack" / "fuzz_seed.py").read_text()
        files = dict(re.findall(r'^(\w+) = { from-file = "(.+)" }', SETTINGS, re.MULTILINE))
        listed = re.findall(r"^(\w+) = { values = ", SETTINGS, re.MULTILINE)
        self.assertEqual(set(re.findall(r'dictionary = "(\w+)"', SETTINGS)), {*files, *listed})
        for name, file in files.items():
            self.assertEqual(file, f"known/{name}.dict")
            self.assertRegex(sown, rf'"{name}"')


class Linting(unittest.TestCase):
    def test_a_document_that_keeps_to_the_standard_has_no_mistakes(self):
        self.assertEqual(mistakes({"things": MINIMAL}), [])

    def test_each_mistake_is_named_with_its_document_and_its_place(self):
        no_words = {**MINIMAL, "paths": {"/things": {"get": {"responses": {"200": {}}}}}}
        self.assertEqual(mistakes({"things": no_words}), ['things paths//things/get/responses/200: "description" is a required property'])
        unresolved = {**MINIMAL, "paths": {"/things/{id}": {"get": {"responses": {"204": {"description": "Gone."}}}}}}
        self.assertRegex("".join(mistakes({"things": unresolved})), "Path parameter 'id' .* was not resolved")
