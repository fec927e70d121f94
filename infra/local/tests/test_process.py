"""Services: started, recognised, and ended with all that they started; never one that is not ours."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

from stack import process
from stack.config import Config, Problem

# Starts a child in its group that ignores SIGTERM, says the child's id, and waits.
PARENT = (
    "import subprocess, sys, time;"
    "code = 'import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(600)';"
    "child = subprocess.Popen([sys.executable, '-c', code], stdout=subprocess.PIPE);"
    "child.stdout.readline(); print(child.pid, flush=True); time.sleep(600)"
)


class Services(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.config = Config(Path(folder.name), {}, throwaway=True)

    def start(self, code: str) -> process.Service:
        service = process.start(self.config, "thing", [sys.executable, "-c", code], 0, env=dict(os.environ), cwd=self.config.home)
        self.addCleanup(process.stop, self.config, "thing", signal.SIGKILL)
        return service

    def log(self) -> str:
        return self.config.path("logs", "thing.log").read_text()

    def test_a_started_service_is_found_again_and_a_stopped_one_is_not(self):
        service = self.start("import time; time.sleep(600)")
        self.assertEqual(process.running(self.config, "thing"), service)
        self.assertTrue(process.stop(self.config, "thing"))
        self.assertIsNone(process.running(self.config, "thing"))
        self.assertFalse(process.stop(self.config, "thing"))

    def test_stop_ends_children_that_ignore_being_asked(self):
        self.start(PARENT)
        self.assertTrue(process.until(lambda: self.log().strip(), 20))
        child = int(self.log())
        process.stop(self.config, "thing")
        self.assertIsNone(process._started(child))

    def test_stop_ends_children_whose_parent_was_killed(self):
        service = self.start(PARENT)
        self.assertTrue(process.until(lambda: self.log().strip(), 20))
        os.kill(service.pid, signal.SIGKILL)
        self.assertTrue(process.until(lambda: not service.alive(), 10))
        self.assertTrue(process.stop(self.config, "thing"))
        self.assertIsNone(process._started(int(self.log())))

    def test_a_stranger_with_a_recorded_id_is_left_alone(self):
        stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
        self.addCleanup(stranger.wait)
        self.addCleanup(stranger.kill)
        record = {"name": "thing", "pid": stranger.pid, "started": "another time", "port": 0, "facts": {}}
        self.config.path("run", "thing.json").write_text(json.dumps(record))
        self.assertIsNone(process.running(self.config, "thing"))
        self.assertFalse(process.stop(self.config, "thing"))
        self.assertIsNone(stranger.poll())

    def test_a_service_that_dies_at_once_is_a_problem_that_shows_its_log(self):
        service = self.start("raise SystemExit('no such luck')")
        began = time.monotonic()
        with self.assertRaisesRegex(Problem, "no such luck"):
            process.await_ready(self.config, service, lambda: False, seconds=60)
        self.assertLess(time.monotonic() - began, 30)


class Ports(unittest.TestCase):
    def test_a_port_that_was_asked_for_and_is_taken_is_a_problem(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            with self.assertRaisesRegex(Problem, f"{port} is taken.*HEDDLE_PORT_AWS"):
                process.choose_port(Config(Path("/nowhere"), {"HEDDLE_PORT_AWS": str(port)}), "aws")

    def test_zero_takes_a_free_port(self):
        port = process.choose_port(Config(Path("/nowhere"), {"HEDDLE_PORT_AWS": "0"}), "aws")
        self.assertFalse(process.listening(port))


if __name__ == "__main__":
    unittest.main()
