"""A matgrad term as a layer of a PyTorch model: the directions of digits that tell most.

Ten numbers z for each image of 64 pixels, z = W*x with orthonormal rows W, tell most of Gaussian images if their
covariance has the largest determinant. The model is a linear layer of PyTorch, kept orthonormal by a parametrisation of
PyTorch, and a layer of matgrad: with a row of Z for each image it computes

    logdet(Z'*Z)

PyTorch differentiates through both, the second by its closed form 2*Z*inv(Z'*Z). The optimum is known: the principal
components of the images, with a log determinant of twice the sum of the logarithms of the ten largest singular values.
"""

import sys

import numpy as np

from matgrad.examples._data import digits, folder
from matgrad.examples._report import CannotRun, Report, main

try:
    import torch

    import matgrad.torch
except ImportError:
    torch = None


def make_model(pixels: int, numbers: int):
    """Images (n, pixels) to a number: the log determinant of what the first layer makes of them."""
    torch.manual_seed(1797)
    encoder = torch.nn.Linear(pixels, numbers, bias=False, dtype=torch.float64)
    return torch.nn.Sequential(
        torch.nn.utils.parametrizations.orthogonal(encoder),
        matgrad.torch.Module("logdet(Z'*Z)", wrt="Z"),
    )


def train(model, images, rounds: int, progress=lambda text: None) -> list[float]:
    """The log determinants (nats) after each round of ten steps of L-BFGS."""
    optimizer = torch.optim.LBFGS(
        model.parameters(), max_iter=10, history_size=20, tolerance_grad=0, tolerance_change=0,
        line_search_fn="strong_wolfe",
    )

    def closure():
        optimizer.zero_grad()
        loss = -model(images)
        loss.backward()
        return loss

    values = []
    for number in range(rounds):
        optimizer.step(closure)
        with torch.no_grad():
            values.append(float(model(images)))
        progress(f"round {number + 1}: log determinant {values[-1]:.9f} nats")
        if len(values) > 1 and values[-1] - values[-2] < 1e-10:
            break
    return values


def run(report: Report) -> bool:
    if torch is None:
        raise CannotRun("PyTorch is not installed")
    images, _ = digits()
    centred = images - images.mean(axis=0)
    numbers = 3 if report.small else 10
    model = make_model(images.shape[1], numbers)
    values = train(model, torch.from_numpy(centred), 40, report.progress)
    singular_values = np.loadtxt(folder() / "digits" / "singular_values.txt")
    known = 2 * np.log(singular_values[:numbers]).sum()
    report.say(f"{len(images)} images of 64 pixels, {numbers} numbers of each")
    report.say(f"{len(values)} rounds of 10 steps of L-BFGS")
    report.say(f"log determinant {values[-1]:.9f} nats, of the principal components {known:.9f}")

    def draw(axes):
        axes.semilogy(np.arange(1, len(values) + 1), np.maximum(known - np.array(values), 1e-13), "o-")
        axes.set(xlabel="round of 10 steps of L-BFGS", ylabel="log determinant below the known (nats)",
                 title=f"{numbers} directions of {len(images)} digits")

    report.plot(draw)
    reached = abs(values[-1] - known) <= 1e-6
    return report.finish(reached, "the log determinant of the principal components, within 1e-6")


if __name__ == "__main__":
    sys.exit(main("torch_layer", run, __doc__))
