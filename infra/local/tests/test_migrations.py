import datetime
import unittest

from stack.config import Problem
from stack.migrations import file_name

NOW = datetime.datetime(2026, 11, 21, 23, 59)


class FileNameTest(unittest.TestCase):
    def test_a_migration_is_named_by_its_minute(self):
        self.assertEqual(file_name("add_colours", NOW, ["202611211800_x.sql"]), "202611212359_add_colours.sql")
        self.assertEqual(file_name("add_colours", NOW, []), "202611212359_add_colours.sql")

    def test_numbers_only_grow(self):
        self.assertEqual(file_name("two", NOW, ["202611212359_one.sql"]), "202611220000_two.sql")
        self.assertEqual(file_name("two", NOW, ["203001010000_one.sql", "202601010000_old.sql"]), "203001010001_two.sql")

    def test_a_name_says_something_and_nothing_else(self):
        for name in ("", "ab", "Add", "../../x", "add colours", "1st"):
            with self.assertRaises(Problem):
                file_name(name, NOW, [])


if __name__ == "__main__":
    unittest.main()
