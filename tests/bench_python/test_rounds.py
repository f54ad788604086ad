"""Rows go through all contenders in rounds; who hangs or dies costs nobody else a row."""

import itertools
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import paths

import load
import order
import row

FAKE = str(pathlib.Path(__file__).resolve().parent / "fake_contender.py")


class Rounds(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = pathlib.Path(self.folder.name)

    def run_rounds(self, does, *words):
        """(exit status, output) of a run with contenders that do so; `matgrad` is one of them."""
        for name, what in does.items():
            (self.path / f"{name}.json").write_text(json.dumps(what), encoding="utf-8")
        peers = [word for name in does if name != "matgrad" for word in ("--peer", name)]
        done = subprocess.run(
            [sys.executable, str(paths.ROOT / "bench" / "rounds"), "--out", str(self.path / "out"), "--cpp", FAKE,
             "--python", FAKE, "--seconds", "0.01", "--rounds", "3", *peers, *words],
            env={**os.environ, "FAKES": self.folder.name}, capture_output=True, text=True, timeout=100)
        return done.returncode, done.stdout + done.stderr

    def results(self, name):
        return json.loads((self.path / "out" / f"{name}.json").read_text(encoding="utf-8"))

    def asked(self, what):
        lines = (self.path / "asked").read_text(encoding="utf-8").splitlines()
        return [(name, case) for name, did, case in map(json.loads, lines) if did == what]

    def test_every_round_of_a_row_has_every_contender_and_a_row_ends_before_the_next_begins(self):
        status, output = self.run_rounds({"matgrad": {"seconds": 1e-3, "cases": ["a", "b"]},
                                          "eigen": {"seconds": 4e-3}, "numpy": {"seconds": 2e-3}})
        self.assertEqual(status, 0, output)
        asked = self.asked("measure")
        self.assertEqual([case for _, case in asked], ["a"] * 9 + ["b"] * 9)
        for first in range(0, 18, 3):
            self.assertEqual({name for name, _ in asked[first:first + 3]}, {"matgrad", "eigen", "numpy"})
        self.assertEqual(len({asked[first][0] for first in (0, 3, 6)}), 3)  # each is the first once
        for name, seconds in (("matgrad", 1e-3), ("eigen", 4e-3), ("numpy", 2e-3)):
            own = self.results(name)["rows"][0]
            self.assertEqual((own["seconds"], own["rounds"], own["repeats"]), (seconds, [seconds] * 3, 21))
        ours = self.results("matgrad")
        self.assertEqual(ours["rows"][0]["percent_of_bound"], 100 * 1e-6 / 1e-3)
        self.assertEqual(ours["ceilings"]["float32"]["read_bytes_per_s"], 9e9)
        self.assertEqual(ours["left_out"], [])
        self.assertEqual([s["where"] for s in ours["load"]["samples"]], ["start", "before", "a", "b"])
        self.assertEqual(self.results("absent"), {})

    def test_a_peer_that_hangs_costs_its_row_alone(self):
        status, output = self.run_rounds({"matgrad": {"seconds": 1e-3, "cases": ["a", "b", "c"]},
                                          "jax": {"seconds": 1e-3, "hangs": ["b"]}, "eigen": {"seconds": 1e-3}},
                                         "--patience", "2")
        self.assertEqual(status, 0, output)
        self.assertEqual([one["ok"] for one in self.results("jax")["rows"]], [True, False, True])
        self.assertEqual(self.results("jax")["rows"][1]["error"], "no answer within 2 s")
        for name in ("matgrad", "eigen"):
            self.assertTrue(all(one["ok"] for one in self.results(name)["rows"]), name)
        self.assertEqual(self.results("absent"), {"jax, in part": "no answer within 2 s"})

    def test_a_peer_that_dies_again_and_again_is_absent(self):
        cases = ["a", "b", "c", "d", "e"]
        status, output = self.run_rounds({"matgrad": {"seconds": 1e-3, "cases": cases},
                                          "eigen": {"seconds": 1e-3, "dies": cases}})
        self.assertEqual(status, 0, output)
        self.assertEqual(self.results("absent"),
                         {"eigen, in part": "lost 3 times, last: ended by signal 9"})
        self.assertEqual(len(self.results("eigen")["rows"]), 3)  # then it is not asked any more
        self.assertEqual(len(self.results("matgrad")["rows"]), 5)

    def test_only_the_rows_that_are_asked_for(self):
        self.run_rounds({"matgrad": {"seconds": 1e-3, "cases": ["ab", "bc", "cd"]}}, "--filter", "b")
        self.assertEqual([one["case"]["name"] for one in self.results("matgrad")["rows"]], ["ab", "bc"])

    def test_a_peer_that_is_never_there_says_why(self):
        status, output = self.run_rounds({"matgrad": {"seconds": 1e-3, "cases": ["a"]},
                                          "libxsmm": {"absent": "libxsmm: absent when this was built"}})
        self.assertEqual(status, 0, output)
        self.assertEqual(self.results("absent"), {"libxsmm": "libxsmm: absent when this was built"})
        self.assertFalse((self.path / "out" / "libxsmm.json").exists())

    def test_a_short_budget_measures_fewer_rows_with_all_peers(self):
        cases = [f"row {k}" for k in range(16)]
        status, output = self.run_rounds({"matgrad": {"seconds": 1e-3, "cases": cases, "sleeps": 0.2},
                                          "eigen": {"seconds": 1e-3}}, "--budget", "4")
        self.assertEqual(status, 0, output)
        ours, theirs = self.results("matgrad"), self.results("eigen")
        measured = [one["case"]["name"] for one in ours["rows"]]
        self.assertEqual(measured, [one["case"]["name"] for one in theirs["rows"]])
        self.assertEqual(sorted(measured + ours["left_out"]), sorted(cases))
        self.assertIn(len(measured), range(1, 16))
        self.assertEqual(measured, sorted(measured, key=cases.index))

    def test_who_is_slow_sits_out_the_further_rounds(self):
        self.run_rounds({"matgrad": {"seconds": 1e-3, "cases": ["a"]}, "jax": {"seconds": 3.5, "sleeps": 3.1}})
        own = self.results("jax")["rows"][0]
        self.assertEqual((own["ok"], own["rounds"]), (True, [3.5]))
        self.assertEqual(len(self.results("matgrad")["rows"][0]["rounds"]), 3)

    def test_a_wrong_result_has_no_time_and_is_a_failure_only_of_matgrad(self):
        does = {"matgrad": {"seconds": 1e-3, "cases": ["a", "b"]}, "eigen": {"seconds": 1e-3, "wrong": "a"}}
        self.assertEqual(self.run_rounds(does)[0], 0)
        self.assertIsNone(self.results("eigen")["rows"][0]["seconds"])
        does["matgrad"]["wrong"] = "b"
        self.assertEqual(self.run_rounds(does)[0], 1)

    def test_what_a_peer_does_not_offer_has_no_row(self):
        self.run_rounds({"matgrad": {"seconds": 1e-3, "cases": ["a", "b"]},
                         "eigen": {"seconds": 1e-3, "offers_not": ["a"]}})
        self.assertEqual([one["case"]["name"] for one in self.results("eigen")["rows"]], ["b"])


class Asked:
    """A contender in this process that offers a row of 1 GB."""

    absent = None

    def __init__(self, name):
        self.name = name
        self.asked = []

    def ask(self, what):
        self.asked.append(what["do"])
        if what["do"] == "measure":
            return {"seconds": 1.0, "repeats": 5}
        return {"problems": [], "rows": [{"case": {"name": "a"}, "executor": self.name, "ok": True, "bytes": 1e9,
                                          "operations": 0, "copies": 1}]}


class Memory(unittest.TestCase):
    def test_a_peer_that_the_memory_does_not_hold_is_not_asked(self):
        left = [3e9, 1.9e9]
        real = row.available_memory
        row.available_memory = lambda: left.pop(0)
        self.addCleanup(setattr, row, "available_memory", real)
        ours, one, other = (Asked(name) for name in ("matgrad", "eigen", "numpy"))
        rows = row.measure_row("a", ours, [one, other], row.Pace(0.1, 3))
        self.assertTrue(rows[ours][0]["ok"] and rows[one][0]["ok"])
        self.assertEqual(rows[other][0]["error"], "not run: the memory does not hold it beside the others")
        self.assertNotIn("measure", other.asked)

    def test_memory_is_what_the_kernel_says(self):
        self.assertGreater(row.available_memory(), 1e7)


class Order(unittest.TestCase):
    def test_every_beginning_is_spread_over_the_suite(self):
        for count in (1, 2, 5, 60, 67):
            self.assertEqual(sorted(order.spread(count)), list(range(count)))
        for part in (8, 16, 32):
            reached = sorted(order.spread(60)[:part])
            gaps = [b - a for a, b in itertools.pairwise(reached)]
            self.assertLessEqual(max(gaps), 2 * 64 // part)

    def test_no_contender_always_follows_the_same(self):
        rounds = [order.turns(["a", "b", "c"], k) for k in range(4)]
        self.assertEqual(rounds[:2], [["a", "b", "c"], ["b", "a", "c"]])
        self.assertEqual([len(set(one)) for one in rounds], [3] * 4)
        self.assertEqual(order.turns([], 1), [])


class Load(unittest.TestCase):
    def test_ticks_are_read_from_the_kernel(self):
        used, all_ = load.processors_of("cpu  10 20 30 400 50 6 7 8 0 0\ncpu0 1\n")
        self.assertEqual((used, all_), (10 + 20 + 30 + 6 + 7 + 8, 531))
        fields = " ".join(str(k) for k in range(4, 53))  # from the fourth field on
        self.assertEqual(load.ticks_of(f"17 (a (strange) name) S {fields}"), 14 + 15 + 16 + 17)

    def test_a_machine_is_busy_on_the_average_or_often(self):
        self.assertFalse(load.is_busy([]))
        self.assertFalse(load.is_busy([0.01] * 20))
        self.assertTrue(load.is_busy([0.06] * 20))
        self.assertFalse(load.is_busy([0.0] * 19 + [0.3]))  # once
        self.assertTrue(load.is_busy([0.0] * 17 + [0.26] * 3))

    def test_what_a_contender_does_is_not_of_others(self):
        """Of 100 ticks 60 are used, 45 of them by a contender; of the next 100 all, 20 by it."""
        machine = {"/proc/stat": ["cpu 0 0 0 0 0 0 0 0", "cpu 60 0 0 40 0 0 0 0", "cpu 160 0 0 40 0 0 0 0"],
                   "/proc/7/stat": [f"7 (c) S {'0 ' * 10}{k} 0 0 0" for k in (0, 45, 65)],
                   "/proc/loadavg": ["0.5 0 0"] * 3}
        real = load.read
        load.read = lambda path: machine[path].pop(0)
        self.addCleanup(setattr, load, "read", real)
        watched = load.Load(0.0)
        self.assertIsNone(watched.sample([7], "start"))
        self.assertAlmostEqual(watched.sample([7], "a"), 0.15)
        self.assertAlmostEqual(watched.sample([7], "b"), 0.8)
        content = watched.content()
        self.assertAlmostEqual(content["others"], 0.475)
        self.assertTrue(content["busy"])
        self.assertEqual([(s["where"], s["load_average"]) for s in content["samples"]],
                         [("start", 0.5), ("a", 0.5), ("b", 0.5)])


class Finish(unittest.TestCase):
    def finished(self, rounds):
        one = {"ok": True, "bytes": 2e9, "operations": 4e9, "bound_seconds": 0.5}
        row.finish(one, [{"seconds": s, "repeats": 3, "enqueue_seconds": None} for s in rounds])
        return one

    def test_a_row_is_the_median_of_its_rounds(self):
        one = self.finished([3.0, 1.0, 2.0, 10.0, 2.5])
        self.assertEqual((one["seconds"], one["low"], one["high"]), (2.5, 2.0, 3.0))
        self.assertEqual((one["gb_per_s"], one["gflop_per_s"], one["percent_of_bound"]), (0.8, 1.6, 20))
        self.assertEqual(self.finished([2.0])["low"], 2.0)


if __name__ == "__main__":
    unittest.main()
