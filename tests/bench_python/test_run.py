"""The runner keeps to its budget, whatever a library does, and has a row for everything it was asked."""

import json
import os
import subprocess
import sys
import tempfile
import time
import unittest

import paths

import numpy as np

import with_numpy
from cases import Copies
from measure import enqueue_seconds, measure
from small_cases import Known, all_cases

# A library of NumPy's closed forms, and of a variant that does what the test says.
DRIVER = """
import sys, threading, types
sys.path[:0] = [{peers!r}]
import run
import with_numpy

class Odd:
    name = "odd"
    compiles = True

    def __init__(self):
        self.closed = with_numpy.ClosedForm(1)

    def offers(self, case):
        return True

    def ways(self, copies, text):
        ways = self.closed.ways(copies, text)
        first = threading.Event()

        def odd():
            {odd}

        return {{"odd": odd}}

class Library(with_numpy.Library):
    def __init__(self, threads, device):
        super().__init__(threads, device)
        self.variants = [with_numpy.ClosedForm(1), Odd()]
        {library}

module = types.ModuleType("with_numpy")
module.Library = Library
sys.modules["with_numpy"] = module
run.GRACE = 0.3
sys.exit(run.main())
"""
FOREVER = "threading.Event().wait(3600)"


class Runner(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        known = [(case, function) for case, function in all_cases(types=("float64",))
                 if case.outputs == "both" and case.batch == 1][:3]
        self.write("cases.json", {"suite": "s", "rows": [{"case": case.entry, "copies": 2}
                                                         for case, _ in known]})
        self.write("differentials.json", {"seed": Known.seed, "cases": {
            case.name: {"problems": list(Known(function).problems(case))}
            for case, function in known}})

    def write(self, name, content):
        with open(os.path.join(self.folder.name, name), "w", encoding="utf-8") as file:
            json.dump(content, file)

    def run_peer(self, budget, odd="pass", library="pass"):
        """(exit status, output, rows, seconds)"""
        driver = DRIVER.format(peers=str(paths.ROOT / "bench" / "peers"), odd=odd, library=library)
        start = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-c", driver, "--peer", "numpy", "--cases", "cases.json",
             "--differentials", "differentials.json", "--json", "out.json", "--seconds", "0.01",
             "--budget", str(budget), "--threads", "1"],
            cwd=self.folder.name, env={**os.environ, "GLIBC_TUNABLES": ""}, capture_output=True,
            text=True, timeout=100)
        seconds = time.monotonic() - start
        rows = []
        if os.path.exists(os.path.join(self.folder.name, "out.json")):
            with open(os.path.join(self.folder.name, "out.json"), encoding="utf-8") as file:
                rows = json.load(file)["rows"]
        return done.returncode, done.stdout + done.stderr, rows, seconds

    def test_a_call_that_does_not_return_costs_its_row_alone(self):
        status, output, rows, seconds = self.run_peer(5, odd=FOREVER)
        self.assertEqual(status, 0, output)
        self.assertLess(seconds, 60)  # the machine may be busy
        self.assertEqual([row["executor"] for row in rows], ["numpy", "odd"] * 3)
        self.assertTrue(rows[0]["ok"], rows[0]["error"])
        self.assertEqual(rows[1]["error"], "stopped: it took longer than the time that was left")
        self.assertEqual({row["error"] for row in rows[2:]},
                         {"not run: the time was used up"})
        self.assertIn("numpy: 6 rows, 5 without a time", output)

    def test_a_library_that_is_never_ready_is_absent(self):
        status, output, rows, _ = self.run_peer(1, library=FOREVER)
        self.assertEqual((status, rows), (3, []), output)
        self.assertIn("the time was used up before the library was ready", output)

    def test_what_the_first_run_took_longer_is_the_plan(self):
        odd = """
            if not first.is_set():
                first.set()
                threading.Event().wait(0.5)
            return ways["batched"]() if "batched" in ways else next(iter(ways.values()))()
        """.strip()
        status, output, rows, _ = self.run_peer(300, odd=odd)
        self.assertEqual(status, 0, output)
        for row in rows:
            self.assertTrue(row["ok"], row["error"])
            if row["executor"] == "odd":
                self.assertGreater(row["plan_seconds"], 0.3)
            else:
                self.assertIsNone(row["plan_seconds"])
            self.assertIsNone(row["enqueue_seconds"])  # of a GPU alone

    def test_without_time_nothing_is_run(self):
        status, _, rows, _ = self.run_peer(0.3, odd=FOREVER)
        if status == 0:  # else it ended before the library was there
            self.assertEqual(len(rows), 6)
            self.assertEqual(rows[-1]["error"], "not run: the time was used up")


class Measure(unittest.TestCase):
    def test_warms_up_for_a_time(self):
        made = []
        start = time.perf_counter()
        timing = measure(lambda: made.append(time.perf_counter() - start), lambda result: None, 0.01,
                         1e-4, shortest=1e-3, warm_up=0.2)
        self.assertGreater(sum(at < 0.2 for at in made), 10)
        self.assertGreater(made[-1], 0.2)
        self.assertGreaterEqual(timing.repeats, 3)

    def test_the_time_of_enqueueing_leaves_out_the_wait(self):
        waited = []

        def wait(results):
            waited.extend(results)
            time.sleep(0.002)

        seconds = enqueue_seconds(lambda: "result", wait)
        self.assertLess(seconds, 0.001)
        self.assertGreaterEqual(len(waited), 5)


class RecordedForms(unittest.TestCase):
    """PyTorch's graphs with a recorder that keeps the run."""

    def setUp(self):
        try:
            import with_torch
        except ImportError as absent:
            self.skipTest(str(absent))
        self.torch = with_torch
        self.library = with_torch.Library(1, "cpu")

    def test_every_copy_is_recorded_once_and_replayed(self):
        recorded = []
        variant = self.torch.Recorded(lambda run: recorded.append(run()) or run)
        for case, _ in all_cases(types=("float32",)):
            self.assertTrue(variant.offers(case))
            recorded.clear()
            ways = variant.ways(Copies(case, Known.seed, self.library), None)
            self.assertEqual(len(recorded), 2 * len(ways))
            self.assertTrue(set(ways).isdisjoint(self.torch.NOT_RECORDED), case.name)
            for run in ways.values():
                value, gradient = run()
                self.assertEqual(value is not None, case.wants_value)
                self.assertEqual(gradient is not None, case.wants_gradient)

    def test_after_a_refusal_nothing_is_tried(self):
        tried = []

        def refuse(run):
            tried.append(run)
            raise RuntimeError("operation not permitted")

        variant = self.torch.Recorded(refuse)
        case = next(iter(all_cases()))[0]
        copies = Copies(case, Known.seed, self.library)
        for _ in range(2):
            with self.assertRaisesRegex(RuntimeError, "operation not permitted"):
                variant.ways(copies, None)
        self.assertEqual(len(tried), 1)


class CopiesOfACase(unittest.TestCase):
    def test_a_variant_may_take_a_few_of_them(self):
        case = next(iter(all_cases()))[0]
        copies = Copies(case, Known.seed, with_numpy.Library(1, "cpu"))
        seen = []
        ways = copies.ways(lambda p: {"": lambda: seen.append(p)}, most=1)
        ways[""]()
        ways[""]()
        self.assertEqual(seen, [copies.problems[0]] * 2)
        self.assertTrue(np.array_equal(copies.problems[0]["X"], copies.problems[1]["X"]))


if __name__ == "__main__":
    unittest.main()
