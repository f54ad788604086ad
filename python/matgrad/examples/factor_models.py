"""100,000 small factor models fitted at once.

A factor model says that six measurements go together because all of them depend on one hidden factor: their
covariances are l*l' + diag(exp(p)), with loadings l and log variances p of what each measurement has of its own. The
maximum-likelihood fit to covariances S minimises

    logdet(C) + tr(inv(C)*S),    C = l*l' + diag(exp(p))

Both l and p are variables; one call gives both gradients of all problems, one Hessian-vector product has the cross
terms. Here S is made from a model, another for each problem, so the minimum is known: logdet(S) + 6, at the loadings
and variances that S was made from (the sign of a factor is free).
"""

import sys

import numpy as np

import matgrad as mg
from matgrad.examples._newton import newton_cg
from matgrad.examples._report import Report, main

C = "(l*l' + diag(exp(p)))"
LOSS = f"logdet({C}) + tr(inv({C})*S)"


def models(count: int, size: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Loadings (count, size) and log variances (count, size)."""
    random = np.random.default_rng(1904)  # Spearman's year
    loadings = random.uniform(0.4, 1.2, (count, size)) * random.choice([-1, 1], (count, size))
    return loadings, np.log(random.uniform(0.3, 1.5, (count, size)))


def covariances(loadings: np.ndarray, log_variances: np.ndarray) -> np.ndarray:
    """Of the measurements, (K, n, n)."""
    n = loadings.shape[1]
    return loadings[:, :, None] * loadings[:, None, :] + np.exp(log_variances)[:, :, None] * np.eye(n)


def fit(S: np.ndarray, progress=lambda text: None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Loadings (K, n), log variances (K, n), and how small the gradients became (K,)."""
    K, n = S.shape[:2]
    loss = mg.function(LOSS, wrt=("l", "p"), declare=["S=n,n:sym"])

    def parts(x):  # views: x is (K, 2*n), loadings before log variances
        return x[:, :n], x[:, n:]

    def value_and_grad(x):
        value, gradient = np.empty(K), np.empty_like(x)
        l, p = parts(x)
        loss.value_and_grad(l=l, p=p, S=S, out=(value, *parts(gradient)))
        return value, gradient

    def products_at(x):
        l, p = parts(x)

        def multiply(direction):
            product = np.empty_like(direction)
            l_dot, p_dot = parts(direction)
            loss.hvp(l=l, p=p, S=S, l_dot=l_dot, p_dot=p_dot, out=parts(product))
            return product

        return multiply

    largest = np.linalg.eigh(S)[1][:, :, -1]  # the direction of the first principal component
    variances = np.diagonal(S, axis1=1, axis2=2)
    start = np.hstack([largest * np.sqrt(variances), np.log(variances / 2)])
    x, left = newton_cg(value_and_grad, products_at, start, tolerance=1e-8, longest=1.0, progress=progress)
    return x[:, :n], x[:, n:], left


def run(report: Report) -> bool:
    loadings, log_variances = models(500 if report.small else 100_000)
    S = covariances(loadings, log_variances)
    L, p, left = fit(S, report.progress)
    L = L * np.sign((L * loadings).sum(axis=1, keepdims=True))

    error = np.maximum(np.abs(L - loadings).max(axis=1), np.abs(np.exp(p) - np.exp(log_variances)).max(axis=1))
    report.say(f"{len(S)} models of {S.shape[1]} measurements and one factor, {L.size + p.size} unknowns; no units")
    report.say(f"largest error of a loading or a variance in any model: {error.max():.1e};"
               f" median of models: {np.median(error):.1e}")
    report.say(f"largest gradient left: {left.max():.1e} of the first")

    def draw(axes):
        axes.hist(np.log10(error + 1e-17), bins=60)
        axes.set(xlabel="log10 of the largest error of a loading or a variance (no unit)", ylabel="models",
                 title=f"{len(S)} factor models fitted at once")

    report.plot(draw)
    return report.finish(error.max() <= 1e-5, "the loadings and variances of every model, within 1e-5")


if __name__ == "__main__":
    sys.exit(main("factor_models", run, __doc__))
