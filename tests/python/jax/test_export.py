"""A compiled function outlives its process: a key is a text, so a second process needs the custom calls alone."""

import jax
import numpy as np
import pytest
from jax import export
from other_process import finish, start

import matgrad.jax

f = matgrad.jax.function("logdet(X'*X) + norm2(X*A')^2")
X, A = np.random.default_rng(0).normal(size=(7, 4, 3)), np.ones((2, 3))
ALLOWED = [export.DisabledSafetyCheck.custom_call("matgrad_run")]

SECOND = """
import sys
import jax, numpy as np
from jax import export
from matgrad.jax import register_handlers

assert register_handlers()
with open(sys.argv[1], "rb") as file:
    module = export.deserialize(bytearray(file.read()))
data = np.load(sys.argv[2])
value, gradients = module.call(data["X"], data["A"])
assert np.array_equal(value, data["value"])
assert np.array_equal(gradients["X"], data["dX"]) and np.array_equal(gradients["A"], data["dA"])
print("done")
"""


def test_second_process(tmp_path):
    pytest.importorskip("flatbuffers", reason="jax.export writes modules with flatbuffers")
    g = matgrad.jax.function("logdet(X'*X) + norm2(X*A')^2", wrt=("X", "A"))
    compiled = jax.jit(g.value_and_grad)
    value, gradients = compiled(X, A)
    module = export.export(compiled, disabled_checks=ALLOWED)(X, A)
    (tmp_path / "module").write_bytes(module.serialize())
    np.savez(tmp_path / "data.npz", X=X, A=A, value=value, dX=gradients["X"], dA=gradients["A"])
    assert finish(start(SECOND, tmp_path / "module", tmp_path / "data.npz")).endswith("done\n")


def test_batch_of_any_size():
    """One exported module serves every number of problems."""
    (problems,) = export.symbolic_shape("problems")
    shapes = jax.ShapeDtypeStruct((problems, 4, 3), np.float64), jax.ShapeDtypeStruct((2, 3), np.float64)
    gradient = jax.grad(lambda X, A: f(X, A).sum(), (0, 1))
    module = export.export(jax.jit(gradient), disabled_checks=ALLOWED)(*shapes)
    for count in (1, 3, 7):
        mine = module.call(X[:count], A)
        for found, expected in zip(mine, gradient(X[:count], A), strict=True):
            assert np.array_equal(found, expected)
