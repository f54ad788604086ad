"""Random operands that fit declarations: what plots and the benchmark run on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def draw(random: np.random.Generator, declaration: str, shape: Sequence[int], dtype: str) -> np.ndarray:
    """Numbers near 1, in the structure that the declaration says: `S=n,n:spd`, `t=1:pos`.

    shape   any batch axes, then those of the matrix
    """
    structure = declaration.partition(":")[2]
    made = random.standard_normal(shape)
    if structure in ("spd", "sym", "diag", "lower", "upper", "orth"):
        transposed = np.swapaxes(made, -1, -2)
        n = shape[-1]
        if structure == "spd":
            made = made @ transposed / n + np.eye(n)
        elif structure == "sym":
            made = (made + transposed) / 2
        elif structure == "orth":
            made = np.linalg.qr(made)[0]
        else:  # away from singular
            kept = {"diag": np.eye(n), "lower": np.tri(n), "upper": np.tri(n).T}[structure]
            made = made * kept / n**0.5 + 2 * np.eye(n)
    elif structure == "pos":
        made = np.abs(made) + 0.5
    return np.array(made, dtype=dtype, order="C")
