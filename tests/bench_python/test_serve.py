"""A library as a process that stays alive: prepared, measured and released by requests."""

import json
import os
import subprocess
import sys
import unittest

import paths

from small_cases import Known, all_cases

# A library that talks, in the place of NumPy's.
TALKATIVE = """
import sys
sys.path[:0] = [{peers!r}]
import with_numpy
class Library(with_numpy.Library):
    def __init__(self, threads, device):
        print("a library says hello")
        super().__init__(threads, device)
    def wait(self, result):
        print("and goes on talking")
with_numpy.Library = Library
import serve
sys.exit(serve.main())
"""


class Server(unittest.TestCase):
    def ask(self, *requests, peer="numpy", program=None):
        """The answers."""
        serve = [str(paths.ROOT / "bench" / "peers" / "serve.py")] if program is None else ["-c", program]
        done = subprocess.run(
            [sys.executable, *serve, "--peer", peer, "--threads", "1"], text=True, timeout=100, capture_output=True,
            input="".join(json.dumps(request) + "\n" for request in requests),
            env={**os.environ, "GLIBC_TUNABLES": ""})
        self.status, self.errors = done.returncode, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def setUp(self):
        self.case, function = next((case, function) for case, function in all_cases(types=("float64",))
                                   if case.outputs == "both" and case.batch == 300)
        self.prepare = {"do": "prepare", "row": {"case": self.case.entry, "copies": 2, "bytes": 8, "operations": 9},
                        "problems": list(Known(function).problems(self.case))}
        self.measure = {"do": "measure", "executor": "numpy", "seconds": 0.01}

    def test_a_row_is_measured_as_often_as_it_is_asked_for(self):
        answers = self.ask(self.prepare, self.measure, self.measure)
        self.assertEqual(len(answers), 3, self.errors)
        only, = answers[0]["rows"]
        self.assertTrue(only["ok"], only["error"])
        self.assertEqual((only["executor"], only["seconds"], only["copies"], only["bytes"]), ("numpy", None, 2, 8))
        self.assertLessEqual(only["residual"], only["residual_bound"])
        for times in answers[1:]:
            self.assertGreater(times["seconds"], 0)
            self.assertGreaterEqual(times["repeats"], 3)
        self.assertEqual(self.status, 0)

    def test_a_wrong_result_is_not_measured(self):
        for known in self.prepare["problems"]:
            known["f"] += 1
        wrong, refused = self.ask(self.prepare, self.measure)
        self.assertFalse(wrong["rows"][0]["ok"])
        self.assertGreater(wrong["rows"][0]["residual"], wrong["rows"][0]["residual_bound"])
        self.assertIn("KeyError", refused["error"])

    def test_after_a_release_nothing_is_ready(self):
        answers = self.ask(self.prepare, {"do": "release"}, self.measure, {"do": "about"})
        self.assertEqual(answers[1], {})
        self.assertIn("error", answers[2])
        self.assertEqual(answers[3]["tool"], "numpy")  # and it goes on

    def test_what_a_library_prints_is_no_answer(self):
        program = TALKATIVE.format(peers=str(paths.ROOT / "bench" / "peers"))
        answers = self.ask(self.prepare, program=program)
        self.assertEqual(len(answers), 1)
        self.assertIn("says hello\nand goes on talking", self.errors)

    def test_a_case_of_other_threads_is_not_offered(self):
        self.prepare["row"]["case"]["threads"] = 4
        self.assertEqual(self.ask(self.prepare), [{"rows": []}])

    def test_a_library_that_is_not_there_is_absent(self):
        try:
            import cupy  # noqa: F401
        except ImportError:
            self.assertEqual(self.ask(peer="cupy"), [])
            self.assertEqual(self.status, 3)
            self.assertIn("cupy is absent: ", self.errors)
        else:
            self.skipTest("CuPy is there")


if __name__ == "__main__":
    unittest.main()
