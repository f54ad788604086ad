#!/usr/bin/env python3
"""That compare.py finds what has changed, what is new and what is gone, and nothing else."""

import pathlib
import tempfile
import unittest

import compare


class Changes(unittest.TestCase):
    def changes(self, kept, made):
        with tempfile.TemporaryDirectory() as folder:
            for side, files in (("kept", kept), ("made", made)):
                path = pathlib.Path(folder) / side
                path.mkdir()
                for name, text in files.items():
                    (path / name).write_text(text)
            root = pathlib.Path(folder)
            return list(compare.changes(root / "kept", root / "made"))

    def test_equal_texts_have_none(self):
        text = {"a.txt": "==== one\nx\n==== two\ny\n"}
        self.assertEqual(self.changes(text, text), [])

    def test_a_changed_line_is_shown_under_its_heading(self):
        found = self.changes({"a.txt": "==== one\nx\n==== two\ny\n"}, {"a.txt": "==== one\nx\n==== two\nz\n"})
        self.assertEqual(len(found), 1)
        self.assertIn("a.txt: 'two' changed", found[0])
        self.assertIn("-y\n+z", found[0])

    def test_new_and_missing_cases_and_files_are_found(self):
        self.assertEqual(len(self.changes({"a.txt": "==== one\nx\n"}, {})), 1)
        self.assertEqual(len(self.changes({}, {"a.txt": "==== one\nx\n==== two\ny\n"})), 2)

    def test_headings_of_one_file_do_not_hide_another(self):
        found = self.changes({"a.txt": "==== one\nx\n", "b.txt": "==== one\nx\n"},
                             {"a.txt": "==== one\nx\n", "b.txt": "==== one\ny\n"})
        self.assertEqual([change.split("\n")[0] for change in found], ["b.txt: 'one' changed"])


if __name__ == "__main__":
    unittest.main()
