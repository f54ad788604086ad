"""Derivatives of derivatives by `backward`: each is a call of the same operator."""

import json

import pytest

torch = pytest.importorskip("torch", minversion="2.6")

import matgrad.torch  # noqa: E402
from catalogue_in_torch import ENTRIES, HANDFUL, CountedCalls, Problem, assert_close, some_shared  # noqa: E402


@pytest.mark.parametrize("name", ENTRIES)
def test_gradgradcheck(name):
    problem = Problem(name)
    free = problem.free((2,), some_shared(problem))
    assert torch.autograd.gradgradcheck(problem.ours, free, fast_mode=True)


@pytest.mark.full
@pytest.mark.parametrize("reduce", [None, "sum", "mean"])
@pytest.mark.parametrize("name", ENTRIES)
def test_gradgradcheck_forward_and_reverse(name, reduce):
    problem = Problem(name, reduce=reduce)
    for shared in {(), some_shared(problem)}:
        free = problem.free((2,), shared)
        modes = {"check_fwd_over_rev": True, "check_rev_over_rev": True}
        assert torch.autograd.gradgradcheck(problem.ours, free, fast_mode=True, **modes)


def products(value, free, order):
    """Derivatives along fixed directions, one after the other, by all operands."""
    generator = torch.Generator().manual_seed(7)
    for _ in range(order):
        found = torch.autograd.grad(value, free, create_graph=True, materialize_grads=True)
        directions = [torch.randn(x.shape, dtype=x.dtype, generator=generator) for x in free]
        value = sum((g * d).sum() for g, d in zip(found, directions, strict=True))
    return found


@pytest.mark.parametrize("name", HANDFUL)
@pytest.mark.parametrize("reduce", [None, "sum"])
def test_third_derivatives_are_those_by_hand(name, reduce):
    problem = Problem(name, reduce=reduce)
    free = problem.free((2,), some_shared(problem))
    ours, by_hand = problem.ours(*free).sum(), problem.by_hand(*free).sum()
    assert_close(products(ours, free, 3), products(by_hand, free, 3), rtol=1e-8)


@pytest.mark.parametrize("name", HANDFUL)
def test_the_gradient_of_a_function_of_the_gradient(name):
    """`grad` of a function is differentiated like its value."""
    problem = Problem(name)
    free = problem.free((2,), some_shared(problem))
    variable = problem.function.wrt[0]
    place = problem.names.index(variable)
    ours = problem.function.grad(*problem.operands(free))
    spread = free[place].expand(2, *problem.shapes[place])  # one gradient for each problem
    operands = (*free[:place], spread, *free[place + 1 :])
    by_hand = torch.autograd.grad(problem.by_hand(*operands).sum(), spread, create_graph=True)[0]
    assert_close(ours, by_hand)
    assert_close(
        torch.autograd.grad(ours.sin().sum(), free, materialize_grads=True),
        torch.autograd.grad(by_hand.sin().sum(), free, materialize_grads=True),
    )


def test_value_and_gradient_together():
    f = matgrad.torch.function("logdet(X'*X)")
    X = torch.randn(2, 4, 3, dtype=torch.float64, requires_grad=True)
    value, gradient = f.value_and_grad(X)
    by_hand = torch.logdet(X.mT @ X)
    theirs = torch.autograd.grad(by_hand.sum(), X, create_graph=True)[0]
    for ours, hand in ((value, by_hand), (gradient, theirs)):
        assert_close(ours, hand)
    for used in ([True, False], [False, True], [True, True]):
        one = sum(t.cos().sum() for t, use in zip((value, gradient), used, strict=True) if use)
        two = sum(t.cos().sum() for t, use in zip((by_hand, theirs), used, strict=True) if use)
        assert_close(
            torch.autograd.grad(one, X, retain_graph=True), torch.autograd.grad(two, X, retain_graph=True)
        )


def test_a_hessian_vector_product_is_one_call():
    f = matgrad.torch.function("logdet(X'*X)")
    X = torch.randn(2, 4, 3, requires_grad=True)
    (gradient,) = torch.autograd.grad(f(X).sum(), X, create_graph=True)
    with CountedCalls() as counted:
        torch.autograd.grad(gradient, X, torch.ones_like(X))
    assert len(counted.calls) == 1
    assert json.loads(counted.calls[0][0])["outputs"] == [["gradient X", "sum"]]


def test_what_is_zero_never_reaches_the_operator():
    f = matgrad.torch.function("tr(A*X)", wrt=("A", "X"))
    A, X = torch.randn(2, 3, requires_grad=True), torch.randn(3, 2, requires_grad=True)
    _, gradients = f.value_and_grad(A, X)
    with CountedCalls() as counted:
        found = torch.autograd.grad(gradients["X"].sum(), (A, X), allow_unused=True)
    assert torch.equal(found[0], torch.ones(2, 3))
    assert found[1] is None
    assert [json.loads(key)["outputs"] for key, _, _ in counted.calls] == [[["gradient A", "sum"]]]
    trace = matgrad.torch.function("tr(X)")
    _, gradient = trace.value_and_grad(X[:2])
    with CountedCalls() as counted:
        assert torch.autograd.grad(gradient.sum(), X, allow_unused=True) == (None,)
        _, tangent = torch.func.jvp(trace.grad, (X[:2].detach(),), (torch.ones(2, 2),))
    assert torch.equal(tangent, torch.zeros(2, 2))
    assert len(counted.calls) == 1  # the gradient itself
