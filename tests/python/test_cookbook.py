"""Every row of the table of known gradients, called with arrays, against JAX's derivative of the function written
in NumPy, or finite differences where JAX is missing."""

import csv
import pathlib

import numpy as np
import pytest

import matgrad as mg
from operands import draw, project

TABLE = pathlib.Path(__file__).parent.parent / "data" / "cookbook.tsv"
with TABLE.open(encoding="utf-8") as file:
    ROWS = list(csv.DictReader(file, delimiter="\t"))

try:
    import jax
except ImportError:
    jax = None
else:
    jax.config.update("jax_enable_x64", True)


def by_jax(f, operands, variable):
    """The derivative of the printed NumPy function, which JAX takes itself, problem by problem."""
    names = {"np": jax.numpy}
    exec(f.numpy(), names)
    place = f.operands.index(variable)
    gradient = jax.vmap(jax.grad(lambda *args: names["value"](*args).sum(), argnums=place))
    return np.asarray(gradient(*operands))


def by_differences(f, operands, variable):
    """Central differences of the value, entry by entry."""
    place = f.operands.index(variable)
    x = operands[place]
    gradient = np.empty_like(x)
    for entry in np.ndindex(x.shape[1:]):
        steps = []
        for h in (1e-5, -1e-5):
            moved = x.copy()
            moved[(slice(None), *entry)] += h
            steps.append(f.value(*operands[:place], moved, *operands[place + 1 :]))
        gradient[(slice(None), *entry)] = (steps[0] - steps[1]) / 2e-5
    return gradient


@pytest.mark.parametrize("row", ROWS, ids=[f"{row['equation']}-{row['f']}" for row in ROWS])
def test_row(row):
    declare = row["declarations"].split()
    f = mg.function(row["f"], wrt=row["wrt"], declare=declare)
    generator = np.random.default_rng(len(row["f"]))
    operands = [draw(declaration, generator, (4,)) for declaration in f.declarations]
    declaration = f.declarations[f.operands.index(row["wrt"])]
    value, gradient = f.value_and_grad(*operands)
    if jax is None and ":" in declaration:
        pytest.skip("JAX is missing, and single entries of a structured matrix may not be moved")
    expected = (by_differences if jax is None else by_jax)(f, operands, row["wrt"])
    expected = project(expected, declaration)
    scale = np.abs(expected).max() + np.abs(value).max()
    np.testing.assert_allclose(gradient, expected, rtol=1e-5 if jax is None else 1e-9, atol=1e-9 * scale)
