"""Every way of every peer that can be imported computes f and its gradient."""

import unittest

import paths  # noqa: F401

import numpy as np

import inputs
import with_numpy
from cases import parse_case
from residual import Differentials
from small_cases import Known, all_cases, results_of


def check(case, function, value, gradient):
    differentials = Differentials.__new__(Differentials)
    differentials.seed = Known.seed
    differentials.problems = Known(function).problems
    return differentials.check(case, value, gradient)


def libraries():
    """Those that can be imported."""
    yield with_numpy.Library(2, "cpu")
    for name in ("with_jax", "with_torch"):
        try:
            module = __import__(name)
        except ImportError:
            continue
        library = module.Library(2, "cpu")
        library.variants = [v for v in library.variants if v.name != "pytorch compile"]
        yield library


def each(function):
    """The sum over the problems of a function of one."""
    def total(**arrays):
        shared = {name for name in arrays if name in "VwW"}
        batch = next(len(a) for name, a in arrays.items() if name not in shared)
        return sum(function(**{name: a if name in shared else a[k] for name, a in arrays.items()})
                   for k in range(batch))
    return total


SUMS = [
    ("0.5*norm2(x - V*u)^2", "V", ["x=d", "V=d,r", "u=r"], ["x", "u"],
     lambda x, V, u: 0.5 * np.sum((x - V @ u)**2)),
    ("softplus(-t*dot(x,w))", "w", ["x=d", "w=d", "t=1"], ["x", "t"],
     lambda x, w, t: np.log1p(np.exp(-t * np.sum(x * w)))),
    ("logsumexp(W*x) - dot(y, W*x)", "W", ["x=d", "W=r,d", "y=r"], ["x", "y"],
     lambda x, W, y: np.log(np.sum(np.exp(W @ x))) - np.sum(y * (W @ x))),
]


def summed_cases():
    """(case, the sum by a loop)"""
    for f, wrt, declare, batched, function in SUMS:
        for outputs in ("value", "gradient", "both"):
            yield parse_case({"name": f"{f} {outputs}", "f": f, "wrt": [wrt], "declare": declare,
                              "sizes": {"d": 5, "r": 3}, "batched": batched, "batch": 300, "type": "float64",
                              "outputs": outputs, "reduce": "sum"}, {"copies": 2}), each(function)


class ClosedForms(unittest.TestCase):
    def assert_right(self, library, case, function):
        found = results_of(library, case)
        self.assertTrue(found, case.name)
        for way, (value, gradient) in found.items():
            with self.subTest(case=case.name, way=way):
                if case.wants_value:
                    self.assertEqual(value.shape, (case.batch,))
                    self.assertEqual(value.dtype, case.dtype)
                if case.wants_gradient:
                    shape = (case.batch, *case.operand(case.wrt).dims)
                    self.assertEqual(gradient.shape, shape)
                    self.assertEqual(gradient.dtype, case.dtype)
                residual, bound = check(case, function, value, gradient)
                self.assertLessEqual(residual, bound)

    def test_numpy(self):
        library = with_numpy.Library(2, "cpu")
        for case, function in all_cases():
            self.assert_right(library, case, function)

    def test_sums_over_the_batch(self):
        """Against loops over the problems, differentiated by central differences."""
        for library in libraries():
            for case, function in summed_cases():
                found = results_of(library, case)
                executors = {variant for variant, _ in found}
                self.assertEqual(len(executors), 1 if library.tool == "numpy" or not case.wants_gradient else 2)
                for way, (value, gradient) in found.items():
                    with self.subTest(case=case.name, way=way):
                        self.assert_right_sum(case, function, value, gradient)

    def assert_right_sum(self, case, function, value, gradient):
        arrays = {o.name: inputs.draw(o, case.batch, Known.seed) for o in case.operands}
        if case.wants_value:
            self.assertEqual(value.shape, (1,))
            self.assertAlmostEqual(value[0] / function(**arrays), 1, places=10)
        if case.wants_gradient:
            variable = case.operand(case.wrt)
            self.assertEqual(gradient.shape, (1, *variable.dims))
            d = inputs.direction(variable, 0, Known.seed)
            moved = [function(**{**arrays, case.wrt: arrays[case.wrt] + step * d}) for step in (1e-5, -1e-5)]
            expected = (moved[0] - moved[1]) / 2e-5
            self.assertLess(abs(np.sum(gradient[0] * d) - expected), 1e-6 * (1 + abs(expected)))

    def test_other_sums_over_the_batch_are_not_offered(self):
        case = parse_case({"name": "s", "f": "tr(A*X)", "wrt": ["X"], "declare": ["A=n,m", "X=m,n"],
                           "sizes": {"m": 4, "n": 5}, "batched": ["A"], "batch": 3, "type": "float64",
                           "outputs": "both", "reduce": "sum"})
        for library in libraries():
            self.assertEqual([v.name for v in library.variants if v.offers(case)], [])

    def test_cupy_computed_by_numpy(self):
        import with_cupy

        class OnNumPy:
            variants = [with_cupy.ClosedForm(np)]

            def upload(self, array):
                return array

            def download(self, array):
                return np.atleast_1d(array)

        for case, function in all_cases():
            self.assert_right(OnNumPy(), case, function)

    def test_jax(self):
        try:
            import with_jax
        except ImportError as absent:
            self.skipTest(str(absent))
        library = with_jax.Library(2, "cpu")
        for case, function in all_cases(types=("float32",)):
            if case.batch > 1 and case.outputs != "value":
                self.assert_right(library, case, function)

    def test_torch(self):
        try:
            import with_torch
        except ImportError as absent:
            self.skipTest(str(absent))
        library = with_torch.Library(2, "cpu")
        library.variants = [v for v in library.variants if v.name != "pytorch compile"]
        for case, function in all_cases(types=("float32",)):
            self.assert_right(library, case, function)

    def test_a_wrong_gradient_is_found(self):
        library = with_numpy.Library(1, "cpu")
        for case, function in all_cases(types=("float32",)):
            if case.outputs != "gradient":
                continue
            last = case.batch - 1
            d = inputs.direction(case.operand(case.wrt), last, Known.seed)
            allowed = list(Known(function).problems(case))[-1]["bound"]
            for _, gradient in results_of(library, case).values():
                self.assert_fails(case, function, gradient, last, 2.1 * allowed / np.sum(d * d) * d)
                self.assert_fails(case, function, gradient, last, np.full(d.shape, np.nan))

    def assert_fails(self, case, function, gradient, problem, error):
        wrong = gradient.astype(np.float64)
        wrong[problem] += error
        residual, bound = check(case, function, None, wrong)
        self.assertGreater(residual, bound, case.name)


if __name__ == "__main__":
    unittest.main()
