"""vmap in any nesting: results, which operands stay shared, and how many calls are made."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import matgrad.jax
from jax_problems import HANDFUL, assert_close, calls, custom_calls, problem

f = matgrad.jax.function("@frobenius")  # operands X, A


def by_hand(X, A):
    return 0.5 * ((X @ A.T) ** 2).sum()


def operands(*batches):
    generator = np.random.default_rng(3)
    return [generator.normal(size=(*batch, *shape)) for batch, shape in zip(batches, ((4, 3), (2, 3)), strict=True)]


NESTINGS = {
    "first": (lambda g: jax.vmap(g, (0, None)), [(5,), ()]),
    "second": (lambda g: jax.vmap(g, (None, 0)), [(), (5,)]),
    "both": (lambda g: jax.vmap(g), [(5,), (5,)]),
    "last axis": (lambda g: lambda X, A: jax.vmap(g, (-1, None))(jnp.moveaxis(X, 0, -1), A), [(5,), ()]),
    "twice": (lambda g: jax.vmap(jax.vmap(g)), [(2, 5), (2, 5)]),
    "twice, shared": (lambda g: jax.vmap(jax.vmap(g, (0, None)), (0, None)), [(2, 5), ()]),
    "shared by the inner": (lambda g: jax.vmap(jax.vmap(g, (0, None))), [(2, 5), (2,)]),
    "all pairs": (lambda g: jax.vmap(jax.vmap(g, (0, None)), (None, 0)), [(5,), (2,)]),
    "three": (
        lambda g: jax.vmap(jax.vmap(jax.vmap(g, (0, None)), (None, 0)), (0, None)),
        [(3, 5), (2,)],
    ),
}


@pytest.mark.parametrize("nesting", NESTINGS)
def test_value_and_gradients(nesting):
    nest, batches = NESTINGS[nesting]
    arrays = operands(*batches)

    def of(g):
        return jax.jit(nest(jax.value_and_grad(g, (0, 1))))

    assert_close(of(f)(*arrays), of(by_hand)(*arrays))


@pytest.mark.parametrize(
    "nesting", [n if n == "all pairs" else pytest.param(n, marks=pytest.mark.full) for n in NESTINGS]
)
def test_forward_derivative(nesting):
    nest, batches = NESTINGS[nesting]
    arrays = operands(*batches)

    def of(g):
        return jax.jit(lambda *arrays: jax.jvp(nest(g), arrays, tuple(x + 1 for x in arrays)))

    assert_close(of(f)(*arrays), of(by_hand)(*arrays))


@pytest.mark.full
@pytest.mark.parametrize("nesting", NESTINGS)
def test_derivatives_of_the_sum(nesting):
    """Outside of vmap, in both orders of second derivatives."""
    nest, batches = NESTINGS[nesting]
    arrays = operands(*batches)

    def of(g):
        def total(*arrays):
            return nest(g)(*arrays).sum()
        return jax.jit(lambda *a: (jax.grad(total, (0, 1))(*a), jax.hessian(total, (0, 1))(*a)))

    assert_close(of(f)(*arrays), of(by_hand)(*arrays))


def test_batch_axes_and_vmap():
    """An operand has batch axes of its own inside of vmap."""
    X, A = operands((3, 5), (3,))
    def inner(X, A):
        return f(X, A)
    assert_close(jax.vmap(inner)(X, A), jax.vmap(jax.vmap(by_hand, (0, None)))(X, A))
    X, A = operands((5,), (3,))
    assert_close(
        jax.vmap(inner, (None, 0))(X, A), jax.vmap(jax.vmap(by_hand, (0, None)), (None, 0))(X, A)
    )


@pytest.mark.parametrize("reduce", ["sum", "mean"])
def test_reduced_function(reduce):
    """Each of the mapped problems is a sum or a mean over its own batch."""
    g = matgrad.jax.function("@frobenius", reduce=reduce)
    def total(X, A):
        return getattr(jnp, reduce)(jax.vmap(by_hand, (0, None))(X, A))
    X, A = operands((3, 5), (3,))
    for axes, arrays in {(0, 0): (X, A), (None, 0): (X[0], A), (0, None): (X, A[0])}.items():
        def of(h):
            return jax.jit(jax.vmap(jax.value_and_grad(h, (0, 1)), axes))
        assert_close(of(g)(*arrays), of(total)(*arrays))


def test_gradient_of_each_problem_by_a_shared_operand():
    X, A = operands((5,), ())
    mine = jax.vmap(jax.grad(f, 1), (0, None))(X, A)
    assert mine.shape == (5, 2, 3)
    assert_close(mine, jax.vmap(jax.grad(by_hand, 1), (0, None))(X, A))


def test_shared_operands_stay_shared():
    X, A = operands((5,), ())
    gradients = jax.vmap(jax.grad(f, (0, 1)), (0, None)), jax.grad(lambda *o: f(*o).sum(), (0, 1))
    for function in (jax.vmap(f, (0, None)), *gradients):
        for shapes in calls(function, X, A):
            assert (5, 4, 3) in shapes
            assert (2, 3) in shapes


def test_a_batch_is_one_call():
    X, A = operands((5,), ())
    assert custom_calls(jax.vmap(f, (0, None)), X, A) == 1
    assert custom_calls(jax.vmap(jax.grad(f, (0, 1)), (0, None)), X, A) == 1
    assert custom_calls(jax.vmap(jax.vmap(f, (0, None)), (None, 0)), X, jnp.stack([A, A])) == 1


def test_a_problem_has_the_same_bits_alone_and_in_a_batch():
    X, A = operands((5,), ())
    assert np.array_equal(jax.vmap(f, (0, None))(X, A), f(X, A))


def test_no_problems():
    X, A = operands((0,), ())
    assert jax.vmap(f, (0, None))(X, A).shape == (0,)
    dX, dA = jax.grad(lambda *o: f(*o).sum(), (0, 1))(X, A)
    assert dX.shape == (0, 4, 3)
    assert np.array_equal(dA, np.zeros((2, 3)))


@pytest.mark.full
@pytest.mark.parametrize("order", ["vmap(grad)", "grad(vmap)", "vmap(hessian)", "hessian(vmap)"])
@pytest.mark.parametrize("name", HANDFUL)
def test_crossed(name, order):
    p = problem(name)
    free = p.draw(3)
    outer, _, inner = order.rstrip(")").partition("(")

    def of(g):
        if outer == "vmap":
            return jax.jit(jax.vmap(getattr(jax, inner)(g, p.argnums)))
        return jax.jit(getattr(jax, outer)(lambda *o: jax.vmap(g)(*o).sum(), p.argnums))

    assert_close(of(p.mine)(*free), of(p.reference)(*free))
