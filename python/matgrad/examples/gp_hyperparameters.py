"""Hyperparameters of a Gaussian process by its marginal likelihood, from several starts at once.

How far apart do two patients have to be for their progressions to tell nothing of each other? A Gaussian process with
the covariances K = exp(a)*exp(-exp(g)*D) + exp(t)*eye(n), D the squared distances of patients, answers by the a, g and
t of the largest likelihood: they minimise

    0.5*y'*inv(K)*y + 0.5*logdet(K)

which is the negative log marginal likelihood but for n/2*log(2*pi). The gradients by the three numbers are closed
forms in which the inverse of K appears once. D and y are shared by all starts, a, g and t are batched. The likelihood
that scikit-learn finds (GaussianProcessRegressor) is known.
"""

import sys

import numpy as np

import matgrad as mg
from matgrad.examples._data import diabetes, standardised
from matgrad.examples._newton import newton_cg
from matgrad.examples._report import Report, main

K = "(exp(a)*exp(-exp(g)*D) + exp(t)*eye(n))"
LOSS = f"0.5*y'*inv({K})*y + 0.5*logdet({K})"

# Log marginal likelihoods that GaussianProcessRegressor(ConstantKernel(1)*RBF(3) + WhiteKernel(0.5), alpha=0) of
# scikit-learn 1.9.1 ends with, for the first so many patients.
KNOWN = {80: -102.2160307185386, 442: -485.74326333847677}


def patients(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Standardised variables (count, 10) and progression (count,) of the first patients."""
    columns, progression, _ = diabetes()
    return standardised(columns[:count]), standardised(progression[:count])


def fit(X: np.ndarray, y: np.ndarray, start: np.ndarray, progress=lambda text: None) -> tuple[np.ndarray, np.ndarray]:
    """The hyperparameters a, g, t (K, 3) that K starts reach, and the log marginal likelihoods there (K,)."""
    D = ((X[:, None] - X) ** 2).sum(axis=-1)
    loss = mg.function(LOSS, wrt=("a", "g", "t"), declare=["a=1", "g=1", "t=1", "y=n", "D=n,n:sym"])

    def value_and_grad(theta):
        a, g, t = theta.T
        value, gradients = loss.value_and_grad(a=a, g=g, t=t, D=D, y=y)
        return value, np.stack([gradients[name] for name in "agt"], axis=1)

    def products_at(theta):
        a, g, t = theta.T
        at = loss.linearize(a=a, g=g, t=t, D=D, y=y)

        def multiply(direction):
            products = at.hvp(*direction.T)
            return np.stack([products[name] for name in "agt"], axis=1)

        return multiply

    theta, _ = newton_cg(value_and_grad, products_at, start, tolerance=1e-8, max_steps=30, progress=progress)
    return theta, -value_and_grad(theta)[0] - 0.5 * len(y) * np.log(2 * np.pi)


def run(report: Report) -> bool:
    count = 80 if report.small else 442
    X, y = patients(count)
    random = np.random.default_rng(442)
    lengths = np.exp(random.uniform(np.log(1), np.log(20), 4))  # in standard deviations of the variables
    noises = np.exp(random.uniform(np.log(0.1), np.log(1), 4))
    start = np.column_stack([np.zeros(4), -np.log(2 * lengths**2), np.log(noises)])
    theta, likelihood = fit(X, y, start, report.progress)

    report.say(f"{count} patients; log marginal likelihood in nats, scikit-learn's is {KNOWN[count]:.6f}")
    report.say("start: length  noise     end: amplitude   length    noise   log marginal likelihood")
    for length, noise, (a, g, t), end in zip(lengths, noises, theta, likelihood, strict=True):
        found = f"{np.exp(a / 2):18.4f} {np.exp(-g / 2) / np.sqrt(2):8.4f} {np.exp(t):8.4f}"
        report.say(f"{length:13.3f} {noise:6.3f} {found} {end:18.6f}")
    report.say("lengths in standard deviations of the variables, noise as a variance of the standardised progression")

    best = theta[np.argmax(likelihood)]

    def draw(axes):
        lengths = np.geomspace(1, 30, 25)
        thetas = np.tile(best, (len(lengths), 1))
        thetas[:, 1] = -np.log(2 * lengths**2)
        D = ((X[:, None] - X) ** 2).sum(axis=-1)
        f = mg.function(LOSS, declare=["a=1", "g=1", "t=1", "y=n", "D=n,n:sym"], wrt=())
        curve = -f.value(a=thetas[:, 0], g=thetas[:, 1], t=thetas[:, 2], D=D, y=y) - 0.5 * count * np.log(2 * np.pi)
        axes.semilogx(lengths, curve, label="other hyperparameters at the optimum")
        axes.plot(np.exp(-best[1] / 2) / np.sqrt(2), likelihood.max(), "o", label="found")
        axes.axhline(KNOWN[count], color="grey", linewidth=0.8, label="scikit-learn's optimum")
        axes.set(xlabel="length scale (standard deviations of the variables)", ylabel="log marginal likelihood (nats)",
                 title=f"Gaussian process of {count} patients")
        axes.legend()

    report.plot(draw)
    reached = abs(likelihood.max() - KNOWN[count]) <= 1e-4
    return report.finish(reached, "the log marginal likelihood that scikit-learn finds, within 1e-4 nats")


if __name__ == "__main__":
    sys.exit(main("gp_hyperparameters", run, __doc__))
