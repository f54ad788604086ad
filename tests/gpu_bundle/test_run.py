#!/usr/bin/env python3
"""run.sh over programs that crash, hang and print garbage, and killed at random moments.

usage: test_run.py PATH/run.sh
"""

import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import unittest

RUN = sys.argv.pop()
sys.path.append(str(pathlib.Path(RUN).with_name("run")))

from fake_programs import RESULTS, chosen_tests, write_tree  # finds the run's own modules
MOST_LINES = 40
SLACK = 2  # seconds that a busy machine takes to start and end programs
# Parts that the fake tree has programs for.
WITH_PROGRAMS = ("tests", "bench", "cublas")


class RunTest(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory(prefix="run-test.")
        self.addCleanup(self.temporary.cleanup)
        self.folder = pathlib.Path(self.temporary.name)
        self.out = self.folder / "out"
        # What a run that is killed leaves behind goes with the folder.
        self.env = {**os.environ, "TMPDIR": str(self.folder)}

    def command(self, *options):
        return ["bash", RUN, "--simulated", str(self.folder / "build"), "--out", str(self.out),
                *options]

    def run_over(self, *options, only=WITH_PROGRAMS, **tree):
        """Runs over a fake tree. Returns the process and the parts by name."""
        write_tree(self.folder / "build", **tree)
        words = ["--only", *only] if only else []
        begun = time.monotonic()
        result = subprocess.run(self.command(*words, *options), capture_output=True, text=True,
                                env=self.env, timeout=60, check=False)
        self.seconds = time.monotonic() - begun
        return result, {part["part"]: part for part in self.whole_results()["parts"]}

    def whole_results(self):
        """The three files, each read to its end."""
        content = json.loads((self.out / "results.json").read_text(encoding="utf-8"))
        with tarfile.open(self.out / "logs.tar.gz") as archive:
            for member in archive:
                archive.extractfile(member).read()
        summary = (self.out / "summary.txt").read_text(encoding="utf-8")
        self.assertTrue(summary.endswith("failed\n"), summary)
        self.assertLessEqual(len(summary.splitlines()), MOST_LINES)
        return content


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
                      ["--what"], ["--build", str(self.folder)], ["--bundle", "/nowhere"]):
            with self.subTest(words=words):
                result = subprocess.run(self.command(*words), capture_output=True, text=True,
                                        env=self.env, timeout=20, check=False)
                self.assertEqual(result.returncode, 2)
                self.assertRegex(result.stderr, "run.sh: ")

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


class WhatGoesWrong(RunTest):
    def test_a_failure_is_told_with_its_first_line_and_runs_again(self):
        result, parts = self.run_over(tests={"some": {"Suite.One": "pass", "Suite.Two": "fail"}},
                                      only=("tests", "again", "bench"))
        self.assertEqual(result.returncode, 1)
        self.assertEqual(parts["tests"]["note"], "1 passed, 1 failed")
        self.assertEqual(parts["tests"]["failures"],
                         ["some: Suite.Two: failed: a_test.cpp:12: Expected equality of these values: 1 2"])
        self.assertEqual(parts["again"]["note"], "1 of 1 fail again")
        self.assertEqual(parts["bench"]["result"], "passed")
        self.assertIn("! tests: some: Suite.Two: failed", result.stdout)

    def test_a_crash_costs_one_test(self):
        cases = {f"Suite.Case{k}": "pass" for k in range(8)}
        cases["Suite.Case1"] = cases["Suite.Case5"] = "crash"
        result, parts = self.run_over(tests={"some": cases})
        self.assertEqual(result.returncode, 1)
        self.assertEqual(parts["tests"]["note"], "6 passed, 2 crashed")
        self.assertEqual(parts["tests"]["failures"],
                         ["some: Suite.Case1: crashed: crashed: SIGSEGV",
                          "some: Suite.Case5: crashed: crashed: SIGSEGV"])
        self.assertEqual(parts["bench"]["result"], "passed")

    def test_a_test_that_hangs_costs_one_test(self):
        result, parts = self.run_over("--deadline", "6", only=("tests",), tests={"some": {
            "Suite.One": "pass", "Suite.Two": "hang", "Suite.Three": "pass"}})
        self.assertEqual(result.returncode, 1)
        self.assertEqual(parts["tests"]["note"], "2 passed, 1 crashed")
        self.assertRegex(parts["tests"]["failures"][0], "Suite.Two: crashed: ended: no output for")
        self.assertLess(self.seconds, 6 + SLACK)

    def test_programs_that_hang_cost_their_parts(self):
        result, parts = self.run_over("--deadline", "5", bench="hang", peer=RESULTS)
        self.assertEqual(result.returncode, 1)
        self.assertEqual(parts["tests"]["result"], "passed")
        self.assertRegex(parts["bench"]["failures"][0], "ended: out of time")
        self.assertIn(parts["cublas"]["result"], ("passed", "late"))
        self.assertLess(self.seconds, 5 + SLACK)

    def test_programs_that_crash_cost_their_parts(self):
        result, parts = self.run_over(bench="crash", only=("bench", "cublas", "torch"))
        self.assertEqual(result.returncode, 1)
        self.assertRegex(parts["bench"]["failures"][0], "crashed: SIGABRT")
        self.assertEqual(parts["cublas"]["result"], "passed")
        self.assertEqual(parts["torch"]["note"], "bench left no cases")

    def test_garbage_instead_of_results(self):
        for garbage in ("", "{", "[1, 2]", "null", '{"rows": [1]}', '{"rows": [{"ok": true}]}',
                        '{"rows": [{"ok": true, "seconds": "soon", "case": {"name": "a"}}]}',
                        '{"rows": [{"ok": true, "seconds": 1, "case": {"name": "a"}}], "ceilings": 3}',
                        RESULTS[:-20]):
            with self.subTest(garbage=garbage):
                result, parts = self.run_over(bench=garbage, only=("bench", "cublas"))
                self.assertEqual(result.returncode, 1)
                self.assertEqual(parts["bench"]["result"], "failed")
                self.assertEqual(parts["cublas"]["result"], "passed")

    def test_garbage_in_the_output_of_tests(self):
        result, parts = self.run_over(tests={
            "some": {"Suite.One": "garbage", "Suite.Two": "pass"}}, only=("tests",))
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertEqual(parts["tests"]["note"], "2 passed")

    def test_output_without_end_is_ended_and_not_kept(self):
        result, parts = self.run_over(tests={
            "some": {"Suite.One": "flood"}, "other": {"Suite.Two": "pass"}}, only=("tests", "bench"))
        self.assertEqual(result.returncode, 1)
        self.assertEqual(parts["tests"]["failures"],
                         ["some: Suite.One: crashed: ended: more than 64 MiB of output"])
        self.assertEqual(parts["bench"]["result"], "passed")
        self.assertLess((self.out / "logs.tar.gz").stat().st_size, 1 << 20)

    def test_parts_without_time_are_named(self):
        result, parts = self.run_over("--deadline", "4", bench="hang", peer="hang",
                                      only=("bench", "cublas", "memcheck"))
        self.assertEqual(result.returncode, 1)
        self.assertEqual(parts["memcheck"]["result"], "late")
        self.assertEqual(parts["memcheck"]["note"], "no time left of 4 s")


class WhenStopped(RunTest):
    def processes(self):
        """Those whose command line has this test's folder in it."""
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            try:
                line = (entry / "cmdline").read_bytes() if entry.name.isdigit() else b""
            except OSError:
                continue
            if str(self.folder).encode() in line:
                found.append(int(entry.name))
        return found

    def begin(self, sleeps=False):
        """Starts a run over tests one of which hangs, and waits for its first results."""
        write_tree(self.folder / "build", tests={
            "some": {f"Suite.Case{k}": "sleep" if sleeps else "pass" for k in range(60)},
            "slow": {"Slow.One": "hang"}})
        process = subprocess.Popen(self.command("--deadline", "60"), env=self.env,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   start_new_session=True)
        results = self.out / "summary.txt"
        while not results.exists() and process.poll() is None:
            time.sleep(0.005)
        return process

    def wait_for_nobody(self):
        end = time.monotonic() + 8
        while self.processes() and time.monotonic() < end:
            time.sleep(0.05)
        self.assertEqual(self.processes(), [])

    def test_ten_kills_leave_whole_results_and_no_process(self):
        moments = random.Random(1)
        for _ in range(10):
            process = self.begin()
            time.sleep(moments.uniform(0, 1.5))
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            content = self.whole_results()
            self.assertFalse(content["finished"])
            self.assertLess(len(content["parts"]), 13)
            for partial in self.out.glob("*.partial"):
                partial.unlink()
            (self.out / "summary.txt").unlink()
        self.wait_for_nobody()

    def test_what_long_tests_have_given_so_far_is_there(self):
        process = self.begin(sleeps=True)
        end = time.monotonic() + 30
        while '"running"' not in (self.out / "results.json").read_text() and time.monotonic() < end:
            time.sleep(0.1)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        part = self.whole_results()["parts"][-1]
        self.assertEqual((part["part"], part["result"]), ("tests", "running"))
        self.assertRegex(part["note"], "^[1-9][0-9]* passed, .* not run$")
        self.wait_for_nobody()

    def test_asked_to_end_it_tells_what_there_is(self):
        process = self.begin()
        time.sleep(1)
        process.terminate()
        self.assertEqual(process.wait(15), 1)
        content = self.whole_results()
        self.assertEqual(content["parts"][-1]["note"], "stopped: SIGTERM")
        self.wait_for_nobody()


if __name__ == "__main__":
    unittest.main()
