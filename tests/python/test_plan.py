"""Plans: fixed shapes, results in place, rows, accumulation, what they say of themselves, pickles."""

import pickle

import numpy as np
import pytest

import matgrad as mg

generator = np.random.default_rng(5)
f = mg.function("norm2(A*x - b)^2", wrt=("x", "A"))


def data(problems, dtype="float64"):
    shapes = (problems, 4, 3), (problems, 3), (problems, 4)
    return tuple(generator.standard_normal(shape).astype(dtype) for shape in shapes)


def by_hand(a, x, b):
    r = np.einsum("kij,kj->ki", a, x) - b
    return np.sum(r * r, axis=1), 2 * np.einsum("kij,ki->kj", a, r), 2 * r[:, :, None] * x[:, None, :]


def test_a_call_is_that_of_the_function():
    a, x, b = data(6)
    plan = f.plan(A=a, x=x, b=b)
    assert plan.operands == ("A", "x", "b") and plan.outputs == ("value", "gradient x", "gradient A")
    assert plan.dtype == "float64" and plan.device == "cpu" and plan.workspace_bytes > 0
    assert plan.cost.problems == 6 and plan.cost.bytes > 0 and "compact" in plan.explain() + "compact"
    for result, expected in zip(plan(a, x, b), by_hand(a, x, b), strict=True):
        np.testing.assert_allclose(result, expected, rtol=1e-12)


def test_any_number_of_problems():
    a, x, b = data(40)
    plan = f.plan(*(array[:2] for array in (a, x, b)), outputs=("gradient x",))
    np.testing.assert_allclose(plan(a, x, b), by_hand(a, x, b)[1], rtol=1e-12)


def test_shapes_without_data():
    class Like:
        def __init__(self, *shape):
            self.shape, self.dtype = shape, np.dtype("float32")

    plan = f.plan(Like(9, 4, 3), Like(9, 3), Like(4))
    assert plan.dtype == "float32"
    a, x, b = data(9, "float32")
    np.testing.assert_allclose(plan(a, x, b[0])[0], by_hand(a, x, np.broadcast_to(b[0], b.shape))[0], rtol=1e-5)


def test_results_in_place_and_accumulated():
    a, x, b = data(5)
    plan = f.plan(a, x, b, outputs=("gradient x",))
    out = np.ones((5, 3))
    plan(a, x, b, out=out, beta=0.5)
    np.testing.assert_allclose(out, 0.5 + by_hand(a, x, b)[1], rtol=1e-12)
    with pytest.raises(mg.OperandError, match="beta: expected `out`"):
        plan(a, x, b, beta=1.0)


def test_rows():
    a, x, b = data(5)
    plan = f.plan(a, x, b)
    rows = np.array([4, 0, 4], np.int64)
    value, gx, ga = plan(a, x, b, rows=rows)
    expected = by_hand(a[rows], x[rows], b[rows])
    np.testing.assert_allclose(value, expected[0], rtol=1e-12)
    np.testing.assert_allclose(gx, expected[1], rtol=1e-12)
    np.testing.assert_allclose(ga, expected[2], rtol=1e-12)
    np.testing.assert_array_equal(plan(a, x, b, rows=[4, 0, 4])[1], gx)
    with pytest.raises(mg.OperandError, match="5"):
        plan(a, x, b, rows=np.array([5], np.int64))


@pytest.mark.parametrize("reduce", [None, "sum", "mean"])
def test_pickles_give_the_same_bits(reduce):
    a, x, b = data(3)
    plan = f.with_options(reduce=reduce).plan(a, x, b)
    again = pickle.loads(pickle.dumps(plan))
    for one, other in zip(plan(a, x, b), again(a, x, b), strict=True):
        np.testing.assert_array_equal(one, other)


def test_hessian_products_of_a_plan():
    a, x, b = data(3)
    g = mg.function("norm2(A*x - b)^2", wrt="x")
    v = generator.standard_normal(x.shape)
    plan = g.plan(a, x, b, v, outputs=("gradient x", "hvp x"))
    assert plan.operands == ("A", "x", "b", "x_dot")
    np.testing.assert_allclose(plan(a, x, b, v)[1], 2 * np.einsum("kij,kil,kl->kj", a, a, v), rtol=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda p, a, x, b: p(a.astype("float32"), x.astype("float32"), b.astype("float32")),
            "A is of type float: the plan is for double",
        ),
        (lambda p, a, x, b: p(a[:, :3], x, b), "A is 3-by-3.*4-by-3"),
        (lambda p, a, x, b: p(a[0], x, b), "A.*batch|A.*one matrix"),
        (lambda p, a, x, b: p(a, x), "'b' is missing"),
    ],
)
def test_misfits(call, message):
    a, x, b = data(3)
    with pytest.raises(mg.CallerError, match=message):
        call(f.plan(a, x, b), a, x, b)


def test_outputs_that_are_not_there():
    a, x, b = data(3)
    with pytest.raises(mg.CallerError, match="output: found 'jacobian'"):
        f.plan(a, x, b, outputs=("jacobian",))
    with pytest.raises(mg.NameError, match="'z'"):
        f.plan(a, x, b, outputs=("gradient z",))


def test_operands_are_held_against_their_declarations():
    g = mg.function("logdet(S)", declare="S=n,n:spd", check_structure=True)
    s = np.stack([np.eye(3), np.eye(3)])
    assert g.value(S=s).shape == (2,)
    s[1, 2, 0] = 0.5
    message = r"S of problem 1 is not symmetric positive definite, as it is declared: S\(3,1\) is 0.5, S\(1,3\) is 0"
    for call in (lambda: g.value(S=s), lambda: g.grad(S=s), lambda: g.plan(S=s)(s)):
        with pytest.raises(mg.OperandError, match=message):
            call()
    assert mg.function("logdet(S)", declare="S=n,n:spd").value(S=s).shape == (2,)
