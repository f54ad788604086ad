#!/usr/bin/env python3
"""run.sh killed at random moments, and asked to end.

usage: test_stopped_run.py PATH/run.sh
"""

import json
import os
import random
import signal
import subprocess
import time

import at_once
from run_test import RunTest  # finds the run's own modules
from fake_programs import processes_of, write_tree


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

    def wait_for_part(self, name):
        """Until the part has begun: a busy machine takes its time."""
        end = time.monotonic() + 30
        while time.monotonic() < end:
            parts = json.loads((self.out / "results.json").read_text(encoding="utf-8"))["parts"]
            if parts and parts[-1]["part"] == name:
                return
            time.sleep(0.05)
        self.fail(f"part {name} has not begun")

    def wait_for_nobody(self):
        end = time.monotonic() + 8
        while processes_of(self.folder) and time.monotonic() < end:
            time.sleep(0.05)
        self.assertEqual(processes_of(self.folder), [])

    def kill_often(self, moments):
        for _ in range(5):
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

    def test_five_kills_leave_whole_results_and_no_process(self):
        self.kill_often(random.Random(1))

    def test_nor_do_five_more(self):
        self.kill_often(random.Random(2))

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
        # timeout(1) loses its child if it is told to end while it makes that: the child has to be there.
        while time.monotonic() < end and not processes_of(self.folder / "build/tests/simulated_gpu/matgrad_simulated"):
            time.sleep(0.02)
        time.sleep(0.2)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        part = self.whole_results()["parts"][-1]
        self.assertEqual((part["part"], part["result"]), ("bench", "running"))
        self.wait_for_nobody()

    def test_nothing_outlives_the_shell(self):
        process = self.begin(sleeps=True)
        self.wait_for_part("tests")
        time.sleep(0.5)
        process.kill()
        process.wait()
        self.wait_for_nobody()
        self.assertEqual(self.whole_results()["parts"][-1]["note"], "stopped: SIGTERM")

    def test_asked_to_end_it_tells_what_there_is(self):
        process = self.begin()
        self.wait_for_part("tests")
        time.sleep(1)
        process.terminate()
        self.assertEqual(process.wait(15), 1)
        content = self.whole_results()
        self.assertEqual(content["parts"][-1]["note"], "stopped: SIGTERM")
        self.wait_for_nobody()


if __name__ == "__main__":
    at_once.main()
