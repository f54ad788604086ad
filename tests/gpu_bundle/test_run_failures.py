#!/usr/bin/env python3
"""run.sh over programs that crash, hang and print garbage.

usage: test_run_failures.py PATH/run.sh
"""

import json
import signal
import subprocess
import sys

import at_once
from run_test import RunTest, SLACK  # finds the run's own modules
from fake_programs import RESULTS, write_program

GIVE_UP = 3  # seconds that a process is given to be gone
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
        self.assertRegex(parts["tests"]["note"], "^34 passed, 1 (crashed|not run)$")
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


if __name__ == "__main__":
    at_once.main()
