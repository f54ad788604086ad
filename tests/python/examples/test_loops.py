"""Training loops whose answers have a closed form, are made, or are found by scikit-learn or by trying everything."""

import itertools

import numpy as np
import pytest

from matgrad.examples import d_optimal_design, factor_models, gp_hyperparameters, weight_quantisation


@pytest.mark.parametrize(
    ("degree", "points", "determinant"),
    # det(X'X) of a Vandermonde matrix is the square of the product of all differences.
    [(2, [-1, 0, 1], 4), (3, [-1, -(5**-0.5), 5**-0.5, 1], (2 * 0.8**2 * 2 / 5**0.5) ** 2)],
)
def test_designs_climb_to_the_points_that_are_known_in_closed_form(degree, points, determinant):
    random = np.random.default_rng(degree)
    found, criterion = d_optimal_design.climb(random.uniform(-1, 1, (10, degree + 1)))
    best = np.argmax(criterion)
    assert criterion[best] == pytest.approx(np.log(determinant), abs=1e-9)
    np.testing.assert_allclose(found[best], points, atol=1e-7)
    np.testing.assert_allclose(d_optimal_design.known_points(degree), points, atol=1e-14)


def test_the_variance_of_an_optimal_design_is_nowhere_above_the_number_of_coefficients():
    at = np.linspace(-1, 1, 201)
    known = d_optimal_design.known_points(5)
    assert d_optimal_design.variance(known, at).max() == pytest.approx(6, abs=1e-9)
    assert d_optimal_design.variance(np.linspace(-1, 1, 6), at).max() > 6.1


def test_gradient_by_the_points_is_that_of_differences():
    t = np.array([[-0.9, -0.1, 0.3, 0.8]])
    gradient = d_optimal_design.value_and_grad(t)[1][0]
    for i, unit in enumerate(1e-6 * np.eye(4)):
        up, down = (d_optimal_design.value_and_grad(t + sign * unit)[0][0] for sign in (1, -1))
        assert gradient[i] == pytest.approx((up - down) / 2e-6, rel=1e-6)


def log_marginal_likelihood(X, y, a, g, t):
    K = np.exp(a - np.exp(g) * ((X[:, None] - X) ** 2).sum(axis=-1)) + np.exp(t) * np.eye(len(y))
    return -0.5 * y @ np.linalg.solve(K, y) - 0.5 * np.linalg.slogdet(K)[1] - 0.5 * len(y) * np.log(2 * np.pi)


def test_gaussian_process_reaches_the_likelihood_of_scikit_learn():
    X, y = gp_hyperparameters.patients(80)
    theta, likelihood = gp_hyperparameters.fit(X, y, np.log([[1.0, 0.05, 0.5]]))
    assert likelihood[0] == pytest.approx(log_marginal_likelihood(X, y, *theta[0]), abs=1e-8)
    assert likelihood[0] == pytest.approx(gp_hyperparameters.KNOWN[80], abs=1e-5)


@pytest.mark.full
@pytest.mark.parametrize("count", [80, 442])
def test_scikit_learn_ends_at_the_likelihood_that_is_known(count):
    gaussian_process = pytest.importorskip("sklearn.gaussian_process")
    kernels = gaussian_process.kernels
    kernel = kernels.ConstantKernel(1.0) * kernels.RBF(3.0) + kernels.WhiteKernel(0.5)
    model = gaussian_process.GaussianProcessRegressor(kernel, alpha=0).fit(*gp_hyperparameters.patients(count))
    assert model.log_marginal_likelihood_value_ == pytest.approx(gp_hyperparameters.KNOWN[count], abs=1e-5)


def test_factor_models_find_what_the_covariances_were_made_from():
    loadings, log_variances = factor_models.models(40)
    found, found_log_variances, left = factor_models.fit(factor_models.covariances(loadings, log_variances))
    sign = np.sign((found * loadings).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(sign * found, loadings, atol=1e-6)
    np.testing.assert_allclose(found_log_variances, log_variances, atol=1e-6)
    assert left.max() <= 1e-8


@pytest.mark.full
def test_factor_model_of_data_is_that_of_scikit_learn():
    decomposition = pytest.importorskip("sklearn.decomposition")
    loadings, log_variances = factor_models.models(1)
    random = np.random.default_rng(7)
    covariance = factor_models.covariances(loadings, log_variances)[0]
    data = random.multivariate_normal(np.zeros(6), covariance, size=300)
    model = decomposition.FactorAnalysis(n_components=1, tol=1e-12, max_iter=100_000, svd_method="lapack").fit(data)
    found, found_log_variances, _ = factor_models.fit(np.cov(data, rowvar=False, bias=True)[None])
    np.testing.assert_allclose(np.exp(found_log_variances[0]), model.noise_variance_, rtol=1e-4)
    np.testing.assert_allclose(np.abs(found[0]), np.abs(model.components_[0]), rtol=1e-4)


def small_layer():
    random = np.random.default_rng(11)
    W = random.standard_normal((4, 5))
    X = random.standard_normal((30, 5)) @ random.standard_normal((5, 5))
    return W, X


def test_improved_rounding_is_below_the_nearest_and_no_single_move_lowers_it():
    W, X = small_layer()
    s, rounded = weight_quantisation.nearest(W, 3)
    q, loss = weight_quantisation.improve(W, s, rounded, X.T @ X / len(X), 3)

    def losses(numbers):
        return ((X @ (W - s[:, None] * numbers).T) ** 2).mean(axis=0)

    np.testing.assert_allclose(loss, losses(q), rtol=1e-10)
    assert (loss <= losses(rounded) * (1 + 1e-12)).all() and loss.sum() < 0.9 * losses(rounded).sum()
    assert set(np.unique(q)) <= {-3, -2, -1, 0, 1, 2, 3}
    for column, move in itertools.product(range(5), (-1, 1)):
        moved = q.copy()
        moved[:, column] += move
        allowed = np.abs(moved[:, column]) <= 3
        assert (losses(moved)[allowed] >= loss[allowed] * (1 - 1e-9)).all()


def test_improved_rounding_is_not_far_from_the_best_of_all():
    W, X = small_layer()
    s, rounded = weight_quantisation.nearest(W, 3)
    _, loss = weight_quantisation.improve(W, s, rounded, X.T @ X / len(X), 3)
    all_numbers = np.array(list(itertools.product(range(-3, 4), repeat=5)))
    for w, scale, found in zip(W, s, loss, strict=True):
        best = ((X @ (w - scale * all_numbers).T) ** 2).mean(axis=0).min()
        nearest = ((X @ (w - scale * np.rint(w / scale))) ** 2).mean()
        assert best <= found * (1 + 1e-12) and found <= nearest * (1 + 1e-12)


def test_trained_layer_is_where_the_gradient_of_the_loss_vanishes():
    from matgrad.examples import _data

    images, labels = _data.digits()
    X, y = images[:200], np.eye(10)[labels[:200]]
    W = weight_quantisation.train(X, labels[:200])
    scores = np.exp(X @ W.T)
    gradient = (scores / scores.sum(axis=1, keepdims=True) - y).T @ X + W
    first = (np.full_like(y, 0.1) - y).T @ X
    assert np.linalg.norm(gradient) <= 1e-6 * np.linalg.norm(first)
