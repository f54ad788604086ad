"""Every way of every peer that can be imported computes f and its gradient."""

import unittest

import paths  # noqa: F401

import numpy as np

import inputs
import with_numpy
from residual import Differentials
from small_cases import Known, all_cases, results_of


def check(case, function, value, gradient):
    differentials = Differentials.__new__(Differentials)
    differentials.seed = Known.seed
    differentials.problems = Known(function).problems
    return differentials.check(case, value, gradient)


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
