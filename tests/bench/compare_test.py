#!/usr/bin/env python3
"""bench/compare: an injected slowdown is flagged, noise within the spread is not.

usage: compare_test.py PATH/compare
"""

import copy
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import unittest

COMPARE = sys.argv.pop()


def row(name, samples):
    samples = sorted(samples)
    count = len(samples)
    return {"case": {"name": name}, "executor": "cpu", "ok": True, "error": None,
            "seconds": samples[count // 2], "low": samples[count // 4],
            "high": samples[3 * count // 4]}


def noisy_run(seed):
    """Twenty rows of 41 samples each, 10% of noise either way."""
    noise = random.Random(seed)
    return {"rows": [row(f"row {k}", [(k + 1) * 1e-3 * noise.uniform(0.9, 1.1) for _ in range(41)])
                     for k in range(20)]}


class Compare(unittest.TestCase):
    def run_on(self, old, new, *options):
        with tempfile.TemporaryDirectory() as folder:
            paths = []
            for name, content in (("old.json", old), ("new.json", new)):
                paths.append(pathlib.Path(folder) / name)
                text = content if isinstance(content, str) else json.dumps(content)
                paths[-1].write_text(text, encoding="utf-8")
            return subprocess.run([sys.executable, COMPARE, *map(str, paths), *options],
                                  capture_output=True, text=True, check=False)

    def test_noise_within_the_spread_is_no_change(self):
        for seed in range(20):
            result = self.run_on(noisy_run(2 * seed), noisy_run(2 * seed + 1))
            self.assertEqual(result.returncode, 0, result.stdout)
            self.assertIn("20 rows in both: 0 slower or failing, 0 faster", result.stdout)

    def test_a_slowdown_of_20_percent_is_flagged_in_its_row_alone(self):
        new = noisy_run(2)
        for key in ("seconds", "low", "high"):
            new["rows"][7][key] *= 1.2
        result = self.run_on(noisy_run(1), new)
        self.assertEqual(result.returncode, 1)
        self.assertIn("row 7 (cpu)", result.stdout)
        self.assertIn("1 slower or failing, 0 faster", result.stdout)

    def test_what_is_faster_is_told_and_no_failure(self):
        new = noisy_run(2)
        for key in ("seconds", "low", "high"):
            new["rows"][3][key] *= 0.7
        result = self.run_on(noisy_run(1), new)
        self.assertEqual(result.returncode, 0)
        self.assertIn("faster", result.stdout)
        self.assertIn("row 3 (cpu)", result.stdout)

    def test_a_row_that_now_fails_is_flagged(self):
        old = noisy_run(1)
        new = copy.deepcopy(old)
        new["rows"][5].update(ok=False, error="residual 1 exceeds its bound 0.1", seconds=None,
                              low=None, high=None)
        result = self.run_on(old, new)
        self.assertEqual(result.returncode, 1)
        self.assertIn("FAILS   row 5 (cpu): residual 1", result.stdout)
        self.assertEqual(self.run_on(new, old).returncode, 0)

    def test_files_that_are_no_results_are_a_wrong_call(self):
        for bad in ("{", "[]", '{"rows": 3}'):
            result = self.run_on(noisy_run(1), bad)
            self.assertEqual(result.returncode, 2)
            self.assertEqual(len(result.stderr.splitlines()), 1)
        other = {"rows": [row("another", [1, 2, 3])]}
        self.assertEqual(self.run_on(noisy_run(1), other).returncode, 2)


if __name__ == "__main__":
    unittest.main()
