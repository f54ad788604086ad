"""The report orders the worst first, counts losses, and shows failures."""

import json
import os
import tempfile
import unittest

import paths  # noqa: F401

import page
from measure import measure, quartiles
from results import Results, geometric_mean


def row(name, executor, seconds, **fields):
    case = {"name": name, "function": "f", "f": "tr(X)", "wrt": ["X"], "declare": ["X=n,n"],
            "sizes": {"n": 4}, "batched": ["X"], "batch": 10, "type": "float32",
            "accuracy": "robust", "outputs": "both"}
    return {"case": case, "executor": executor, "ok": seconds is not None, "error": None,
            "seconds": seconds, "low": seconds, "high": seconds, "repeats": 9, "bytes": 100,
            "operations": 100, "percent_of_bound": 50, "residual": 1e-7, "residual_bound": 1e-5,
            **fields}


def written(folder, tool, rows):
    path = os.path.join(folder, tool + ".json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"tool": tool, "device": "d", "versions": {}, "commit": "c", "command": tool,
                   "date": "", "threads": 2, "suite": "core", "ceilings": None, "rows": rows}, file)
    return path


class Report(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        ours = [row("a", "cpu", 1.0), row("b", "cpu", 1.0), row("c", "cpu", 1.0),
                row("a", "eigen", 8.0), row("e", "cuda library", 2e-5, enqueue_seconds=1.5e-5,
                                            plan_seconds=0.25),
                row("e", "cuda library, graph", 1e-5, enqueue_seconds=3e-6, plan_seconds=0.75), row("d", "cpu", None, residual=2.0, error="residual 2")]
        theirs = [row("a", "numpy", 4.0), row("b", "numpy", 0.25, repeats=1),
                  row("c", "numpy", None, residual=1.0, error="residual 1, bound 1e-5"),
                  row("d", "numpy", None, residual=None, error="not run: the time was used up")]
        self.results = Results([written(self.folder.name, "matgrad", ours),
                                written(self.folder.name, "numpy", theirs)])

    def page(self):
        path = os.path.join(self.folder.name, "report.md")
        page.write(path, self.results, [], {"cupy": "no GPU"})
        with open(path, encoding="utf-8") as file:
            return file.read()

    def test_the_worst_ratio_comes_first(self):
        pairs = self.results.pairs()
        self.assertEqual([p.name for p in pairs[:2]], ["b", "a"])
        self.assertEqual([p.ratio for p in pairs], [0.25, 4.0, None, None, None])

    def test_a_peer_in_cpp_is_a_peer(self):
        pair = next(p for p in self.results.pairs() if p.name == "a")
        self.assertEqual([r.executor for r in pair.peers], ["numpy", "eigen"])
        self.assertEqual(pair.ours.executor, "cpu")

    def test_the_page_states_mean_minimum_and_losses(self):
        text = self.page()
        self.assertIn("matgrad is 1.00 times as fast in the geometric mean; the minimum is 0.25 "
                      "(`b`); the peer is faster in 1", text)
        self.assertIn("1 of matgrad, 1 of peers", text)
        self.assertIn("- cupy: no GPU", text)

    def test_the_page_lists_failures_and_what_was_not_run(self):
        text = self.page()
        self.assertIn("| `d` | cpu | residual 2 |", text)
        self.assertIn("| `c` | numpy | residual 1, bound 1e-5 |", text)
        self.assertIn("- numpy: not run: the time was used up (1: `d`)", text)

    def test_a_graph_of_ours_is_ours_and_its_launch_stands_beside_its_time(self):
        pair = next(p for p in self.results.pairs() if p.name == "e")
        self.assertEqual(pair.ours.executor, "cuda library, graph")
        self.assertEqual(pair.peers, [])
        text = self.page()
        self.assertRegex(text, r"\| `e` .*\| 10 us \[.*\] \| 3 us \|")

    def test_the_page_tells_plans_and_enqueueing_apart(self):
        text = self.page()
        self.assertIn("| cuda library | 250 ms | 250 ms | 15 us | 15 us |", text)
        self.assertIn("| cuda library, graph | 750 ms | 750 ms | 3 us | 3 us |", text)
        self.assertNotIn("| cpu | ms", text)

    def test_the_page_lists_what_no_time_was_left_for(self):
        self.results.files[0]["left_out"] = ["z (cpu)"]
        self.assertIn("Rows of matgrad for which no time was left: 1, `z (cpu)`.", self.page())

    def test_the_page_marks_a_single_repeat(self):
        line = next(x for x in self.page().splitlines() if x.startswith("| `b`"))
        self.assertIn("250 ms (1)", line)

    def test_figures_are_drawn_the_same_twice(self):
        try:
            import crossover
            import ratios
            import roofline
        except ImportError as absent:
            self.skipTest(str(absent))
        for draw in (ratios.draw, roofline.draw, crossover.draw):
            pictures = []
            for folder in ("one", "two"):
                name = draw(self.results, os.path.join(self.folder.name, folder))
                if name is None:  # one place in the map of executors is no map
                    self.assertIs(draw, crossover.draw)
                    continue
                with open(os.path.join(self.folder.name, folder, name + ".svg"), "rb") as file:
                    pictures.append(file.read())
            self.assertEqual(pictures[:1], pictures[1:])

    def test_geometric_mean(self):
        self.assertAlmostEqual(geometric_mean([1, 4, 16]), 4)


class Measure(unittest.TestCase):
    def test_quartiles_lie_around_the_median(self):
        self.assertEqual(quartiles([4, 1, 3, 2, 5]), (2, 4))
        self.assertEqual(quartiles([7.0]), (7.0, 7.0))

    def test_waits_for_every_run(self):
        made, waited = [], []
        timing = measure(lambda: made.append(1) or len(made), waited.append, 0.01, 1e-6,
                         shortest=1e-4)
        self.assertEqual(sum(len(results) for results in waited), len(made))
        self.assertGreaterEqual(timing.repeats, 3)
        self.assertFalse(timing.once)

    def test_what_is_too_slow_runs_once_more_and_is_marked(self):
        made = []
        timing = measure(lambda: made.append(1), lambda result: None, 0.5, 2.0)
        self.assertEqual((len(made), timing.repeats, timing.once), (1, 1, True))


if __name__ == "__main__":
    unittest.main()
