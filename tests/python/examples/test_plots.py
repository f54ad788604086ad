"""Plots of accuracy and speed: the numbers that they draw, and what they refuse."""

import sys

import numpy as np
import pytest

import matgrad as mg
from matgrad import _high_precision, _plots, _random_operands, _timing
from operands import POSITIVE

SIZES = {"m": 5, "n": 3, "p": 3, "k": 4}


def problem_of(function, random):
    """Operands of one problem, each of its declared structure."""
    made = {}
    for declaration in function.declarations:
        name, _, rest = declaration.partition("=")
        sizes = [SIZES[size] if size in SIZES else int(size) for size in rest.partition(":")[0].split(",")]
        made[name] = _random_operands.draw(random, declaration, () if sizes == [1] else tuple(sizes), "float64")
    return made


@pytest.mark.parametrize("entry", mg.catalogue(), ids=lambda entry: entry.name)
def test_high_precision_agrees_with_the_executor(entry):
    pytest.importorskip("mpmath")
    function = mg.function(f"@{entry.name}")
    operands = problem_of(function, np.random.default_rng(5))
    for name in set(POSITIVE.get(entry.name, "t")) & set(operands):
        operands[name] = abs(operands[name]) + 0.1
    if entry.name == "log_barrier":
        operands["b"] += 10  # inside of the polyhedron
    exact = _high_precision.evaluate(function.numpy(), operands, ["value", f"gradient_{entry.wrt}"], digits=30)
    value, gradient = function.value_and_grad(**operands)
    assert value == pytest.approx(float(exact["value"]), rel=1e-12)
    np.testing.assert_allclose(gradient, exact[f"gradient_{entry.wrt}"], rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("name", ["exp", "sinh", "tan", "log1p", "erf", "sign", "step", "sigmoid", "softplus", "relu"])
def test_entrywise_functions_of_high_precision_are_those_of_python(name):
    pytest.importorskip("mpmath")
    import math

    expected = {"exp": math.exp, "sinh": math.sinh, "tan": math.tan, "log1p": math.log1p, "erf": math.erf,
                "sign": lambda x: math.copysign(1, x) if x else 0, "step": lambda x: float(x > 0),
                "sigmoid": lambda x: 1 / (1 + math.exp(-x)), "softplus": lambda x: math.log(1 + math.exp(x)),
                "relu": lambda x: max(x, 0)}[name]
    x = np.array([-0.75, 0.0, 0.3, 2.0])
    function = mg.function(f"sum({name}(x))", wrt="x", declare="x=n")
    found = _high_precision.evaluate(function.numpy(), {"x": x}, ["value"])["value"]
    assert float(found) == pytest.approx(sum(expected(entry) for entry in x), rel=1e-15)


def test_high_precision_has_the_digits_that_double_lacks():
    pytest.importorskip("mpmath")
    function = mg.function("logdet(X'*X)", wrt="X")
    X = np.array([[1.0, 1.0], [0.0, 2.0**-40], [0.0, 0.0]])  # X'X is singular in double, det(X'X) is 2^-80
    exact = _high_precision.evaluate(function.numpy(), {"X": X}, ["value", "gradient_X"])
    assert float(exact["value"]) == pytest.approx(-80 * np.log(2), rel=1e-15)
    # The gradient is twice the transposed pseudoinverse.
    np.testing.assert_allclose(exact["gradient_X"], 2 * np.array([[1, 0], [-(2.0**40), 2.0**40], [0, 0]]), rtol=1e-15)


@pytest.mark.parametrize("is_spd", [False, True])
def test_drawn_matrices_have_the_condition_asked_for(is_spd):
    shape = (6, 6) if is_spd else (9, 4)
    made = _plots.conditioned(np.random.default_rng(1), shape, 1e5, is_spd)
    assert np.linalg.cond(made) == pytest.approx(1e5, rel=1e-6)
    if is_spd:
        assert (made == made.T).all() and np.linalg.eigvalsh(made).min() > 0


def test_robust_loses_the_condition_and_plain_numpy_its_square():
    pytest.importorskip("mpmath")
    function = mg.function("logdet(X'*X)", wrt="X")
    measured = _plots.measure_accuracy(function, X=np.empty((6, 3)), conditions=[1e5], trials=2)
    assert measured["robust float64"][0] < 20 * 1e5 * 2.0**-53 < measured["NumPy float64"][0]
    assert measured["robust float32"][0] < 1e-6 < 1e-2 < measured["NumPy float32"][0]


def test_a_problem_that_fails_is_a_gap():
    pytest.importorskip("mpmath")
    function = mg.function("logdet(X'*X)", wrt="X")
    measured = _plots.measure_accuracy(function, X=np.empty((6, 3)), conditions=[1e12], trials=1)
    assert np.isnan(measured["robust float32"][0]) and measured["robust float64"][0] < 1e-2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "operand 'X' is missing"),
        ({"X": np.ones((3, 2)), "matrix": "Y"}, "matrix: found 'Y', expected the name of an operand that is a matrix"),
    ],
)
def test_accuracy_says_what_it_needs(arguments, message):
    with pytest.raises(mg.OperandError, match=message):
        _plots.measure_accuracy(mg.function("logdet(X'*X)", wrt="X"), **arguments)


def axes():
    return pytest.importorskip("matplotlib.figure").Figure().add_subplot()


def test_plot_accuracy_draws_each_contender():
    pytest.importorskip("mpmath")
    drawn = mg.function("logdet(X'*X)", wrt="X").plot_accuracy(
        X=np.empty((4, 2)), conditions=[1, 10, 100], trials=1, axes=axes()
    )
    assert {*_plots.CONTENDERS} <= {line.get_label() for line in drawn.lines}
    assert drawn.get_xlabel() == "condition number (no unit)" and drawn.get_title() == "logdet(X'*X)"


def test_plot_roofline_has_the_plan_below_its_operations_and_time():
    plan = mg.function("logdet(X'*X)", wrt="X").plan(X=np.empty((50, 8, 3), np.float32))
    drawn = plan.plot_roofline(axes=axes())
    (intensity,), (speed,) = drawn.lines[-1].get_data()
    assert intensity == pytest.approx(plan.cost.operations / plan.cost.bytes)
    milliseconds = float(drawn.lines[-1].get_label().split()[0])
    assert speed == pytest.approx(plan.cost.operations / milliseconds / 1e6, rel=1e-2)


def test_roofline_is_of_the_operands_that_are_given():
    plan = mg.function("norm2(x)^2", wrt="x").plan(x=np.empty(4))
    measured = _plots.measure_roofline(plan, x=np.ones(4))
    assert measured["bytes"] == plan.cost.bytes and 0 < measured["seconds"] < 1
    assert measured["bound_seconds"] >= measured["bytes"] / measured["bandwidth"]
    with pytest.raises(mg.OperandError, match="found 'y'|operand 'y'"):
        _plots.measure_roofline(plan, y=np.ones(4))


@pytest.mark.parametrize("name", ["plot_accuracy", "plot_roofline"])
def test_without_matplotlib_it_is_said(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    function = mg.function("norm2(X)^2", wrt="X")
    X = np.ones((2, 2))
    call = function.plot_accuracy if name == "plot_accuracy" else function.plan(X=X).plot_roofline
    with pytest.raises(ImportError, match=f"{name}: matplotlib is not installed"):
        call(X=X)


@pytest.mark.parametrize("structure", ["spd", "sym", "diag", "lower", "upper", "orth", "pos", ""])
def test_random_operands_have_their_structure(structure):
    shape = (5,) if structure == "pos" else (5, 4, 4)
    made = _random_operands.draw(np.random.default_rng(3), f"S=n,n:{structure}".rstrip(":"), shape, "float32")
    assert made.dtype == np.float32 and made.shape == shape
    transposed = np.swapaxes(made, -1, -2) if made.ndim == 3 else None
    holds = {
        "spd": lambda: np.linalg.eigvalsh(made).min() > 0 and np.allclose(made, transposed),
        "sym": lambda: np.array_equal(made, transposed),
        "diag": lambda: np.array_equal(made, made * np.eye(4)) and np.linalg.matrix_rank(made).min() == 4,
        "lower": lambda: np.array_equal(made, np.tril(made)) and not np.array_equal(made, np.triu(made)),
        "upper": lambda: np.array_equal(made, np.triu(made)) and not np.array_equal(made, np.tril(made)),
        "orth": lambda: np.allclose(transposed @ made, np.eye(4), atol=1e-5),
        "pos": lambda: (made > 0).all(),
        "": lambda: not np.allclose(made, transposed),
    }
    assert holds[structure]()


def test_calls_take_turns():
    order = []
    times = _timing.taking_turns({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, seconds=0, rounds=4)
    assert "".join(order) == "ab" * 5 and {name: len(of) for name, of in times.items()} == {"a": 4, "b": 4}
