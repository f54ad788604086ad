"""First derivatives of one problem and of batches: grad, value_and_grad, vjp, jvp, linearize, with and without jit."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import matgrad.jax
from jax_problems import HANDFUL, assert_close, custom_calls, problem

FORMS = {
    "grad": lambda f, free: jax.grad(f, tuple(range(len(free))))(*free),
    "value_and_grad": lambda f, free: jax.value_and_grad(f, tuple(range(len(free))))(*free),
    "vjp": lambda f, free: jax.vjp(f, *free)[1](jnp.float64(0.7)),
    "jvp": lambda f, free: jax.jvp(f, free, tuple(x + 0.5 for x in free)),
    "linearize": lambda f, free: jax.linearize(f, *free)[1](*(x - 0.5 for x in free)),
}


CASES = [
    pytest.param(name, form, jit, marks=() if name == "log_det_gram" and (jit or form == "grad") else pytest.mark.full)
    for name in HANDFUL
    for form in FORMS
    for jit in (False, True)
]


@pytest.mark.parametrize(("name", "form", "jit"), CASES)
def test_one_problem(name, form, jit):
    p = problem(name)
    free = p.draw()
    mine = jax.jit(lambda *free: FORMS[form](p.mine, free)) if jit else lambda *free: FORMS[form](p.mine, free)
    assert_close(mine(*free), FORMS[form](p.reference, free))


def test_batch_with_a_shared_matrix():
    f = matgrad.jax.function("0.5*norm2(A*x - b)^2 + logdet(A'*A)")
    A, x, b = np.random.default_rng(1).normal(size=(5, 3)), np.ones((4, 3)), np.ones((4, 5))

    def by_hand(A, x, b):
        return (0.5 * ((x @ A.T - b) ** 2).sum(1) + jnp.linalg.slogdet(A.T @ A)[1]).sum()

    mine = jax.value_and_grad(lambda *o: f(*o).sum(), (0, 1, 2))
    assert_close(mine(A, x, b), jax.value_and_grad(by_hand, (0, 1, 2))(A, x, b))
    assert_close(jax.jit(mine)(A, x, b), mine(A, x, b))


@pytest.mark.parametrize("reduce", ["sum", pytest.param("mean", marks=pytest.mark.full)])
def test_reduced(reduce):
    """Gradients by shared and batched operands of a sum and a mean; one summand has no batched operand."""
    f = matgrad.jax.function("tr(A*X) + tr(C) + norm2(X*C)^2", wrt=("A", "X", "C"), reduce=reduce)
    generator = np.random.default_rng(2)
    A, X, C = (generator.normal(size=s) for s in ((3, 4), (5, 4, 3), (3, 3)))
    total = getattr(jnp, reduce)

    def by_hand(A, C, X):
        def one(X):
            return jnp.trace(A @ X) + jnp.trace(C) + ((X @ C) ** 2).sum()
        return total(jax.vmap(one)(X))

    def mine(A, C, X):
        return f(A=A, C=C, X=X)
    value, gradients = jax.value_and_grad(by_hand, (0, 1, 2))(A, C, X)
    assert_close(jax.value_and_grad(mine, (0, 1, 2))(A, C, X), (value, gradients))
    assert_close(f.value_and_grad(A=A, C=C, X=X), (value, dict(zip("ACX", gradients, strict=True))))
    along = tuple(map(np.ones_like, (A, C, X)))
    assert_close(jax.jvp(mine, (A, C, X), along), jax.jvp(by_hand, (A, C, X), along))


@pytest.mark.parametrize("reduce", ["sum", *(pytest.param(r, marks=pytest.mark.full) for r in (None, "mean"))])
def test_terms_without_a_batched_operand_left(reduce):
    """The derivatives by C and by X depend on no batched array, or on no array at all."""
    f = matgrad.jax.function("tr(A*X) + tr(C)", reduce=reduce)
    A, X, C = np.ones((3, 4)), np.arange(24.0).reshape(2, 4, 3), np.eye(3)

    def by_hand(A, C, X):
        values = jnp.einsum("ij,bji->b", A, X) + jnp.trace(C)
        return values if reduce is None else getattr(jnp, reduce)(values)

    def mine(A, C, X):
        return f(A=A, C=C, X=X)
    for transform in (jax.jacrev, jax.jacfwd, jax.hessian):
        assert_close(
            jax.jit(transform(mine, (0, 1, 2)))(A, C, X), jax.jit(transform(by_hand, (0, 1, 2)))(A, C, X)
        )


def test_methods_are_differentiable():
    p = problem("log_det_gram")
    (X,) = p.draw(3)

    def mine(X):
        value, gradient = p.function.value_and_grad(X)
        return (value * (gradient**2).sum((1, 2))).sum() + p.function.grad(X=X).sum()

    def theirs(X):
        value, gradient = jax.vmap(jax.value_and_grad(p.reference))(X)
        return (value * (gradient**2).sum((1, 2))).sum() + gradient.sum()

    assert_close(jax.jit(jax.grad(mine))(X), jax.jit(jax.grad(theirs))(X))


def test_value_and_gradient_are_one_call():
    p = problem("log_det_gram")
    (X,) = p.draw(3)
    assert custom_calls(p.function.value_and_grad, X) == 1
    assert custom_calls(jax.value_and_grad(lambda X: p.function(X).sum()), X) == 1


def test_what_is_not_used_is_not_computed():
    p = problem("log_det_gram")
    (X,) = p.draw(3)
    text = jax.jit(jax.grad(lambda X: p.function(X).sum())).lower(X).as_text()
    assert text.count("matgrad_run") == 1
    assert "gradient X" in text
    assert "value" not in text
