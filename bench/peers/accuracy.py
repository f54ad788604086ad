#!/usr/bin/env python3
"""Error of the gradient of logdet(X'*X) in float against the condition number of X.

    accuracy.py --matgrad build/release/bin/matgrad --json accuracy.json

X is m-by-n float32 with singular values spread evenly on a logarithmic scale from 1 to 1/cond. The
truth is 2 U S^-1 V' from the singular value decomposition of that very X in double, whose own error
is about eps(double) * cond. matgrad reads X and writes the gradient as .npy files; the peers are the
libraries that can be imported.
"""

import argparse
import json
import os
import subprocess
import tempfile

import numpy as np

EXPONENTS = np.arange(0, 5.01, 0.5)


def draw(rng, problems, m, n, condition):
    u, _ = np.linalg.qr(rng.standard_normal((problems, m, n)))
    v, _ = np.linalg.qr(rng.standard_normal((problems, n, n)))
    singular = np.logspace(0, -np.log10(condition), n)
    return ((u * singular) @ np.swapaxes(v, -1, -2)).astype(np.float32)


def truth(x):
    u, s, vt = np.linalg.svd(x.astype(np.float64), full_matrices=False)
    return 2 * (u / s[:, None, :]) @ vt


def matgrad_ways(command):
    def way(accuracy):
        def gradient(x):
            with tempfile.TemporaryDirectory() as folder:
                source, result = os.path.join(folder, "X.npy"), os.path.join(folder, "G.npy")
                np.save(source, x)
                # Exit status 1: some problems failed, and their gradients are NaN.
                done = subprocess.run([command, "eval", "logdet(X'*X)", "--wrt", "X",
                                       f"X={source}", "--grad", result, "--accuracy", accuracy],
                                      capture_output=True, text=True, check=False)
                if done.returncode not in (0, 1):
                    raise RuntimeError(done.stderr)
                return np.load(result)
        return gradient
    return {"matgrad robust": way("robust"), "matgrad fast": way("fast")}


def numpy_ways():
    def inverse(x):
        return 2 * x @ np.linalg.inv(np.swapaxes(x, -1, -2) @ x)

    def qr(x):
        q, r = np.linalg.qr(x)
        return 2 * np.swapaxes(np.linalg.solve(r, np.swapaxes(q, -1, -2)), -1, -2)

    return {"numpy inverse": inverse, "numpy qr": qr}


def jax_ways():
    import jax
    import with_jax

    closed = jax.jit(jax.vmap(lambda x: with_jax.log_det_gram_cholesky(x)[1]))
    grad = jax.jit(jax.vmap(jax.grad(with_jax.FUNCTIONS["logdet(X'*X)"][1])))
    return {"jax cholesky": lambda x: np.asarray(closed(x)),
            "jax grad": lambda x: np.asarray(grad(x))}


def torch_ways():
    import torch
    import with_torch

    def cholesky(x):
        factor, _ = torch.linalg.cholesky_ex(x.mT @ x)
        return 2 * torch.cholesky_solve(x.mT, factor).mT

    grad = torch.func.vmap(torch.func.grad(with_torch.FUNCTIONS["logdet(X'*X)"][1]))
    return {"pytorch cholesky": lambda x: cholesky(torch.from_numpy(x)).numpy(),
            "pytorch grad": lambda x: grad(torch.from_numpy(x)).numpy()}


def errors(way, x, expected):
    """Relative errors in the Frobenius norm, one problem at a time: a failure is that problem's."""
    found = np.full(len(x), np.inf)
    try:
        results = way(x)
    except np.linalg.LinAlgError:
        results = np.full(x.shape, np.nan)
        for k in range(len(x)):
            try:
                results[k] = way(x[k:k + 1])[0]
            except np.linalg.LinAlgError:
                pass
    distance = np.linalg.norm(results.astype(np.float64) - expected, axis=(-2, -1))
    relative = distance / np.linalg.norm(expected, axis=(-2, -1))
    finite = np.isfinite(relative)
    found[finite] = relative[finite]
    return found


def summary(found):
    def number(value):
        return float(value) if np.isfinite(value) else None
    return {"median": number(np.median(found)), "largest": number(np.max(found)),
            "failed": int(np.sum(~np.isfinite(found)))}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--matgrad", required=True, help="the command")
    parser.add_argument("--json", required=True)
    parser.add_argument("--rows", type=int, default=64)
    parser.add_argument("--cols", type=int, default=16)
    parser.add_argument("--problems", type=int, default=100)
    options = parser.parse_args()
    ways = matgrad_ways(options.matgrad) | numpy_ways()
    for more in (jax_ways, torch_ways):
        try:
            ways |= more()
        except ImportError as problem:
            print(f"{more.__name__.removesuffix('_ways')} is absent: {problem}")
    series = {name: [] for name in ways}
    rng = np.random.default_rng(1)
    for exponent in EXPONENTS:
        x = draw(rng, options.problems, options.rows, options.cols, 10**exponent)
        expected = truth(x)
        for name, way in ways.items():
            series[name].append(summary(errors(way, x, expected)))
    with open(options.json, "w", encoding="utf-8") as file:
        json.dump({"conditions": [float(10**e) for e in EXPONENTS], "rows": options.rows,
                   "cols": options.cols, "problems": options.problems, "series": series}, file,
                  indent=1)
    for name, found in series.items():
        print(f"{name:18s}", " ".join("  failed" if e["median"] is None else f"{e['median']:8.1e}"
                                      for e in found))


if __name__ == "__main__":
    main()
