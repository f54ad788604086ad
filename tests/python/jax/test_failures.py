"""A problem that fails has NaN in its own results, and the others are what they were: eager, jit, vmap, grad."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jax_problems import problem

f = problem("log_det_gram").function
X = np.random.default_rng(5).normal(size=(6, 4, 3))
BAD = X.copy()
BAD[2] = 0

FORMS = {
    "value": f,
    "vmap": jax.vmap(f),
    "grad": jax.grad(lambda X: f(X).sum()),
    "vmap(grad)": jax.vmap(jax.grad(f)),
    "method": f.grad,
    "hvp": lambda X: jax.jvp(jax.grad(lambda X: f(X).sum()), (X,), (jnp.ones_like(X),))[1],
}


@pytest.mark.parametrize("form", FORMS)
def test_one_problem_alone(form):
    good, eager, jitted = FORMS[form](X), FORMS[form](BAD), jax.jit(FORMS[form])(BAD)
    others = np.arange(6) != 2
    assert np.isfinite(good).all()
    assert np.isnan(eager[2]).all()
    assert np.array_equal(eager[others], good[others])
    assert np.array_equal(jitted, eager, equal_nan=True)


def test_not_finite_operand():
    bad = X.copy()
    bad[4, 1, 1] = np.nan
    assert np.array_equal(np.isnan(f(bad)), np.arange(6) == 4)
