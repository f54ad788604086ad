"""Training loops whose minima NumPy or scikit-learn finds another way."""

import numpy as np
import pytest

from matgrad.examples import _data, bootstrap_regression, gaussian_likelihood, logistic_regression
from matgrad.examples._newton import newton_cg


def test_bootstrap_reaches_the_least_squares_solution_of_every_resample():
    columns, progression, _ = _data.diabetes()
    A = np.column_stack([bootstrap_regression.standardised_to_unit_norm(columns), np.ones(len(columns))])
    counts = bootstrap_regression.draw_counts(20, len(A))
    found, _ = bootstrap_regression.fit(A, progression, counts)
    for x, w in zip(found, counts, strict=True):
        root = np.sqrt(w)
        expected = np.linalg.lstsq(root[:, None] * A, root * progression, rcond=None)[0]
        np.testing.assert_allclose(x, expected, rtol=1e-7, atol=1e-6)
    np.testing.assert_allclose(found[0, :-1], bootstrap_regression.PUBLISHED, atol=0.5e-4, rtol=0)


def test_every_draw_has_as_many_patients_as_there_are():
    counts = bootstrap_regression.draw_counts(5, 442)
    assert (counts.sum(axis=1) == 442).all() and (counts[0] == 1).all() and counts[1:].max() > 1


def test_logistic_regression_reaches_the_coefficients_of_scikit_learn_that_come_with_the_data():
    features, malignant = _data.breast_cancer()
    X = np.column_stack([_data.standardised(features), np.ones(len(features))])
    counts, known = _data.breast_cancer_resamples()
    found, _ = logistic_regression.fit(X, malignant, counts)
    np.testing.assert_allclose(found, known, atol=1e-9, rtol=0)


@pytest.mark.full
def test_logistic_regression_reaches_the_coefficients_that_scikit_learn_finds_now():
    linear_model = pytest.importorskip("sklearn.linear_model")
    features, malignant = _data.breast_cancer()
    X = np.column_stack([_data.standardised(features), np.ones(len(features))])
    model = linear_model.LogisticRegression(C=1.0, fit_intercept=False, solver="newton-cholesky", tol=1e-14)
    model.fit(X, malignant)
    found, _ = logistic_regression.fit(X, malignant, np.ones((1, len(X))))
    np.testing.assert_allclose(found[0], model.coef_[0], atol=1e-9, rtol=0)


def test_gaussian_likelihood_reaches_the_inverse_of_the_covariances():
    S, names = gaussian_likelihood.covariances(20)
    assert S.shape == (21, 8, 8) and names[-1] == "progression"
    found, _ = gaussian_likelihood.fit(S)
    np.testing.assert_allclose(found, np.linalg.inv(S), rtol=1e-7, atol=1e-8)


def test_partial_correlations_are_those_of_a_regression_on_the_residuals(tmp_path):
    S, names = gaussian_likelihood.covariances(0)
    P = gaussian_likelihood.fit(S)[0][0]
    columns, progression, all_names = _data.diabetes()
    others = [all_names.index(name) for name in names[1:-1]]
    rest = np.column_stack([columns[:, others], np.ones(len(columns))])
    residuals = [y - rest @ np.linalg.lstsq(rest, y, rcond=None)[0] for y in (columns[:, 0], progression)]
    assert np.corrcoef(residuals)[0, 1] == pytest.approx(-P[0, -1] / np.sqrt(P[0, 0] * P[-1, -1]), abs=1e-8)


def test_newton_leaves_a_finished_problem_and_a_saddle_alone():
    """f = x^4/4 - x^2/2 + y^2/2 has its minima at x = -1 and 1, y = 0, and a saddle at 0."""

    def value_and_grad(z):
        x, y = z.T
        return x**4 / 4 - x**2 / 2 + y**2 / 2, np.column_stack([x**3 - x, y])

    def products_at(z):
        return lambda v: np.column_stack([(3 * z[:, 0] ** 2 - 1) * v[:, 0], v[:, 1]])

    start = np.array([[0.1, 3.0], [-0.2, 0.0], [1.0, 0.0], [5.0, -2.0]])
    found, left = newton_cg(value_and_grad, products_at, start, tolerance=1e-9)
    np.testing.assert_allclose(found, [[1, 0], [-1, 0], [1, 0], [1, 0]], atol=1e-8)
    assert left.max() <= 1e-9


def test_newton_leaves_a_problem_alone_that_no_step_takes_down():
    """Of f = a*x^2/2 with the gradient of -f for the first problem."""
    sign = np.array([[-1.0], [1.0]])
    start = np.array([[1.0], [3.0]])
    found, left = newton_cg(
        lambda z: (z[:, 0] ** 2 / 2, sign * z), lambda z: lambda v: v, start, tolerance=1e-12, max_steps=5
    )
    np.testing.assert_array_equal(found, [[1.0], [0.0]])
    np.testing.assert_array_equal(left, [1.0, 0.0])


def test_newton_stays_where_the_function_has_a_value():
    """-log(x) + s*x has its minimum at 1/s, and full steps from far below leave the domain."""
    s = np.array([0.01, 1.0, 500.0])

    def value_and_grad(z):
        with np.errstate(invalid="ignore", divide="ignore"):
            return -np.log(z[:, 0]) + s * z[:, 0], (-1 / z[:, 0] + s)[:, None]

    found, _ = newton_cg(value_and_grad, lambda z: lambda v: v / z**2, np.ones((3, 1)), tolerance=1e-12)
    np.testing.assert_allclose(found[:, 0], 1 / s, rtol=1e-9)
