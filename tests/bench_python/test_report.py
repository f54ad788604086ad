"""The report orders the worst first, counts losses, and shows failures."""

import json
import os
import tempfile
import unittest

import paths

import confidence
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


def written(folder, tool, rows, **fields):
    path = os.path.join(folder, tool + ".json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"tool": tool, "device": "d", "versions": {}, "commit": "c", "command": tool,
                   "date": "", "threads": 2, "suite": "core", "ceilings": None, "rows": rows, **fields}, file)
    return path


def in_rounds(name, executor, rounds, **fields):
    return row(name, executor, sorted(rounds)[len(rounds) // 2], rounds=rounds, **fields)


def page_of(folder, results, absent=None):
    path = os.path.join(folder, "report.md")
    page.write(path, results, [], absent or {})
    with open(path, encoding="utf-8") as file:
        return file.read()


class Report(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        ours = [row("a", "cpu", 1.0), row("b", "cpu", 1.0), row("c", "cpu", 1.0),
                row("a", "eigen", 8.0), row("e", "cuda library", 2e-5, enqueue_seconds=1.5e-5,
                                            plan_seconds=0.25),
                row("e", "cuda library, graph", 1e-5, enqueue_seconds=3e-6, plan_seconds=0.75),
                row("d", "cpu", None, residual=2.0, error="residual 2")]
        theirs = [row("a", "numpy", 4.0), row("b", "numpy", 0.25, repeats=1),
                  row("c", "numpy", None, residual=1.0, error="residual 1, bound 1e-5"),
                  row("d", "numpy", None, residual=None, error="not run: the time was used up")]
        self.results = Results([written(self.folder.name, "matgrad", ours),
                                written(self.folder.name, "numpy", theirs)])

    def page(self):
        return page_of(self.folder.name, self.results, {"cupy": "no GPU"})

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
        lines = [x for x in self.page().splitlines() if x.startswith("| `b`")]
        self.assertEqual(len(lines), 2)  # among the losses and among all
        for line in lines:
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


class Rounds(unittest.TestCase):
    """Records of bench/rounds: who has no time where, how sure a ratio is, and what the machine did."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def results(self, peers, ours=("ahead", "behind", "even", "missing"), **fields):
        own = [in_rounds(name, "cpu", [1.0, 1.1, 1.2, 1.0, 1.0]) for name in ours]
        files = [written(self.folder.name, "matgrad", own, **fields)]
        files += [written(self.folder.name, tool, rows) for tool, rows in peers.items()]
        return Results(files)

    EIGEN = (in_rounds("ahead", "eigen", [4.0, 4.4, 6.0, 4.0, 4.0]),
             in_rounds("even", "eigen", [1.1, 1.2, 1.0, 1.1, 0.9]),
             in_rounds("behind", "eigen", [0.5, 0.5, 0.5, 0.5, 0.5]), in_rounds("missing", "eigen", [9.0] * 5))

    def test_the_mean_is_of_rows_in_which_every_peer_that_offers_them_has_a_time(self):
        lost = row("missing", "jax", None, residual=None, error="no answer within 60 s", lost=True)
        results = self.results({"eigen": self.EIGEN, "jax": [row("ahead", "jax", 50.0), lost]})
        pairs = {pair.name: pair for pair in results.pairs()}
        self.assertEqual({name: pair.complete for name, pair in pairs.items()},
                         {"ahead": True, "even": True, "behind": True, "missing": False})
        text = page_of(self.folder.name, results)
        mean = (4.0 / 1 * 1.1 / 1 * 0.5 / 1)**(1 / 3)
        self.assertIn(f"In 3 cases every installed peer that offers the case has a time. Against the best peer of each "
                      f"matgrad is {mean:.2f} times as fast", text)
        self.assertIn("Left out of that mean: 1 cases in which jax had no time", text)
        self.assertIn("| `missing` * |", text)

    def test_a_peer_that_cannot_or_is_wrong_is_not_missing(self):
        cannot = row("behind", "libxsmm", None, residual=None, error="no kernel for these sizes")
        wrong = row("even", "numpy", None, residual=2.0, error="residual 2")
        results = self.results({"eigen": self.EIGEN, "libxsmm": [cannot], "numpy": [wrong]})
        self.assertTrue(all(pair.complete for pair in results.pairs()))

    def test_a_row_that_a_peer_in_cpp_was_not_reached_in_is_not_complete(self):
        path = written(self.folder.name, "matgrad_cpp_peers", [row("a", "eigen", 2.0)], left_out=["a (libxsmm)"])
        results = Results([written(self.folder.name, "matgrad", [row("a", "cpu", 1.0)]), path])
        self.assertEqual([pair.unreached for pair in results.pairs()], [("libxsmm",)])

    def test_losses_come_first_and_what_the_rounds_do_not_tell_is_even(self):
        results = self.results({"eigen": self.EIGEN})
        self.assertEqual({p.name: p.verdict for p in results.pairs()},
                         {"ahead": "ahead", "missing": "ahead", "even": "even", "behind": "behind"})
        text = page_of(self.folder.name, results)
        self.assertIn("the peer is faster in 1, and 1 are even", text)
        losses = text[text.index("## Where a peer is faster"):text.index("## All cases")]
        # The rounds of matgrad are 1.0 to 1.2, those of the peer 0.5.
        self.assertIn("| `behind` | 0.50 [0.42, 0.50] | eigen |", losses)
        self.assertNotIn("`even`", losses)
        self.assertIn("the median ratio's interval of 94%", text)

    def test_a_ratio_is_the_median_of_those_of_the_rounds(self):
        """A machine that gets slower from round to round, for both: 2 in each but one."""
        ours, theirs = [1.0, 2.0, 4.0, 8.0, 9.0], [2.0, 4.0, 8.0, 1.0, 18.0]
        results = Results([written(self.folder.name, "matgrad", [in_rounds("a", "cpu", ours)]),
                           written(self.folder.name, "eigen", [in_rounds("a", "eigen", theirs)])])
        pair, = results.pairs()
        self.assertEqual((pair.ours.seconds, pair.best_peer.seconds), (4.0, 4.0))
        self.assertEqual((pair.ratio, pair.interval[:2]), (2.0, (0.125, 2.0)))

    def test_of_a_busy_machine_nothing_is_to_be_quoted(self):
        samples = [{"load_average": 0.1, "others": None}, {"load_average": 5.3, "others": 0.4}]
        load = {"cores": 2, "samples": samples, "others": 0.4, "busy": True}
        text = page_of(self.folder.name, self.results({"eigen": self.EIGEN}, load=load))
        self.assertIn("**Do not quote: this machine was busy.** Other processes and other guests took 40.0% of the 2 "
                      "processors; the load average was 0.10 at the start and between 0.10 and 5.30", text)
        text = page_of(self.folder.name, self.results({"eigen": self.EIGEN}, load={**load, "busy": False}))
        self.assertNotIn("Do not quote", text)
        self.assertIn("was not recorded", page_of(self.folder.name, self.results({"eigen": self.EIGEN})))

    def test_ceilings_have_their_range_and_old_ones_say_what_they_are(self):
        def rates(factor):
            return {"float32": {"copy_bytes_per_s": factor * 45e9, "read_bytes_per_s": factor * 33e9,
                                "memcpy_bytes_per_s": factor * 31e9, "multiply_add_flops_per_s": factor * 200e9}}
        new = self.results({}, ceilings=rates(1), ceilings_least=rates(0.5), ceilings_most=rates(2))
        text = page_of(self.folder.name, new)
        self.assertIn("33 GB/s [16.5, 66] read, 45 GB/s [22.5, 90] copied with non-temporal stores (memcpy: 31 GB/s",
                      text)
        self.assertIn("Multiply-adds in float32: 200 GFLOP/s [100, 400].", text)
        old = {"float32": {"copy_bytes_per_s": 33e9, "multiply_add_flops_per_s": 2e11}}
        text = page_of(self.folder.name, self.results({}, ceilings=old))
        self.assertIn("33 GB/s copied.", text)
        self.assertIn("older than the read rate", text)

    def test_an_absent_peer_has_a_line_of_the_table(self):
        text = page_of(self.folder.name, self.results({"eigen": self.EIGEN}), {"libxsmm": "is not installed"})
        self.assertIn("| libxsmm | 0 |  |  | absent |  |", text)

    def test_robust_float_stands_under_the_roof_of_double(self):
        try:
            import roofline
        except ImportError as absent:
            self.skipTest(str(absent))
        own = [row("a", "cpu", 1.0, operations=100, double_operations=90),
               row("b", "cpu", 1.0, operations=100, double_operations=0), row("c", "cpu", 1.0)]
        results = Results([written(self.folder.name, "matgrad", own)])
        self.assertEqual([roofline.panel_of(p) for p in results.pairs()],
                         ["float32, computed in double", "float32", "float32"])

    def test_every_function_of_the_suite_has_a_mark_of_its_own(self):
        try:
            from style import FUNCTIONS
        except ImportError as absent:
            self.skipTest(str(absent))
        with open(paths.ROOT / "bench" / "suites" / "core.json", encoding="utf-8") as file:
            functions = {case["function"] for case in json.load(file)["cases"]}
        self.assertLessEqual(len(functions), len(FUNCTIONS))
        self.assertEqual(len({marker for _, marker in FUNCTIONS}), len(FUNCTIONS))

    def test_figures_tell_apart_what_lies_at_one_place_and_name_matgrad(self):
        try:
            import crossover
        except ImportError as absent:
            self.skipTest(str(absent))
        results = self.results({"eigen": self.EIGEN})
        for own in results.rows:
            sizes = {"ahead": {"m": 16, "n": 4}, "behind": {"m": 8, "n": 8}, "even": {"m": 2, "n": 2}}
            own.case.update(declare=["X=m,n"], sizes=sizes.get(own.name, {"m": 99, "n": 9}))
        places, = crossover.panels_of(results).values()
        self.assertEqual(sorted(len(pairs) for pairs in places.values()), [1, 1, 2])
        crossover.draw(results, self.folder.name)
        with open(os.path.join(self.folder.name, "crossover.svg"), encoding="utf-8") as file:
            svg = file.read()
        for text in ("16x4", "8x8", ">matgrad<", ">0.5"):
            self.assertIn(text, svg)
        self.assertNotIn(">cpu<", svg)


class Confidence(unittest.TestCase):
    def test_of_few_rounds_all_are_taken_and_of_many_the_closest_of_90_percent(self):
        self.assertEqual(confidence.of_the_median([3, 1, 2]), (1, 3, 0.75))
        self.assertEqual(confidence.of_the_median([5, 4, 3, 2, 1]), (1, 5, 0.9375))
        low, high, sure = confidence.of_the_median(range(20))
        # Binomial: 20 throws of a coin with 6 to 14 heads.
        self.assertEqual((low, high), (5, 14))
        self.assertAlmostEqual(sure, 0.9586, places=4)

    def test_a_mean_of_rounds_that_agree_is_sure_and_one_of_rounds_that_do_not_is_not(self):
        self.assertEqual(confidence.of_the_mean([[2.0] * 5, [8.0] * 5]), (4.0, 4.0))
        low, high = confidence.of_the_mean([[1.0, 2.0, 4.0]] * 4)
        self.assertTrue(1 <= low < 2 < high <= 4)
        self.assertIsNone(confidence.of_the_mean([[2.0], [3.0]]))


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
