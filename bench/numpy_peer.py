#!/usr/bin/env python3
"""The gradients of matgrad_bench as a good NumPy user writes them: batched matmul and linalg.inv,
float32, results into preallocated arrays. Prints one line a row: name, milliseconds (median)."""

import statistics
import sys
import time

import numpy as np

BATCH = int(sys.argv[1]) if len(sys.argv) > 1 else 20000
REPEATS = 7


def median_ms(run):
    run()
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        run()
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times)


rng = np.random.default_rng(1)


def draw(*shape):
    return rng.uniform(-1, 1, shape).astype(np.float32)


def transposed(a):
    return np.swapaxes(a, -1, -2)


X = draw(BATCH, 64, 16)
G = np.zeros_like(X)
gram = np.zeros((BATCH, 16, 16), np.float32)


def log_det_gram():
    np.matmul(transposed(X), X, out=gram)
    inverse = np.linalg.inv(gram)
    np.multiply(inverse, np.float32(2), out=inverse)
    np.matmul(X, inverse, out=G)


A = draw(32, 16)


def frobenius_shared():
    np.matmul(X, A.T @ A, out=G)


def frobenius_shared_folded():
    np.matmul(X.reshape(-1, 16), A.T @ A, out=G.reshape(-1, 16))


A_batch = draw(BATCH, 32, 16)
XA = np.zeros((BATCH, 64, 32), np.float32)


def frobenius_batched():
    np.matmul(transposed(A_batch), A_batch, out=gram)
    np.matmul(X, gram, out=G)


def frobenius_batched_left():
    np.matmul(X, transposed(A_batch), out=XA)
    np.matmul(XA, A_batch, out=G)


L = draw(BATCH, 64, 16)
x = draw(BATCH, 16, 1)
b = draw(BATCH, 64, 1)
residual = np.zeros((BATCH, 64, 1), np.float32)
g = np.zeros((BATCH, 16, 1), np.float32)


def least_squares():
    np.matmul(L, x, out=residual)
    np.subtract(residual, b, out=residual)
    np.multiply(residual, np.float32(2), out=residual)
    np.matmul(transposed(L), residual, out=g)


P = draw(BATCH, 32, 32)
Q = draw(BATCH, 32, 32)
R = np.zeros_like(P)


def bilinear_trace():
    np.matmul(transposed(P), transposed(Q), out=R)


def bilinear_trace_flipped():
    np.matmul(Q, P, out=R)  # the transpose of the result, as a view


for name, run in list(globals().items()):
    if callable(run) and getattr(run, "__module__", "") == "__main__" and name not in (
            "median_ms", "draw", "transposed"):
        print(f"{name:28s} {median_ms(run):9.2f}", flush=True)
