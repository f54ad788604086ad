"""Problems of a prescribed condition number, and what is right for them, in decimal arithmetic.

Numbers are Decimal of 100 digits, in NumPy arrays of objects. A condition number of 1e16 costs the Gram
matrix 32 of them and its inverse as many again, so at least 30 are right, twice what double has.
"""

import decimal
from decimal import Decimal

import numpy as np

DIGITS = 100
decimal.getcontext().prec = DIGITS  # of this thread, for the whole program
exact = np.vectorize(Decimal, otypes=[object])  # every float is a Decimal, without rounding


def norm(a):
    return sum((entry * entry for entry in np.ravel(a)), Decimal(0)).sqrt()


def orthonormal(rng, rows, cols):
    """Orthonormal columns, by the modified Gram-Schmidt process on random ones."""
    q = exact(rng.standard_normal((rows, cols)))
    for j in range(cols):
        for i in range(j):
            q[:, j] -= q[:, i] * (q[:, i] @ q[:, j])
        q[:, j] /= norm(q[:, j])
    return q


def draw(rng, rows, cols, condition, dtype):
    """A matrix whose singular values lie evenly, in their logarithm, from 1/2 down to 1/(2*condition).

    It is rounded once, to its type. The logarithm of its determinant is never near 0.
    """
    powers = [-Decimal(i) / (cols - 1) for i in range(cols)]
    singular = np.array([Decimal(condition) ** power / 2 for power in powers])
    x = orthonormal(rng, rows, cols) * singular @ orthonormal(rng, cols, cols).T
    return x.astype(np.float64).astype(dtype)


def inverse_and_log_det(s):
    """Of a symmetric positive definite matrix, by Gauss-Jordan elimination."""
    n = len(s)
    inverse, log_det = s.copy(), Decimal(0)
    for k in range(n):
        pivot = inverse[k, k]
        log_det += pivot.ln()
        row, column = inverse[k] / pivot, inverse[:, k].copy()
        column[k] = Decimal(0)
        row[k], inverse[:, k] = 1 / pivot, Decimal(0)
        inverse[k] = row
        inverse -= np.outer(column, row)
    return inverse, log_det


def log_det_gram(x):
    """Value and gradient of logdet(X'*X)."""
    inverse, log_det = inverse_and_log_det(x.T @ x)
    return log_det, 2 * (x @ inverse)


def trace_inverse_gram(x):
    """Value and gradient of tr(inv(X'*X))."""
    inverse, _ = inverse_and_log_det(x.T @ x)
    return np.trace(inverse), -2 * (x @ inverse @ inverse)


FUNCTIONS = {"logdet(X'*X)": log_det_gram, "tr(inv(X'*X))": trace_inverse_gram}


def relative_error(found, right):
    """In the Frobenius norm; infinite where something found is not a number."""
    found, right = np.atleast_1d(found), np.atleast_1d(right)
    if not np.all(np.isfinite(found)):
        return float("inf")
    return float(norm(exact(found) - right) / norm(right))
