"""Random operands for declarations: `X=m,n`, `S=n,n:spd`, `t=1:pos`."""

import numpy as np

# Operands within the domain of a logarithm or root, though nothing declares them positive.
POSITIVE = {
    "weighted_least_squares": "w",
    "log_barrier": "b",
    "dirichlet": "a",
    "factor_analysis": "d",
    "d_optimal_weights": "w",
    "a_optimal_weights": "w",
    "risk_parity": "x",
    "negative_binomial": "y",
    "cox": "R",
    "kl_divergence": "xy",
    "nonnegative_factorization": "AUV",
    "itakura_saito": "AUV",
}
SIZES = {"m": 5, "n": 3, "p": 4, "q": 2, "k": 6}


def shape_of(declaration):
    """Of the matrix: () of a number, (n,) of a column vector, (m, n)."""
    dims = declaration.partition("=")[2].partition(":")[0].split(",")
    sizes = [int(dim) if dim.isdigit() else SIZES.get(dim, 3) for dim in dims]
    return () if dims == ["1"] else tuple(sizes)


def draw(declaration, generator, batch=(), dtype="float64"):
    """A batch of matrices of the declared shape and structure, well-conditioned."""
    structure = declaration.partition(":")[2]
    shape = shape_of(declaration)
    x = generator.standard_normal((*batch, *shape))
    if structure == "spd":
        x = x @ np.swapaxes(x, -1, -2) + shape[0] * np.eye(shape[0])
    elif structure == "sym":
        x = (x + np.swapaxes(x, -1, -2)) / 2
    elif structure == "diag":
        x = x * np.eye(shape[0])
    elif structure == "lower":
        x = np.tril(x) + 2 * np.eye(shape[0])
    elif structure == "upper":
        x = np.triu(x) + 2 * np.eye(shape[0])
    elif structure == "orth":
        x = np.linalg.qr(x)[0]
    elif structure == "pos":
        x = np.abs(x) + 0.5
    elif len(shape) == 2 and shape[0] == shape[1]:
        x = x + 3 * np.eye(shape[0])
    return np.asarray(x, dtype)


def project(gradient, declaration):
    """The gradient within the matrices of the declared structure."""
    structure = declaration.partition(":")[2]
    if structure in ("sym", "spd"):
        return (gradient + np.swapaxes(gradient, -1, -2)) / 2
    if structure == "diag":
        return gradient * np.eye(gradient.shape[-1])
    if structure == "lower":
        return np.tril(gradient)
    if structure == "upper":
        return np.triu(gradient)
    return gradient
