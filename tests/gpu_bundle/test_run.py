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

from fake_programs import RESULTS, chosen_tests, processes_of, write_program, write_tree  # finds the run's own modules
MOST_LINES = 40
GIVE_UP = 3  # seconds that a process is given to be gone
SLACK = 2  # seconds that a busy machine takes to start and end programs
STUBBORN = """#!%s
import signal, subprocess, sys, time
for number in (signal.SIGTERM, signal.SIGALRM):
    signal.signal(number, signal.SIG_IGN)
if sys.argv[1].startswith("--kill-after"):
    sys.exit(subprocess.run(sys.argv[3:]).returncode)
""" % sys.executable
PROBE = """#!{python}
import sys
with open(sys.argv[sys.argv.index("--json") + 1], "w") as file:
    file.write({text!r})
print("gpu_probe says so")
sys.exit({status})
"""
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

    def test_what_fails_again_is_only_then_looked_at_with_launches_waited_for(self):
        _, parts = self.run_over(only=("tests", "again"), tests={"some": {
            "Suite.One": "fail at first", "Suite.Two": "fail if launches are waited for",
            "Suite.Three": "fail"}})
        self.assertEqual(parts["tests"]["note"], "1 passed, 2 failed")
        self.assertEqual(parts["again"]["again"], [
            "some: Suite.One: again: passes", "some: Suite.Three: again: exit status 1",
            "some: Suite.Three: each launch waited for: exit status 1"])

    def test_a_program_that_cannot_be_killed_is_given_up(self):
        # timeout(1) waits for a process that is within the driver as long as that stays there.
        write_program(self.folder / "tools/timeout", STUBBORN)
        self.env["PATH"] = f"{self.folder}/tools:{self.env['PATH']}"
        result, parts = self.run_over("--deadline", "6", bench="hang", only=("bench", "memcheck"))
        self.assertEqual(result.returncode, 1)
        self.assertRegex(parts["bench"]["failures"][0], "could not be killed")
        self.assertLess(self.seconds, 6 + GIVE_UP + SLACK)

    def test_jobs_share_the_time_of_their_part(self):
        # Each by itself would have all of it.
        result, parts = self.run_over("--deadline", "6", only=("tests", "again"), tests={
            f"t{k}": {"Suite.One": "chatter"} for k in range(12)})
        self.assertEqual(result.returncode, 1)
        self.assertLess(self.seconds, 6 + SLACK)

    def test_a_job_that_begins_late_has_what_is_left_of_its_part(self):
        seconds = {f"Suite.Case{k}": "sleep" for k in range(17)}
        _, parts = self.run_over("--deadline", "8", only=("tests",), tests={
            "one": seconds, "two": seconds, "three": {"Suite.One": "chatter"}})
        self.assertEqual(parts["tests"]["note"], "34 passed, 1 crashed")
        self.assertLess(self.seconds, 8 + SLACK)

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
        result, parts = self.run_over("--deadline", "8", only=("tests",), tests={"some": {
            "Suite.One": "pass", "Suite.Two": "hang", "Suite.Three": "pass"}})
        self.assertEqual(result.returncode, 1)
        self.assertEqual(parts["tests"]["note"], "2 passed, 1 crashed")
        self.assertRegex(parts["tests"]["failures"][0], "Suite.Two: crashed: ended: no output for")
        self.assertLess(self.seconds, 8 + SLACK)

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


    def test_refused_graphs_of_a_peer_are_a_note_and_ours_a_failure(self):
        rows = json.loads(RESULTS)
        rows["rows"].append({**rows["rows"][0], "executor": "cuda, graph", "ok": False,
                             "residual": None, "error": "cannot be captured"})
        refused = json.dumps(rows)
        result, parts = self.run_over(bench=refused, peer=refused, only=("bench", "cublas"))
        self.assertEqual(parts["bench"]["failures"],
                         ["least_squares/64x16/f32/b1000/both: cannot be captured"])
        self.assertEqual(parts["cublas"]["result"], "passed")
        self.assertEqual(parts["cublas"]["note"],
                         "1 of 2 rows timed, 1 graphs refused: cannot be captured")

    def test_times_of_graphs_are_marked_and_rows_without_time_noted(self):
        rows = json.loads(RESULTS)
        rows["rows"].append({**rows["rows"][0], "executor": "cuda, graph", "seconds": 5e-4})
        rows["left_out"] = ["some case (cuda)"]
        result, parts = self.run_over(bench=json.dumps(rows), only=("bench", "cublas"))
        self.assertEqual(result.returncode, 0)
        self.assertRegex(parts["bench"]["note"], "1 not begun for want of time$")
        self.assertRegex(result.stdout, r"\nleast_squares/64x16/f32/b1000/both +500 us g +50% +1 ms\n")

    def test_what_the_probe_calls_wrong_is_a_failure(self):
        fact = {"name": "lu.zero", "call": "getrf", "answer": "info 0"}
        part = {"name": "lu", "state": "done", "facts": [fact]}
        late = {"name": "late", "state": "not run", "why": "no time", "facts": []}
        broken = {"name": "qr", "state": "failed", "why": "crashed: SIGSEGV", "facts": []}
        for verdict, parts, status, result, failures, note in (
                (None, [part], 0, "passed", [], ""),
                ("ok", [part, late], 1, "passed", [], "1 of 2 not run for want of time"),
                ("surprising", [part], 0, "passed", [], "1 surprising"),
                ("wrong", [part], 0, "failed", ["lu.zero: info 0"], ""),
                ("ok", [part, broken], 1, "failed", ["qr: crashed: SIGSEGV"], ""),
                ("ok", [part], 3, "failed", ["exit status 3: gpu_probe says so"], ""),
                ("ok", [part], 1, "failed", ["exit status 1: gpu_probe says so"], "")):
            with self.subTest(verdict=verdict, parts=len(parts), status=status):
                if verdict:
                    fact["verdict"] = verdict
                content = {"parts": parts, "summary": ["R1 handles across streams: same bits",
                                                       "R2 errors: sticky"]}
                write_program(self.folder / "build/tests/gpu_probe/simulated_gpu_probe", PROBE.format(
                    python=sys.executable, text=json.dumps(content), status=status))
                run, found = self.run_over(only=("probe",))
                self.assertEqual(found["probe"]["result"], result)
                self.assertEqual(found["probe"]["failures"], failures)
                self.assertEqual(found["probe"]["note"], note)
                self.assertEqual(run.returncode, 1 if failures else 0)
                self.assertIn("\nR1 handles across streams: same bits; R2 errors: sticky\n", run.stdout)


class WhenStopped(RunTest):
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
        while processes_of(self.folder) and time.monotonic() < end:
            time.sleep(0.05)
        self.assertEqual(processes_of(self.folder), [])

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
        while " not run" not in (self.out / "results.json").read_text() and time.monotonic() < end:
            time.sleep(0.1)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        part = self.whole_results()["parts"][-1]
        self.assertEqual((part["part"], part["result"]), ("tests", "running"))
        self.assertRegex(part["note"], "^[1-9][0-9]* passed, .* not run$")
        self.wait_for_nobody()

    def test_the_part_that_runs_is_told_of_one_that_is_killed(self):
        write_tree(self.folder / "build", bench="hang")
        process = subprocess.Popen(self.command("--only", "bench"), env=self.env,
                                   stdout=subprocess.DEVNULL, start_new_session=True)
        results = self.out / "results.json"
        end = time.monotonic() + 20
        while time.monotonic() < end and not (results.exists() and '"bench"' in results.read_text()):
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        part = self.whole_results()["parts"][-1]
        self.assertEqual((part["part"], part["result"]), ("bench", "running"))
        self.wait_for_nobody()

    def test_nothing_outlives_the_shell(self):
        process = self.begin()
        time.sleep(0.5)
        process.kill()
        process.wait()
        self.wait_for_nobody()
        self.assertEqual(self.whole_results()["parts"][-1]["note"], "stopped: SIGTERM")

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
