"""The bootstrap of a classifier: 500 weighted logistic regressions fitted by Newton's method at once.

A resample of 569 tumours is a vector c of counts, and its regression minimises

    sum(c.*softplus(-s.*(X*w))) + 0.5*norm2(w)^2

with s = 1 for a malignant tumour and -1 for a benign one, X the standardised features and a last column of ones. X and
s are shared by all resamples, c and w are batched. Problem 0 is the regression itself, the next eight are resamples
whose counts come with the data; for these nine scikit-learn's coefficients are known.
"""

import sys

import numpy as np

import matgrad as mg
from matgrad.examples._data import breast_cancer, breast_cancer_resamples, standardised
from matgrad.examples._newton import newton_cg
from matgrad.examples._report import Report, main

LOSS = "sum(c.*softplus(-s.*(X*w))) + 0.5*norm2(w)^2"


def fit(X: np.ndarray, s: np.ndarray, counts: np.ndarray, progress=lambda text: None) -> tuple[np.ndarray, np.ndarray]:
    """The coefficients (K, n) of K weighted regressions, and how small their gradients became."""
    loss = mg.function(LOSS, wrt="w")

    def value_and_grad(w):
        return loss.value_and_grad(c=counts, s=s, X=X, w=w)

    def products_at(w):
        return loss.linearize(c=counts, s=s, X=X, w=w).hvp

    start = np.zeros((len(counts), X.shape[1]))
    return newton_cg(value_and_grad, products_at, start, tolerance=1e-12, progress=progress)


def run(report: Report) -> bool:
    features, malignant = breast_cancer()
    X = np.column_stack([standardised(features), np.ones(len(features))])
    known_counts, known = breast_cancer_resamples()
    random = np.random.default_rng(569)
    drawn = random.multinomial(len(X), np.full(len(X), 1 / len(X)), size=(60 if report.small else 500) - len(known))
    w, left = fit(X, malignant, np.vstack([known_counts, drawn]), report.progress)

    difference = np.abs(w[: len(known)] - known).max()
    report.say(f"{len(w)} regressions on {len(X)} tumours; coefficients: log odds per standard deviation of the"
               " feature")
    report.say("column   coefficient   scikit-learn   bootstrap s.e.")
    for column, row in enumerate(zip(w[0], known[0], w[1:].std(axis=0, ddof=1), strict=True)):
        report.say("{:6} {:13.6f} {:14.6f} {:16.4f}".format(column + 1, *row))
    report.say(f"largest difference from scikit-learn's {known.size} coefficients: {difference:.1e}")

    def draw(axes):
        axes.boxplot(w[1:], whis=(2.5, 97.5), showfliers=False)
        axes.plot(range(1, 12), known[0], "x", label="scikit-learn, all tumours")
        axes.set(xlabel="column", ylabel="coefficient (log odds per standard deviation)",
                 title="Resampled classifiers, 95% within whiskers")
        axes.legend()

    report.plot(draw)
    reached = difference <= 1e-9 and left.max() <= 1e-12
    return report.finish(reached, "scikit-learn's coefficients within 1e-9, and every resample converged")


if __name__ == "__main__":
    sys.exit(main("logistic_regression", run, __doc__))
