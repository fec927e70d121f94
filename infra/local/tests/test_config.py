"""Settings: what is read, what wins, what is refused."""

import tempfile
import unittest
from pathlib import Path

from stack import postgres
from stack.config import Config, Problem, digest, read_env_file


def settings(**values: str) -> Config:
    return Config(Path("/nowhere"), values)


class EnvFile(unittest.TestCase):
    def test_comments_quotes_and_export_are_understood(self):
        with tempfile.NamedTemporaryFile("w") as file:
            file.write("# a comment\n\nexport A=1\nB = \"two words\"\n#C=3\nD=x=y\nno equals sign\n")
            file.flush()
            self.assertEqual(read_env_file(Path(file.name)), {"A": "1", "B": "two words", "D": "x=y"})

    def test_a_missing_file_says_nothing(self):
        self.assertEqual(read_env_file(Path("/nowhere/.env")), {})


class Ports(unittest.TestCase):
    def test_a_port_is_asked_for_by_name(self):
        self.assertEqual(settings(HEDDLE_PORT_AWS="4600").asked_port("aws"), 4600)
        self.assertIsNone(settings(HEDDLE_PORT_AWS="4600").asked_port("postgres"))

    def test_what_is_no_port_is_refused_with_its_name(self):
        for text in ("http", "70000", "-1", "4566.0"):
            with self.assertRaisesRegex(Problem, "HEDDLE_PORT_AWS"):
                settings(HEDDLE_PORT_AWS=text).asked_port("aws")

    def test_a_throwaway_stack_takes_free_ports_and_its_own_database(self):
        throwaway = Config(Path("/nowhere"), {"HEDDLE_PORT_AWS": "4600", "DATABASE_URL": "postgres://precious"}, throwaway=True)
        self.assertEqual(throwaway.asked_port("aws"), 0)
        self.assertIsNone(throwaway.database_url)


class Durability(unittest.TestCase):
    def test_only_a_throwaway_stack_that_nobody_measures_loses_what_it_committed(self):
        def fsync(**how: bool) -> "str | None":
            return postgres.options(Config(Path("/nowhere"), {}, **how), 1).get("fsync")

        self.assertEqual(fsync(throwaway=True), "off")
        self.assertIsNone(fsync())
        self.assertIsNone(fsync(throwaway=True, durable=True))


class Digest(unittest.TestCase):
    def test_parts_do_not_run_together(self):
        self.assertNotEqual(digest("ab", "c"), digest("a", "bc"))
        self.assertEqual(digest("a", b"b"), digest(b"a", "b"))


if __name__ == "__main__":
    unittest.main()
