#!/usr/bin/env python3
"""bench/median: of several runs, row by row the median; a failure is not outvoted.

usage: median_test.py PATH/median
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

MEDIAN = sys.argv.pop()


def run(seconds, copy_rate=10e9):
    """One float row of 1 GB for each time; None fails."""
    rows = [{"case": {"name": f"row {k}", "type": "float32"}, "executor": "cpu",
             "ok": time is not None, "error": None if time is not None else "FAIL",
             "seconds": time, "bytes": 1e9, "operations": 1e9, "bound_seconds": 0,
             "percent_of_bound": 0} for k, time in enumerate(seconds)]
    return {"command": "matgrad bench", "rows": rows,
            "ceilings": {"float32": {"copy_bytes_per_s": copy_rate,
                                     "multiply_add_flops_per_s": 100e9}}}


class Median(unittest.TestCase):
    def merge(self, *runs):
        with tempfile.TemporaryDirectory() as folder:
            paths = [pathlib.Path(folder) / f"{k}.json" for k in range(len(runs) + 1)]
            for path, content in zip(paths[1:], runs):
                path.write_text(json.dumps(content), encoding="utf-8")
            result = subprocess.run([sys.executable, MEDIAN, *map(str, paths)],
                                    capture_output=True, text=True, check=False)
            merged = paths[0].read_text(encoding="utf-8") if paths[0].exists() else "null"
            return result, json.loads(merged)

    def test_each_row_is_the_median_of_its_own(self):
        _, merged = self.merge(run([1, 5, 2]), run([2, 4, 9]), run([3, 6, 1]))
        self.assertEqual([row["seconds"] for row in merged["rows"]], [2, 5, 2])
        self.assertIn("median of 3 runs", merged["command"])

    def test_of_two_the_slower_counts(self):
        _, merged = self.merge(run([1, 5]), run([2, 4]))
        self.assertEqual([row["seconds"] for row in merged["rows"]], [2, 5])

    def test_a_failure_is_not_outvoted(self):
        _, merged = self.merge(run([1]), run([None]), run([2]))
        self.assertFalse(merged["rows"][0]["ok"])
        self.assertIsNone(merged["rows"][0]["seconds"])

    def test_bounds_are_those_of_the_machine_left_alone(self):
        _, merged = self.merge(run([1]), run([0.5], copy_rate=20e9), run([0.25]))
        self.assertEqual(merged["ceilings"]["float32"]["copy_bytes_per_s"], 20e9)
        self.assertAlmostEqual(merged["rows"][0]["bound_seconds"], 0.05)
        self.assertAlmostEqual(merged["rows"][0]["percent_of_bound"], 10)

    def test_a_bound_by_reading_or_computing_in_double_is_that_of_its_own_rate(self):
        content = run([1, 1])
        for rates, flops in (("float32", 100e9), ("float64", 50e9)):
            content["ceilings"][rates] = {"copy_bytes_per_s": 50e9, "read_bytes_per_s": 20e9,
                                          "multiply_add_flops_per_s": flops}
        content["rows"][0].update(bytes_read=0.9e9, double_operations=0)
        content["rows"][1].update(bytes_read=0, operations=3e9, double_operations=2e9)
        _, merged = self.merge(content, content)
        self.assertAlmostEqual(merged["rows"][0]["bound_seconds"], 0.9 / 20)
        self.assertAlmostEqual(merged["rows"][1]["bound_seconds"], 1 / 100 + 2 / 50)

    def test_runs_of_different_suites_are_refused(self):
        result, merged = self.merge(run([1]), run([1, 2]))
        self.assertEqual(result.returncode, 1)
        self.assertIn("different rows", result.stderr)
        self.assertIsNone(merged)


if __name__ == "__main__":
    unittest.main()
