"""The inputs are those that `matgrad bench` draws."""

import csv
import unittest

from paths import ROOT

import numpy as np

import inputs
from cases import parse_operand


class Inputs(unittest.TestCase):
    def test_are_the_numbers_of_the_table(self):
        with open(ROOT / "tests" / "bench" / "inputs.tsv", encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
        self.assertEqual(len(rows), 10)
        for row in rows:
            drawn = inputs.uniform(row["name"], 1, int(row["k"]), 1)[0]
            self.assertEqual(drawn, float(row["u"]), row)

    def test_do_not_depend_on_how_many_are_drawn_at_once(self):
        many = 9 * inputs.CHUNK + 5  # drawn by threads
        whole = inputs.uniform("X", 1, 0, many)
        for first in (0, inputs.CHUNK - 1, many - 1):
            self.assertEqual(whole[first], inputs.uniform("X", 1, first, 1)[0])

    def test_of_one_problem_follow_those_of_the_one_before(self):
        x = parse_operand("X=m,n", {"m": 3, "n": 2}, ["X"], np.dtype("float64"))
        drawn = inputs.draw(x, 4, 1)
        np.testing.assert_array_equal(drawn.reshape(-1), inputs.uniform("X", 1, 0, 24))
        shared = parse_operand("X=m,n", {"m": 3, "n": 2}, [], np.dtype("float64"))
        np.testing.assert_array_equal(inputs.draw(shared, 4, 1), drawn[0])

    def test_are_rounded_to_the_type_once(self):
        x = parse_operand("X=m,n", {"m": 3, "n": 2}, ["X"], np.dtype("float32"))
        expected = inputs.uniform("X", 1, 0, 24).astype(np.float32)
        np.testing.assert_array_equal(inputs.draw(x, 4, 1).reshape(-1), expected)

    def test_have_the_structure_that_is_declared(self):
        def draw(structure):
            operand = parse_operand(f"S=n,n:{structure}", {"n": 5}, ["S"], np.dtype("float64"))
            return inputs.draw(operand, 3, 1)
        spd = draw("spd")
        self.assertTrue(np.all(np.linalg.eigvalsh(spd) >= 1 - 1e-12))
        for matrix in (spd, draw("sym")):
            np.testing.assert_allclose(matrix, np.swapaxes(matrix, -1, -2), rtol=1e-15)
        np.testing.assert_array_equal(draw("lower"), np.tril(draw("lower")))
        np.testing.assert_array_equal(draw("upper"), np.triu(draw("upper")))
        np.testing.assert_array_equal(draw("diag"), draw("diag") * np.eye(5))
        self.assertTrue(np.all(np.diagonal(draw("lower"), axis1=-2, axis2=-1) >= 1))
        orth = draw("orth")
        np.testing.assert_allclose(orth @ np.swapaxes(orth, -1, -2), np.broadcast_to(
            np.eye(5), orth.shape), atol=1e-14)

    def test_scalars_are_at_least_one(self):
        t = parse_operand("t=1", {}, ["t"], np.dtype("float64"))
        self.assertEqual(t.dims, ())
        self.assertTrue(np.all(inputs.draw(t, 50, 1) >= 1))


if __name__ == "__main__":
    unittest.main()
