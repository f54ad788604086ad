"""Every function of the catalogue against JAX's own derivatives of its value, in double."""

import jax
import pytest

from jax_problems import ENTRIES, HANDFUL, assert_close, problem

# One of each kind; the others take as long again.
FIRST = (*HANDFUL, "least_squares", "gaussian_nll", "rayleigh_quotient", "matrix_factorization")
NAMES = [name if name in FIRST else pytest.param(name, marks=pytest.mark.full) for name in ENTRIES]


@pytest.mark.parametrize("name", NAMES)
def test_value_gradients_and_hessian_along_a_direction(name):
    p = problem(name)
    free = p.draw()

    def everything(f):
        def gradients(*free):
            return jax.value_and_grad(f, p.argnums)(*free)

        return jax.jit(lambda point, along: jax.jvp(gradients, point, along))

    along = tuple(0.1 * x + 0.3 for x in free)
    assert_close(everything(p.mine)(free, along), everything(p.reference)(free, along))


@pytest.mark.full
@pytest.mark.parametrize("name", ENTRIES)
def test_whole_hessian(name):
    p = problem(name)
    free = p.draw()
    assert_close(
        jax.jit(jax.hessian(p.mine, p.argnums))(*free), jax.jit(jax.hessian(p.reference, p.argnums))(*free)
    )


@pytest.mark.full
@pytest.mark.parametrize("name", ENTRIES)
def test_batch(name):
    p = problem(name)
    free = p.draw(7)

    def of(f):
        return jax.jit(jax.vmap(jax.value_and_grad(f, p.argnums)))

    assert_close(of(p.mine)(*free), of(p.reference)(*free))
