#!/usr/bin/env python3
"""Writes the three files beside it with scikit-learn (pip install scikit-learn): data, resamples, coefficients.

The regression is that of logistic_bootstrap.cpp: X the standardised features and a column of ones for the
intercept, f(w) = sum(c.*log(1 + exp(-s.*(X*w)))) + |w|^2/2, which is C = 1 in scikit-learn's terms. Newton's method
with a Cholesky factor ends far below the tolerance; the script fails where a gradient is not rounding.
"""

import pathlib

import numpy as np
import sklearn
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression

RESAMPLES = 8
FEATURES = 10  # the means; the other twenty are their errors and extremes

here = pathlib.Path(__file__).parent
cancer = load_breast_cancer()
features = cancer.data[:, :FEATURES]
malignant = 1 - cancer.target
names = [str(name).replace("mean ", "").replace(" ", "_") for name in cancer.feature_names[:FEATURES]]

with open(here / "data.csv", "w", newline="\n") as out:
    print(",".join([*names, "malignant"]), file=out)
    for row, y in zip(features, malignant):
        print(",".join([*map(repr, map(float, row)), str(y)]), file=out)

random = np.random.default_rng(569)
draws = random.integers(len(features), size=(RESAMPLES, len(features)))
counts = np.array([np.bincount(draw, minlength=len(features)) for draw in draws])
with open(here / "counts.csv", "w", newline="\n") as out:
    for row in counts:
        print(",".join(map(str, row)), file=out)

x = np.hstack([(features - features.mean(axis=0)) / features.std(axis=0), np.ones((len(features), 1))])
sign = 2 * malignant - 1
with open(here / "coefficients.csv", "w", newline="\n") as out:
    print(",".join([*names, "intercept"]), file=out)
    for weights in [np.ones(len(x), dtype=int), *counts]:
        model = LogisticRegression(
            C=1.0, fit_intercept=False, solver="newton-cholesky", tol=1e-14, max_iter=100
        )
        model.fit(x, malignant, sample_weight=weights)
        w = model.coef_[0]
        gradient = x.T @ (-weights * sign / (1 + np.exp(sign * (x @ w)))) + w
        if not np.abs(gradient).max() < 1e-10:
            raise SystemExit(f"not converged: gradient {gradient}")
        print(",".join(repr(float(value)) for value in w), file=out)
print(f"scikit-learn {sklearn.__version__}")
