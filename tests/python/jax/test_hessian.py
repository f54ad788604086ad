"""Second and third derivatives, in every order of forward and reverse, of one problem and under vmap."""

import jax
import pytest

from jax_problems import HANDFUL, assert_close, calls, problem

MODES = {"fwd": jax.jacfwd, "rev": jax.jacrev}


@pytest.mark.parametrize("batch", [(), pytest.param((3,), marks=pytest.mark.full)])
@pytest.mark.parametrize("outer", MODES)
@pytest.mark.parametrize("inner", MODES)
@pytest.mark.parametrize("name", ["log_det_gram", *(pytest.param(n, marks=pytest.mark.full) for n in HANDFUL[1:])])
def test_orders(name, inner, outer, batch):
    p = problem(name)
    free = p.draw(*batch)

    def of(f):
        second = MODES[outer](MODES[inner](f, p.argnums), p.argnums)
        return jax.jit(jax.vmap(second) if batch else second)

    assert_close(of(p.mine)(*free), of(p.reference)(*free))


@pytest.mark.parametrize("jit", [True, pytest.param(False, marks=pytest.mark.full)])
def test_of_a_sum_over_the_batch(jit):
    p = problem("log_det_gram")
    (X,) = p.draw(2)
    mine = jax.hessian(lambda X: p.function(X).sum())
    theirs = jax.jit(jax.hessian(lambda X: jax.vmap(p.reference)(X).sum()))
    assert_close((jax.jit(mine) if jit else mine)(X), theirs(X))


@pytest.mark.full
@pytest.mark.parametrize("name", HANDFUL)
def test_third_order(name):
    p = problem(name)
    free = p.draw()

    def of(f):
        return jax.jit(jax.jacfwd(jax.hessian(f)))

    assert_close(of(p.mine)(*free), of(p.reference)(*free))


def test_the_point_of_a_hessian_is_shared_by_its_directions():
    """All directions are one batch at one point, which is factored once."""
    p = problem("log_det_gram")
    (X,) = p.draw()
    products = [shapes for shapes in calls(jax.hessian(p.mine), X) if len(shapes) == 2]
    assert sorted(products[0], key=len) == [(4, 3), (12, 4, 3)]
