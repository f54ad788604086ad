"""Printed NumPy, rewritten for a batch, is the printed NumPy problem by problem."""

import unittest

import paths  # noqa: F401

import numpy as np

import printed

RANKS = {"t": 0, "x": 1, "y": 1, "b": 1, "X": 2, "S": 2, "A": 2}
SHAPES = {"t": (), "x": (4,), "y": (4,), "b": (6,), "X": (4, 4), "S": (4, 4), "A": (6, 4)}

# What `matgrad derive` prints for the catalogue and the cookbook, one of each kind of word.
TEXTS = [
    "2 * X @ np.linalg.inv(X.T @ X)",
    "np.linalg.slogdet(X.T @ X)[1]",
    "3 * np.linalg.det(np.linalg.matrix_power(X, 3)) * np.linalg.inv(X).T",
    "-np.outer(np.linalg.inv(X).T @ x, y @ np.linalg.inv(X).T)",
    "2 * np.sum(X) * np.ones((X.shape[0], X.shape[1]))",
    "-2 * ((x @ A.T @ A @ x) * X.T @ X @ x / (x @ X.T @ X @ x) - A.T @ A @ x) / (x @ X.T @ X @ x)",
    "np.eye(X.shape[0]) + X", "(x - y) / np.linalg.norm(x - y)", "np.linalg.norm(A)**2",
    "A.T @ np.exp(A @ x - np.logaddexp.reduce(A @ x, axis=None))",
    "np.logaddexp.reduce(X, axis=None)", "np.vdot(X, S) + np.trace(X @ S)", "np.vdot(x, y)",
    "2 * (A.T @ (A @ x - b) + t * x)", "t * X + np.tril(S) - np.triu(S)",
    "np.diag(x) + np.outer(x, np.diag(X))", "np.sum(X, axis=1) + np.sum(X, axis=0)",
    "np.sum(np.logaddexp(0, -(b * (A @ x))))", "np.maximum(X, 0) * np.heaviside(S, 0)",
    "np.sum(np.power(x**2 + t, 0.5))", "np.exp(-np.logaddexp(0, -X))", "t**2 / x",
]


class Printed(unittest.TestCase):
    def setUp(self):
        rng = np.random.default_rng(1)
        self.batch = 5
        self.arrays = {n: rng.uniform(0.5, 1.5, (self.batch, *s)) for n, s in SHAPES.items()}

    def one(self, text, arrays):
        return eval(text, {"np": np, **arrays})

    def test_means_the_same_for_a_batch(self):
        for text in TEXTS:
            with self.subTest(text=text):
                result = printed.batched(text, RANKS)(self.arrays, np.float64)
                for k in range(self.batch):
                    alone = self.one(text, {n: a[k] for n, a in self.arrays.items()})
                    np.testing.assert_allclose(result[k], alone, rtol=1e-11)

    def test_takes_shared_operands_as_they_are(self):
        shared = {n: a if n in ("x", "t") else a[0] for n, a in self.arrays.items()}
        for text in ("2 * (A.T @ (A @ x - b) + t * x)", "t * X + np.outer(x, y)"):
            result = printed.batched(text, RANKS)(shared, np.float64)
            for k in range(self.batch):
                alone = self.one(text, {n: a[k] if n in ("x", "t") else a
                                        for n, a in shared.items()})
                np.testing.assert_allclose(result[k], alone, rtol=1e-12)

    def test_keeps_float(self):
        arrays = {n: a.astype(np.float32) for n, a in self.arrays.items()}
        for text in TEXTS:
            result = printed.batched(text, RANKS)(arrays, np.float32)
            self.assertEqual(result.dtype, np.float32, text)

    def test_refuses_a_word_it_does_not_know(self):
        with self.assertRaisesRegex(printed.Unsupported, "np.cumsum"):
            printed.batched("np.cumsum(x)", RANKS)


if __name__ == "__main__":
    unittest.main()
