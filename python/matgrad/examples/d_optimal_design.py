"""D-optimal designs for polynomial regression, from many random starts at once.

Where should the d + 1 points of an experiment on [-1, 1] lie so that a polynomial of degree d is determined best? The
D-optimal design maximises

    logdet(X'*X)

with X the Vandermonde matrix of the points t, X_ij = t_i^j. matgrad gives its gradient G by X; the chain rule to the
points is dX_ij/dt_i = j*t_i^(j-1). All starts climb by projected gradients in one batch (Birgin, Martinez and Raydan,
SIAM J. Optim. 10, 2000). The optimum is known: the points are the roots of (1 - t^2) P_d'(t), P_d the Legendre
polynomial, with equal weights (Guest, Annals of Mathematical Statistics 29, 1958).
"""

import sys

import numpy as np
from numpy.polynomial import legendre

import matgrad as mg
from matgrad.examples._report import Report, main

CRITERION = mg.function("logdet(X'*X)", wrt="X")


def known_points(degree: int) -> np.ndarray:
    """The D-optimal points (degree + 1,)."""
    inner = legendre.legroots(legendre.legder([0] * degree + [1]))
    return np.array([-1.0, *np.sort(inner), 1.0])


def value_and_grad(t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """logdet(X'*X) of points (K, d + 1), and its gradients by the points."""
    powers = np.arange(t.shape[-1])
    X = t[..., None] ** powers
    dX = powers * t[..., None] ** np.maximum(powers - 1, 0)
    value, G = CRITERION.value_and_grad(X=X)
    return value, (G * dX).sum(axis=-1)


def climb(t: np.ndarray, max_rounds: int = 2000, progress=lambda text: None) -> tuple[np.ndarray, np.ndarray]:
    """Where each start (K, d + 1) ends, points in rising order, and the criterion there (K,)."""
    t = np.sort(t, axis=1)
    value, gradient = value_and_grad(t)
    step = np.full((len(t), 1), 0.01)
    for number in range(max_rounds):
        left = np.abs(np.clip(t + gradient, -1, 1) - t).max(axis=1)
        done = (left <= 1e-8).sum()
        progress(f"degree {t.shape[1] - 1}, round {number}: best criterion {value.max():.9f}, {done} of {len(t)} done")
        if left.max() <= 1e-8:
            break
        trial = np.clip(t + step * gradient, -1, 1)
        trial_value, trial_gradient = value_and_grad(trial)
        s = trial - t
        promised = 1e-4 * (gradient * s).sum(axis=1) - 1e-13 * (1 + np.abs(value))
        # Between points in a fixed order the criterion is concave. Points that meet have no criterion: NaN, not up.
        taken = (trial_value >= value + promised) & (np.diff(trial, axis=1) > 0).all(axis=1)
        bent = (s * (gradient - trial_gradient)).sum(axis=1)
        longer = np.divide((s * s).sum(axis=1), bent, out=np.ones_like(bent), where=bent > 0)  # Barzilai and Borwein
        step = np.where(taken, np.clip(longer, 1e-8, 1), 0.25 * step[:, 0])[:, None]
        t = np.where(taken[:, None], trial, t)
        gradient = np.where(taken[:, None], trial_gradient, gradient)
        value = np.where(taken, trial_value, value)
    return t, value


def variance(points: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Of the fitted polynomial at each of `at`, in units of the noise's variance over the number of observations. No
    design has a smaller maximum than d + 1, and the D-optimal one has that (Kiefer and Wolfowitz, 1960)."""
    X = points[:, None] ** np.arange(len(points))
    rows = at[:, None] ** np.arange(len(points))
    return len(points) * (rows * np.linalg.solve(X.T @ X, rows.T).T).sum(axis=1)


def run(report: Report) -> bool:
    starts = 40 if report.small else 1000
    random = np.random.default_rng(1958)
    best = {}
    worst = 0.0
    lines = []
    for degree in range(2, 5 if report.small else 7):
        known = known_points(degree)
        optimum = value_and_grad(known)[0]
        t, value = climb(random.uniform(-1, 1, (starts, degree + 1)), progress=report.progress)
        best[degree] = t[np.argmax(value)]
        error = abs(value.max() - optimum)
        worst = max(worst, error)
        reached = (np.abs(value - optimum) <= 1e-9).sum()
        points = " ".join(f"{point:.4f}" for point in best[degree])
        lines.append(f"{degree:6} {optimum:16.9f} {error:14.1e} {reached:12} of {starts}   {points}")
    report.say(f"{starts} random starts for each degree; points on [-1, 1], no unit")
    report.say("degree  known criterion    best start's error   starts within 1e-9   points")
    for line in lines:
        report.say(line)

    def draw(axes):
        at = np.linspace(-1, 1, 401)
        for degree, points in best.items():
            axes.plot(at, variance(points, at) / (degree + 1), label=f"degree {degree}")
            axes.plot(points, np.ones_like(points), "k.")
        axes.axhline(1, color="grey", linewidth=0.8)
        axes.set(xlabel="t (no unit)", ylabel="variance of the fit over the bound d + 1", ylim=(0, 1.1),
                 title="D-optimal designs reach the bound at their points")
        axes.legend()

    report.plot(draw)
    return report.finish(worst <= 1e-9, "the known D-optimal criterion of every degree, within 1e-9")


if __name__ == "__main__":
    sys.exit(main("d_optimal_design", run, __doc__))
