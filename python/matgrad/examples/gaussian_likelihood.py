"""The bootstrap of a precision matrix: 5,000 Gaussians fitted by Newton's method at once.

Which of eight measurements of 442 patients go together once the other six are known? Their partial correlations,
-P_ij / sqrt(P_ii P_jj), are in the precision matrix P of the Gaussian that fits best. It minimises

    -logdet(P) + tr(S*P)

with S the covariances of the patients. To see how certain they are, draw the patients anew and fit again. A step that
leaves the positive definite matrices has no value, in its own problem alone, and is halved. The minimum is known:
P = inv(S).
"""

import sys

import numpy as np

import matgrad as mg
from matgrad.examples._data import diabetes, standardised
from matgrad.examples._newton import newton_cg
from matgrad.examples._report import Report, main

LEFT_OUT = ("s1", "s2", "s4")  # they are all but functions of the other columns


def covariances(resamples: int) -> tuple[np.ndarray, list[str]]:
    """Of all patients, then of each resample, (1 + resamples, 8, 8); the names of the measurements."""
    columns, progression, names = diabetes()
    kept = [name not in LEFT_OUT for name in names]
    patients = standardised(np.column_stack([columns[:, kept], progression]))
    random = np.random.default_rng(442)
    draws = [np.arange(len(patients)), *random.integers(len(patients), size=(resamples, len(patients)))]
    S = np.array([np.cov(patients[draw], rowvar=False, bias=True) for draw in draws])
    return S, [name for name, keep in zip(names, kept, strict=True) if keep] + ["progression"]


def fit(S: np.ndarray, progress=lambda text: None) -> tuple[np.ndarray, np.ndarray]:
    """The precision matrices (K, n, n) of K Gaussians, and how small their gradients became."""
    loss = mg.function("-logdet(P) + tr(S*P)", wrt="P", declare=["P=n,n:spd", "S=n,n:sym"])

    def value_and_grad(P):
        return loss.value_and_grad(P=P, S=S)

    def products_at(P):
        return loss.linearize(P=P, S=S).hvp

    start = np.eye(S.shape[-1]) / np.diagonal(S, axis1=1, axis2=2)[:, :, None]
    return newton_cg(value_and_grad, products_at, start, tolerance=1e-10, progress=progress)


def run(report: Report) -> bool:
    S, names = covariances(200 if report.small else 4_999)
    P, left = fit(S, report.progress)

    scale = np.sqrt(np.diagonal(P, axis1=1, axis2=2))
    partial = -(P / scale[:, :, None] / scale[:, None, :])[:, :-1, -1]
    low, high = np.quantile(partial[1:], [0.025, 0.975], axis=0)
    report.say(f"{len(S)} Gaussians of {S.shape[-1]} measurements; partial correlation with progression (no unit),")
    report.say("and what 95% of the resamples lie between")
    for row in zip(names[:-1], partial[0], low, high, strict=True):
        report.say("{:<6} {:9.6f}   {:8.4f} {:8.4f}".format(*row))
    error = np.abs(P @ S - np.eye(len(names))).max()
    report.say(f"largest entry of P*S - I: {error:.1e}")

    def draw(axes):
        axes.errorbar(range(len(low)), partial[0], [partial[0] - low, high - partial[0]], fmt="o", capsize=4)
        axes.axhline(0, color="grey", linewidth=0.8)
        axes.set_xticks(range(len(low)), names[:-1])
        axes.set(ylabel="partial correlation with progression", title="Precision matrices of resamples, 95% intervals")

    report.plot(draw)
    return report.finish(error <= 1e-8 and left.max() <= 1e-10, "P = inv(S) in every resample, P*S = I within 1e-8")


if __name__ == "__main__":
    sys.exit(main("gaussian_likelihood", run, __doc__))
