"""The bootstrap of a regression: 10,000 weighted least-squares problems solved at once.

How certain are the coefficients of a regression? Draw the 442 patients anew, with replacement, fit again, and look at
how the coefficients scatter. A resample is a vector w of counts, one for each patient, and its fit minimises

    sum(w.*(A*x - b).^2)

A and b are shared by all resamples, w and x are batched. The Hessian is the same at every x, so one step of Newton's
method with conjugate gradients would do, were it exact. Problem 0 has a count of 1 for every patient: it is the
regression itself, whose coefficients are published (Efron, Hastie, Johnstone and Tibshirani, Annals of Statistics 32,
2004).
"""

import sys

import numpy as np

import matgrad as mg
from matgrad.examples._data import diabetes
from matgrad.examples._newton import newton_cg
from matgrad.examples._report import Report, main

PUBLISHED = [-10.0099, -239.8156, 519.8459, 324.3846, -792.1756, 476.7390, 101.0433, 177.0632, 751.2737, 67.6267]


def standardised_to_unit_norm(columns: np.ndarray) -> np.ndarray:
    """Each column of mean 0 and norm 1, as the published coefficients have it."""
    centred = columns - columns.mean(axis=0)
    return centred / np.linalg.norm(centred, axis=0)


def draw_counts(resamples: int, patients: int) -> np.ndarray:
    """How often each patient is drawn, (1 + resamples, patients); once each in problem 0."""
    random = np.random.default_rng(442)
    drawn = random.multinomial(patients, np.full(patients, 1 / patients), size=resamples)
    return np.vstack([np.ones(patients), drawn])


def fit(A: np.ndarray, b: np.ndarray, counts: np.ndarray, progress=lambda text: None) -> tuple[np.ndarray, np.ndarray]:
    """The coefficients (K, n) of K weighted regressions, and how small their gradients became."""
    loss = mg.function("sum(w.*(A*x - b).^2)", wrt="x")
    Q, R = np.linalg.qr(A)  # in this basis Hessians are near 2*I

    def value_and_grad(x):
        return loss.value_and_grad(w=counts, A=Q, x=x, b=b)

    def products_at(x):
        return loss.linearize(w=counts, A=Q, x=x, b=b).hvp

    start = np.zeros((len(counts), A.shape[1]))
    x, left = newton_cg(value_and_grad, products_at, start, tolerance=1e-10, progress=progress)
    return np.linalg.solve(R, x[..., None])[..., 0], left


def run(report: Report) -> bool:
    columns, progression, names = diabetes()
    A = np.column_stack([standardised_to_unit_norm(columns), np.ones(len(columns))])
    counts = draw_counts(300 if report.small else 10_000, len(columns))
    coefficients, left = fit(A, progression, counts, report.progress)

    found, resampled = coefficients[0, :-1], coefficients[1:, :-1]
    noise = np.linalg.norm(A @ coefficients[0] - progression) / np.sqrt(len(A) - A.shape[1])
    classical = noise * np.sqrt(np.diag(np.linalg.inv(A.T @ A)))[:-1]
    report.say(f"{len(resampled)} resamples of {len(A)} patients; coefficients: progression per unit of the scaled"
               " column")
    report.say("          coefficient    published   bootstrap s.e.   classical s.e.")
    for row in zip(names, found, PUBLISHED, resampled.std(axis=0, ddof=1), classical, strict=True):
        report.say("{:<6} {:14.4f} {:12.4f} {:16.2f} {:16.2f}".format(*row))

    def draw(axes):
        axes.boxplot(resampled, tick_labels=names, whis=(2.5, 97.5), showfliers=False)
        axes.plot(range(1, 11), PUBLISHED, "x", label="published coefficient")
        axes.set(ylabel="coefficient (progression per scaled unit)", title="Resampled regressions, 95% within whiskers")
        axes.legend()

    report.plot(draw)
    reached = np.abs(found - PUBLISHED).max() <= 0.5e-4 and left.max() <= 1e-10
    return report.finish(reached, "the published coefficients, to all of their digits, and every resample converged")


if __name__ == "__main__":
    sys.exit(main("bootstrap_regression", run, __doc__))
