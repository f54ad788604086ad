"""Rounding the weights of a classifier's layer to few bits, with less loss than rounding each to the nearest.

A layer of digits' scores is trained first: the W of the least

    sum over the images of logsumexp(W*x) - y'*W*x + 0.5*k*norm2(W)^2

Then each row w of it is rounded to s*q, with q whole numbers of few bits and one scale s for the row. What matters is
what the layer computes: the loss of a row is the mean square of its error on the images, a quadratic in q,

    (w - s*q)'*H*(w - s*q),    H = X'*X/n

From the nearest whole numbers on, each round moves the one q of each row by one that lowers the loss most. The change
of the loss is known exactly from the gradient: moving q_i by 1 or -1 adds +-gradient_i + s^2*H_ii. (Layer-wise rounding
by such losses: Nagel, Amjad, van Baalen, Louizos and Blankevoort, ICML 2020.)
"""

import sys

import numpy as np

import matgrad as mg
from matgrad.examples._data import digits
from matgrad.examples._newton import newton_cg
from matgrad.examples._report import Report, main

SCORES = "logsumexp(W*x) - y'*W*x + 0.5*k*norm2(W)^2"
LOSS = mg.function("(w - s*q)'*H*(w - s*q)", wrt="q", declare=["s=1", "H=n,n:sym"])


def train(X: np.ndarray, labels: np.ndarray, progress=lambda text: None) -> np.ndarray:
    """The layer (10, pixels) that tells digits apart."""
    loss = mg.function(SCORES, wrt="W", declare=["k=1"], reduce="sum")
    given = {"x": X, "y": np.eye(10)[labels], "k": 1 / len(X)}

    def value_and_grad(W):
        value, gradient = loss.value_and_grad(W=W[0], **given)
        return np.array([value]), gradient[None]

    def products_at(W):
        at = loss.linearize(W=W[0], **given)
        return lambda direction: at.hvp(direction[0])[None]

    W, _ = newton_cg(value_and_grad, products_at, np.zeros((1, 10, X.shape[1])), tolerance=1e-6, progress=progress)
    return W[0]


def nearest(W: np.ndarray, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """Scales (rows,) and the nearest whole numbers (rows, n): symmetric, the largest weight of a row the largest."""
    s = np.abs(W).max(axis=1) / (2 ** (bits - 1) - 1)
    return s, np.rint(W / s[:, None])


def improve(W: np.ndarray, s: np.ndarray, q: np.ndarray, H: np.ndarray, bits: int, progress=lambda text: None):
    """Whole numbers (rows, n) from which no single move of one lowers a row's loss, and the losses (rows,)."""
    q = q.copy()
    most = 2 ** (bits - 1) - 1
    rows = np.arange(len(q))
    moves = np.array([1.0, -1.0])[:, None, None]
    while True:
        loss, gradient = LOSS.value_and_grad(w=W, s=s, q=q, H=H)
        progress(f"{bits} bits: mean square error of the scores {loss.mean():.6f}")
        change = moves * gradient + s[:, None] ** 2 * np.diag(H)
        change[np.abs(q + moves) > most] = np.inf
        best = change.transpose(1, 0, 2).reshape(len(q), -1).argmin(axis=1)
        move, column = np.divmod(best, q.shape[1])
        lowers = change[move, rows, column] < -1e-12 * loss
        if not lowers.any():
            return q, loss
        q[rows[lowers], column[lowers]] += moves[move[lowers], 0, 0]


def run(report: Report) -> bool:
    images, labels = digits()
    trained = 400 if report.small else 1400
    X, others = images[:trained], images[trained:]
    W = train(X, labels[:trained], report.progress)
    H = X.T @ X / len(X)

    def right(weights):
        return 100 * np.mean((others @ weights.T).argmax(axis=1) == labels[trained:])

    report.say(f"a layer of 10 x 64 weights, trained on {trained} digits; loss: mean square error of the scores"
               " (logits^2)")
    report.say(f"right of the {len(others)} other digits, weights as they are: {right(W):.1f} %")
    report.say("bits   loss, nearest   loss, improved   ratio   right, nearest   right, improved")
    table = []
    is_below = True
    for bits in (2, 3, 4, 5, 6, 8):
        s, rounded = nearest(W, bits)
        before = LOSS.value(w=W, s=s, q=rounded, H=H)
        q, after = improve(W, s, rounded, H, bits, report.progress)
        is_below &= bool((after < before).all()) and np.abs(q).max() < 2 ** (bits - 1)
        table.append((bits, before.mean(), after.mean()))
        report.say(f"{bits:4} {before.mean():15.3e} {after.mean():16.3e} {after.mean() / before.mean():7.2f} "
                   f"{right(s[:, None] * rounded):14.1f} % {right(s[:, None] * q):15.1f} %")

    def draw(axes):
        bits, before, after = np.array(table).T
        axes.semilogy(bits, before, "o-", label="nearest")
        axes.semilogy(bits, after, "s-", label="improved by the gradient")
        axes.set(xlabel="bits of a weight", ylabel="mean square error of the scores (logits²)",
                 title="A layer's loss when its weights are rounded")
        axes.legend()

    report.plot(draw)
    return report.finish(is_below, "at equal bits each row's loss is strictly below that of rounding to the nearest")


if __name__ == "__main__":
    sys.exit(main("weight_quantisation", run, __doc__))
