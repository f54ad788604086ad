"""The reference is right, a record has its shape, and one that breaks the promise of robust is noticed."""

import copy
import json
import math
import os
import subprocess
import sys
import tempfile
import unittest
from decimal import Decimal

import paths

import numpy as np

import accuracy_table
import contenders
import exact
import page
import promise

RECORD = paths.ROOT / "bench" / "results" / "epyc-zen4-2-cores" / "accuracy.json"
PROGRAM = str(paths.ROOT / "bench" / "accuracy")


def committed():
    return json.loads(RECORD.read_text(encoding="utf-8"))


class Reference(unittest.TestCase):
    def assert_near(self, found, right, digits):
        self.assertLess(exact.norm(np.atleast_1d(found - right)),
                        Decimal(10) ** -digits * exact.norm(np.atleast_1d(right)))

    def test_a_diagonal_x(self):
        x = np.zeros((4, 3))
        entries = [0.5, 2.0**-20, 3 * 2.0**-50]
        x[range(3), range(3)] = entries
        value, gradient = exact.log_det_gram(exact.exact(x))
        self.assert_near(value, 2 * (Decimal(3) * Decimal(2) ** -71).ln(), 60)
        right = exact.exact(np.zeros((4, 3)))
        right[range(3), range(3)] = [2 / Decimal(e) for e in entries]
        self.assert_near(gradient, right, 60)
        value, gradient = exact.trace_inverse_gram(exact.exact(x))
        self.assert_near(value, sum(1 / Decimal(e) ** 2 for e in entries), 60)
        right[range(3), range(3)] = [-2 / Decimal(e) ** 3 for e in entries]
        self.assert_near(gradient, right, 60)

    def test_the_hilbert_matrix(self):
        """Its inverse and its determinant are known in integers; its condition number is 1.5e10."""
        n = 8
        x = np.array([[1 / Decimal(i + j + 1) for j in range(n)] for i in range(n)])
        inverse = np.array([[(-1) ** (i + j) * (i + j + 1) * math.comb(n + i, n - j - 1)
                             * math.comb(n + j, n - i - 1) * math.comb(i + j, i) ** 2
                             for j in range(n)] for i in range(n)], dtype=object)
        factorials = [math.prod(math.factorial(i) for i in range(m)) for m in (n, 2 * n)]
        value, gradient = exact.log_det_gram(x)
        self.assert_near(value, 2 * (4 * Decimal(factorials[0]).ln() - Decimal(factorials[1]).ln()), 60)
        self.assert_near(gradient, 2 * inverse, 60)
        value, gradient = exact.trace_inverse_gram(x)
        self.assert_near(value, np.sum(inverse**2), 60)
        self.assert_near(gradient, -2 * inverse @ inverse @ inverse, 60)

    def test_a_drawn_x_has_its_condition_number(self):
        x = exact.draw(np.random.default_rng(3), 7, 4, 1e6, "float64")
        found = np.linalg.svd(x, compute_uv=False)
        np.testing.assert_allclose(found, [0.5, 0.5e-2, 0.5e-4, 0.5e-6], rtol=1e-8)

    def test_an_error_is_relative_and_what_is_not_a_number_is_infinitely_wrong(self):
        right = exact.exact(np.array([3.0, 4.0]))
        self.assertAlmostEqual(exact.relative_error(np.array([3.0, 4.5]), right), 0.1, places=15)
        self.assertEqual(exact.relative_error(np.array([3.0, np.nan]), right), math.inf)


class Contenders(unittest.TestCase):
    def assert_near_the_reference(self, contender, scalar, least):
        rng = np.random.default_rng(4)
        x = np.array([exact.draw(rng, 6, 3, 10.0, scalar) for _ in range(3)])
        for function, truth in exact.FUNCTIONS.items():
            value, gradient, status = contender(function, x)
            self.assertEqual((value.dtype, gradient.dtype), (scalar, scalar))
            self.assertEqual(status, ["success"] * 3)
            for k, problem in enumerate(x):
                right = truth(exact.exact(problem))
                self.assertLess(exact.relative_error(value[k], right[0]), least)
                self.assertLess(exact.relative_error(gradient[k], right[1]), least)

    def peers(self, make):
        try:
            return list(make())
        except ImportError as absent:
            self.skipTest(str(absent))

    def assert_right(self, make):
        for contender in self.peers(make):
            for scalar, least in (("float64", 1e-12), ("float32", 1e-3)):
                with self.subTest(contender=contender.name, scalar=scalar):
                    self.assert_near_the_reference(contender, scalar, least)

    def test_numpy(self):
        self.assert_right(contenders.numpy_peers)

    def test_jax(self):
        self.assert_right(contenders.jax_peers)

    def test_pytorch(self):
        self.assert_right(lambda: contenders.torch_peers("cpu"))

    def test_an_error_for_a_batch_is_the_error_of_its_problem(self):
        peer = next(contenders.numpy_peers())
        x = np.array([np.eye(3), np.zeros((3, 3)), 2 * np.eye(3)])
        value, gradient, status = peer("tr(inv(X'*X))", x)
        self.assertEqual(status, ["success", "raised an error", "success"])
        np.testing.assert_allclose(value, [3, np.nan, 0.75])
        np.testing.assert_allclose(gradient[2], -0.25 * np.eye(3))


class Promise(unittest.TestCase):
    def setUp(self):
        self.record = committed()

    def row(self, condition, scalar="float64", function="logdet(X'*X)"):
        return next(row for row in self.record["rows"] if row["executor"] == "matgrad robust" and
                    (row["function"], row["type"], row["condition"]) == (function, scalar, condition))

    def assert_found(self, text):
        found = promise.violations(self.record)
        self.assertEqual(len(found), 1, found)
        self.assertIn(text, found[0])

    def test_the_committed_record_keeps_it(self):
        self.assertEqual(promise.violations(self.record), [])

    def test_a_larger_error_is_noticed(self):
        self.row(1e8)["gradient"]["largest"] = 3e-7
        self.assert_found("logdet(X'*X) float64 condition 1e+08: error of a gradient 3e-07, at most 2.22e-07")

    def test_a_larger_error_of_a_value_is_noticed(self):
        self.row(1e3, "float32", "tr(inv(X'*X))")["value"]["largest"] = 3e-3
        self.assert_found("tr(inv(X'*X)) float32 condition 1000: error of a value 0.003, at most 0.00238")

    def test_beyond_its_reach_nothing_is_promised(self):
        self.row(1e14)["gradient"]["largest"] = 0.9
        self.row(1e14)["status"] = {"ill-conditioned": 23, "success": 1}
        self.assertEqual(promise.violations(self.record), [])

    def test_a_failure_within_its_reach_is_noticed(self):
        self.row(1e13)["status"] = {"ill-conditioned": 1, "success": 23}
        self.assert_found("condition 1e+13: status {'ill-conditioned': 1, 'success': 23}, success of all 24")

    def test_another_failure_is_noticed_anywhere(self):
        self.row(1e16)["status"] = {"kind 9": 24}
        self.assert_found("condition 1e+16: status {'kind 9': 24}")

    def test_success_without_a_number_is_noticed(self):
        self.row(1e14)["value"]["largest"] = None
        self.assert_found("condition 1e+14: a value that is not finite has status success")

    def test_a_record_without_rows_of_robust_promises_nothing_and_fails(self):
        self.record["rows"] = [row for row in self.record["rows"] if row["executor"] != "matgrad robust"]
        self.assert_found("no row of matgrad robust")

    def test_peers_are_not_held_to_it(self):
        for row in self.record["rows"]:
            if row["executor"] != "matgrad robust":
                row["gradient"]["largest"] = 10.0
        self.assertEqual(promise.violations(self.record), [])


class Program(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "record.json")

    def run_program(self, *arguments):
        return subprocess.run([sys.executable, PROGRAM, *arguments], capture_output=True, text=True, check=False)

    def test_check_says_what_a_record_breaks(self):
        record = committed()
        row = next(row for row in record["rows"] if row["executor"] == "matgrad robust")
        row["gradient"]["largest"] = 0.5
        with open(self.path, "w", encoding="utf-8") as file:
            json.dump(record, file)
        done = self.run_program("--check", self.path)
        self.assertEqual(done.returncode, 1)
        self.assertIn("condition 1: error of a gradient 0.5, at most 1.19e-06 expected", done.stderr)
        self.assertEqual(self.run_program("--check", str(RECORD)).returncode, 0)

    @unittest.skipUnless("MATGRAD" in os.environ, "MATGRAD names no command")
    def test_the_command_keeps_its_promise(self):
        done = self.run_program("--matgrad", os.environ["MATGRAD"], "--json", self.path, "--problems", "4",
                                "--every", "3")
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(self.path, encoding="utf-8") as file:
            record = json.load(file)
        head = committed()
        self.assertEqual(list(record), list(head))
        self.assertEqual([list(row) for row in record["rows"]], [list(head["rows"][0])] * len(record["rows"]))
        rows = accuracy_table.rows_of(record, "tr(inv(X'*X))", "float64")
        self.assertEqual(list(rows)[:4], ["matgrad robust", "matgrad fast", "numpy", "numpy qr"])
        self.assertEqual([row["condition"] for row in rows["numpy"]], [1, 1e3, 1e6, 1e9, 1e12, 1e15])
        # What the promise is for: fast loses the square of the condition number, robust does not.
        self.assertGreater(rows["matgrad fast"][2]["gradient"]["median"], 1e-7)
        self.assertLess(rows["matgrad robust"][2]["gradient"]["largest"], 1e-8)
        self.assertNotIn("success", rows["matgrad robust"][5]["status"])


class Pages(unittest.TestCase):
    def test_a_cell_has_the_error_and_the_failures(self):
        row = {"problems": 4, "status": {"success": 3, "not finite": 1}, "gradient": {"largest": 0.0123}}
        self.assertEqual(accuracy_table.cell(row, "gradient"), "1.2e-02 (1)")
        row["status"] = {"ill-conditioned": 3, "not positive": 1}
        self.assertEqual(accuracy_table.cell(row, "gradient"), "ill-conditioned")

    def test_the_document_has_the_tables_of_the_record(self):
        text = (paths.ROOT / "docs" / "accuracy.md").read_text(encoding="utf-8")
        record = committed()
        for scalar in ("float32", "float64"):
            for function in exact.FUNCTIONS:
                table = accuracy_table.error_table(record, function, scalar, "gradient")
                self.assertIn("\n".join(table), text)
        self.assertIn(record["command"], text)

    def test_the_report_has_the_tables_with_or_without_the_figure(self):
        class Empty:
            matgrad, files, ceilings, rows, load = {"device": "d"}, [], {}, [], None

            def pairs(self):
                return []

        lines = accuracy_table.section(committed())
        for figures in ([], ["accuracy"]):
            with tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, "report.md")
                page.write(path, Empty(), figures, {}, lines)
                with open(path, encoding="utf-8") as file:
                    text = file.read()
            self.assertEqual(text.count("## Accuracy against condition number"), 1)
            self.assertEqual(text.count("| condition | matgrad robust |"), 4)
            self.assertEqual("](accuracy.svg)" in text, bool(figures))

    def test_the_figure_is_drawn_the_same_twice(self):
        try:
            import accuracy
        except ImportError as absent:
            self.skipTest(str(absent))
        pictures = []
        for _ in range(2):
            with tempfile.TemporaryDirectory() as folder:
                accuracy.draw(copy.deepcopy(committed()), folder)
                with open(os.path.join(folder, "accuracy.svg"), encoding="utf-8") as file:
                    pictures.append(file.read())
        self.assertEqual(pictures[0], pictures[1])
        for text in ("matgrad robust", "pytorch grad", "float32", "float64"):
            self.assertIn(text, pictures[0])


if __name__ == "__main__":
    unittest.main()
