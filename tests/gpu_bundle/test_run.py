#!/usr/bin/env python3
"""run.sh over programs that do as they should, and wrong calls of it.

usage: test_run.py PATH/run.sh
"""

import subprocess
import tarfile

import at_once
from run_test import MOST_LINES, RUN, RunTest  # finds the run's own modules
from fake_programs import chosen_tests, write_tree


class WhatRuns(RunTest):
    def test_all_is_well(self):
        tests = chosen_tests()
        result, parts = self.run_over(only=(), tests=tests)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertEqual(parts["tests"]["note"], f"{sum(map(len, tests.values()))} passed")
        self.assertEqual(parts["bench"]["result"], "passed")
        self.assertEqual([name for name, part in parts.items() if part["result"] == "failed"], [])
        self.assertTrue(self.whole_results()["finished"])
        table = result.stdout.splitlines()[-MOST_LINES:]
        self.assertIn("ceilings   float32: copy 3000 GB/s, products 50.00 Tflop/s", table)
        self.assertEqual([line.split() for line in table if line.startswith("least_squares/")],
                         [["least_squares/64x16/f32/b1000/both", "1", "ms", "50%", "1", "ms"]])

    def test_only_what_is_asked_for(self):
        result, parts = self.run_over(only=("bench",))
        self.assertEqual(result.returncode, 0)
        self.assertEqual(list(parts), ["machine", "bench"])

    def test_every_test_runs_once_however_many_there_are(self):
        names = [f"Suite.Case{k}" for k in range(100)]
        result, parts = self.run_over(tests={"some": dict.fromkeys(names, "pass"),
                                             "other": {"Other.One": "pass"}}, only=("tests",))
        self.assertEqual(result.returncode, 0)
        self.assertEqual(sorted(test["name"] for test in parts["tests"]["tests"]),
                         sorted([*names, "Other.One"]))
        self.assertEqual(parts["tests"]["note"], "101 passed")

    def test_without_a_gpu(self):
        result, parts = self.run_over(devices="cuda  none: no NVIDIA driver is installed")
        self.assertEqual(result.returncode, 3)
        self.assertEqual(result.stderr, "run.sh: no GPU: no NVIDIA driver is installed\n")
        self.assertEqual(list(parts), ["machine"])

    def test_wrong_calls(self):
        write_tree(self.folder / "build")
        for words in (["--only", "nothing"], ["--deadline", "soon"], ["--deadline", "1.5"],
                      ["--deadline", "nan"], ["--deadline", "inf"], ["--what"],
                      ["--build", str(self.folder)], ["--bundle", "/nowhere"],
                      ["--out", "/proc/version"], ["--out", "/proc/nowhere"]):
            with self.subTest(words=words):
                result = subprocess.run(self.command(*words), capture_output=True, text=True,
                                        env=self.env, timeout=20, check=False)
                self.assertEqual(result.returncode, 2)
                self.assertRegex(result.stderr, "^run.sh: .*\n$")
                self.assertEqual(list(self.folder.glob("matgrad-run.*")), [])

    def test_a_reader_who_is_gone_costs_nothing(self):
        write_tree(self.folder / "build")
        command = " ".join(self.command("--only", "tests"))
        for words in (command, f"bash {RUN} --list"):
            result = subprocess.run(["bash", "-c", f"set -o pipefail; {words} | head -1"], env=self.env,
                                    capture_output=True, text=True, timeout=20, check=False)
            self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertTrue(self.whole_results()["finished"])

    def test_a_temporary_folder_that_is_missing_or_full_is_passed_over(self):
        write_tree(self.folder / "build")
        for folder in (self.folder / "missing", "/proc/self"):
            result = subprocess.run(self.command("--only", "tests"), timeout=20, check=False,
                                    env={**self.env, "TMPDIR": str(folder)}, capture_output=True)
            self.assertEqual((result.returncode, result.stderr), (0, b""))

    def test_a_program_that_needs_the_device_alone_runs_alone(self):
        times = {name: "note times" for name in ("A.One", "A.Two", "A.Three")}
        result, parts = self.run_over(only=("tests",), tests={
            "some": dict(times), "hardware": {"H.One": "note times"}})
        self.assertEqual(parts["tests"]["note"], "4 passed")
        log = (self.out / "logs.tar.gz")
        spans = {}
        with tarfile.open(log) as archive:
            for member in archive:
                for line in archive.extractfile(member).read().decode().splitlines():
                    if line.startswith("ran "):
                        _, name, begun, ended = line.split()
                        spans[name] = (float(begun), float(ended))
        self.assertEqual(sorted(spans), ["A.One", "A.Three", "A.Two", "H.One"])
        self.assertGreaterEqual(spans["H.One"][0], max(spans[name][1] for name in times))

    def test_a_choice_of_tests_that_are_gone_is_a_failure(self):
        tests = chosen_tests()
        del tests["executors"]["Reduce.MaxKeepsNan"]
        result, parts = self.run_over(only=("memcheck",), tests=tests)
        self.assertEqual(result.returncode, 1)
        self.assertEqual(parts["memcheck"]["note"], "ValueError: executors has no test *Reduce.MaxKeepsNan*")

    def test_a_program_that_is_absent_is_named(self):
        write_tree(self.folder / "build")
        absent = self.folder / "build/tests/cublas_peer/matgrad_cpp_peers_simulated"
        absent.unlink()
        result = subprocess.run(self.command(), capture_output=True, text=True, env=self.env,
                                timeout=20, check=False)
        self.assertEqual(result.returncode, 1)
        self.assertIn(f"absent: {absent}", result.stdout)


if __name__ == "__main__":
    at_once.main()
