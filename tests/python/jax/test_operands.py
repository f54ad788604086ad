"""Types, names and shapes of operands; mistakes are told when the function is traced, by the operand's name."""

import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import matgrad.jax
from jax_problems import single_precision
from matgrad import _core
from matgrad.errors import MachineError, OperandError, OperandTypeError, ShapeError

f = matgrad.jax.function("t*norm2(A*x)^2", declare="t=1")  # operands in the order of the text
A, x = np.ones((4, 3)), np.ones(3)


def test_by_name_and_by_place():
    assert f.operands == ("t", "A", "x")
    assert f.wrt == ("t", "A", "x")
    assert f(2.0, A, x) == f(x=x, A=A, t=2.0) == f(2.0, A, x=x) == 72.0


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((np.float32(2), np.float32(A), np.float32(x)), np.float32),
        ((2, np.float32(A), np.float32(x)), np.float32),
        ((2.0, np.float32(A), np.int32(x)), np.float32),
        ((np.float32(2), A, x), np.float64),
        ((2, np.int64(A), np.int64(x)), np.float64),
        ((True, 2 * A, x), np.float64),
    ],
)
def test_types_follow_promotion(given, expected):
    result = f(*given)
    assert result.dtype == expected
    assert result == (144 if given[0] is True else 72)


def test_without_x64():
    with single_precision():
        value, gradient = jax.jit(jax.value_and_grad(f, 2))(2.0, A, x)
    assert value.dtype == gradient.dtype == np.float32
    assert np.array_equal(gradient, np.full(3, 48))


def test_no_gradient_by_integers():
    with pytest.raises(TypeError, match="int"):
        jax.grad(f, 2)(2.0, A, np.int32(x))


@pytest.mark.parametrize(
    ("operands", "error", "message"),
    [
        ({"t": 1.0, "A": A}, OperandError, "operand 'x' is missing"),
        ({"t": 1.0, "A": A, "x": x, "y": x}, OperandError, "operand 'y': not of this call"),
        ({"t": 1.0, "A": x, "x": x}, OperandError, r"operand 'A': found shape \(3,\), expected \(..., m, n\)"),
        ({"t": 1.0, "A": A, "x": np.ones(5)}, ShapeError, "A"),
        ({"t": np.ones(4), "A": A, "x": np.ones((5, 3))}, OperandError, "operand 'x': found shape"),
        ({"t": 1.0, "A": A, "x": jnp.ones(3, jnp.bfloat16)}, OperandTypeError, "operand 'x': found bfloat16"),
        ({"t": 1.0, "A": A, "x": x + 1j}, OperandTypeError, "operand 'x': found complex128"),
        ({"t": 1.0, "A": "A", "x": x}, OperandTypeError, "operand 'A': found str"),
    ],
)
def test_mistakes(operands, error, message):
    with pytest.raises(error, match=message):
        f(**operands)
    arrays = {name: value for name, value in operands.items() if not isinstance(value, str)}
    if len(arrays) == len(operands):
        with pytest.raises(error, match=message):
            jax.jit(f).lower(**arrays)


def test_options():
    with pytest.raises(OperandError, match="on_failure"):
        matgrad.jax.function("tr(X)", on_failure="raise")
    with pytest.raises(OperandError, match="in_axes"):
        matgrad.jax.function("tr(X)", in_axes={"X": -1})(np.ones((3, 3)))
    g = matgrad.jax.function("logdet(X'*X)", in_axes={"X": -1})
    X = np.random.default_rng(0).normal(size=(6, 4, 3))
    assert np.array_equal(g(np.moveaxis(X, 0, -1)), matgrad.jax.function("logdet(X'*X)")(X))


def test_pickle():
    again = pickle.loads(pickle.dumps(f))
    assert repr(again) == repr(f)
    assert again(2.0, A, x) == 72.0


def test_a_build_without_handlers_says_so(monkeypatch):
    monkeypatch.setattr(_core, "xla_handlers", dict)
    monkeypatch.setattr(matgrad.jax._function, "_is_registered", matgrad.jax.register_handlers)
    with pytest.raises(MachineError, match="without XLA's headers"):
        f(2.0, A, x)


def test_positions_are_those_of_the_text_as_it_was_written():
    """The canonical form of this function has S before P."""
    f = matgrad.jax.function("-logdet(P) + tr(S*P)", declare=["P=n,n:spd", "S=n,n:sym"])
    assert f.operands == ("P", "S") and f.text.index("S") < f.text.index("P")
    P, S = jnp.diag(jnp.array([1.0, 2.0])), jnp.diag(jnp.array([3.0, 5.0]))
    assert np.allclose(f(P, S), -np.log(2) + 13) and np.allclose(f(S=S, P=P), f(P, S))
    assert np.allclose(jax.grad(f)(P, S), S - jnp.linalg.inv(P))
