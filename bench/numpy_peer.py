#!/usr/bin/env python3
"""The gradients of matgrad_bench as a good NumPy user writes them: batched matmul and linalg.inv,
float32, results into preallocated arrays. Where there are two sensible ways, both are timed.

    numpy_peer.py                       NumPy alone: name, milliseconds (median)
    numpy_peer.py PATH/matgrad_bench    both in turn, as the table of README.md
"""

import json
import statistics
import subprocess
import sys
import time

import numpy as np

BATCH = 20000
REPEATS = 7
ROUNDS = 3


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


ROWS = {
    "log_det_gram": [log_det_gram],
    "frobenius_shared": [frobenius_shared, frobenius_shared_folded],
    "frobenius_batched": [frobenius_batched, frobenius_batched_left],
    "least_squares": [least_squares],
    "bilinear_trace": [bilinear_trace, bilinear_trace_flipped],
}


def matgrad_ms(program):
    """Median milliseconds of every row of matgrad_bench, by name and accuracy."""
    text = subprocess.run([program, "--benchmark_format=json", "--benchmark_repetitions=5"],
                          check=True, capture_output=True, text=True).stdout
    times = {}
    for row in json.loads(text)["benchmarks"]:
        if row.get("error_occurred"):
            sys.exit(f"{row['name']}: {row['error_message']}")
        if row.get("aggregate_name") == "median":
            times["/".join(row["name"].split("/")[:2])] = row["real_time"]
    return times


def main():
    if len(sys.argv) < 2:
        for name, ways in ROWS.items():
            for way in ways:
                print(f"{way.__name__:28s} {median_ms(way):9.2f}", flush=True)
        return
    # In turn and more than once, so that a busy moment of the machine does not fall on one side.
    ours, peers = [], []
    for _ in range(ROUNDS):
        ours.append(matgrad_ms(sys.argv[1]))
        peers.append({name: min(median_ms(way) for way in ways) for name, ways in ROWS.items()})
    print("| gradient | NumPy ms | fast ms | robust ms | NumPy / fast | fast / robust |")
    print("|---|---|---|---|---|---|")
    for name in ROWS:
        peer = statistics.median(round_[name] for round_ in peers)
        fast = statistics.median(round_[name + "/fast"] for round_ in ours)
        robust = statistics.median(round_[name + "/robust"] for round_ in ours)
        print(f"| {name} | {peer:.1f} | {fast:.1f} | {robust:.1f} | {peer / fast:.1f} "
              f"| {fast / robust:.2f} |")


if __name__ == "__main__":
    main()
