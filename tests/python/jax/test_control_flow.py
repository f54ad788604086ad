"""checkpoint, scan and while loops around the function and its derivatives."""

import jax
import jax.numpy as jnp
import pytest

from jax_problems import HANDFUL, assert_close, problem

NAMES = ["log_det_gram", *(pytest.param(name, marks=pytest.mark.full) for name in HANDFUL[1:])]


@pytest.mark.parametrize("name", NAMES)
def test_checkpoint(name):
    p = problem(name)
    free = p.draw()

    def of(f):
        return jax.jit(jax.grad(jax.checkpoint(lambda *o: jnp.sin(f(*o))), p.argnums))

    assert_close(of(p.mine)(*free), of(p.reference)(*free))


@pytest.mark.parametrize("name", NAMES)
def test_scan(name):
    """A loop of gradient steps, differentiated by its start: second derivatives through scan."""
    p = problem(name)
    free = p.draw()

    def of(f):
        def loop(*free):
            def step(x, _):
                return x - 1e-2 * jax.grad(f)(x, *free[1:]), f(x, *free[1:])

            end, values = jax.lax.scan(step, free[0], length=3)
            return values.sum() + (end**2).sum()

        return jax.jit(jax.value_and_grad(loop, p.argnums))

    assert_close(of(p.mine)(*free), of(p.reference)(*free))


def test_loop_and_branch():
    p = problem("log_det_gram")
    (X,) = p.draw()

    def of(f):
        def run(X):
            X = jax.lax.fori_loop(0, 4, lambda _, X: X + 0.1 * jax.grad(f)(X), X)
            return jax.lax.cond(f(X) > 0, f, lambda X: -f(X), X)

        return jax.jit(run)

    assert_close(of(p.mine)(X), of(p.reference)(X))
