"""Transforms of `torch.func` crossed with each other."""

import pytest

torch = pytest.importorskip("torch", minversion="2.6")

import matgrad.torch  # noqa: E402
from catalogue_in_torch import ENTRIES, HANDFUL, Problem, assert_close, some_shared  # noqa: E402

func = torch.func


def every(problem):
    return tuple(range(len(problem.names)))


TRANSFORMS = {
    "grad": lambda f, n: func.grad(f, n),
    "jvp": lambda f, n: lambda *x: func.jvp(f, x, tuple(v.cos() for v in x)),
    "jacfwd": lambda f, n: func.jacfwd(f, n),
    "jacrev": lambda f, n: func.jacrev(f, n),
    "hessian": lambda f, n: func.hessian(f, n),
    "jacrev of jacrev": lambda f, n: func.jacrev(func.jacrev(f, n), n),
    "jacfwd of jacfwd": lambda f, n: func.jacfwd(func.jacfwd(f, n), n),
    "jacrev of jacfwd": lambda f, n: func.jacrev(func.jacfwd(f, n), n),
    "vjp of jvp": lambda f, n: lambda *x: func.vjp(lambda *x: func.jvp(f, x, x)[1], *x)[1](torch.tensor(1.5).double()),
    "jvp of vjp": lambda f, n: lambda *x: func.jvp(lambda *x: func.vjp(f, *x)[1](torch.tensor(1.5).double()), x, x),
    "grad of grad": lambda f, n: func.grad(lambda *x: sum(g.sin().sum() for g in func.grad(f, n)(*x)), n),
    "linearize": lambda f, n: lambda *x: func.linearize(f, *x)[1](*x),
}


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("name", HANDFUL)
def test_of_one_problem(name, transform):
    problem = Problem(name)
    free = problem.free(requires_grad=False)
    run = TRANSFORMS[transform]
    assert_close(run(problem.ours, every(problem))(*free), run(problem.by_hand, every(problem))(*free), rtol=1e-8)


@pytest.mark.full
@pytest.mark.parametrize("transform", sorted(set(TRANSFORMS) - {"linearize"}))  # which takes no mapped tensors
@pytest.mark.parametrize("name", ENTRIES)
def test_mapped(name, transform):
    problem = Problem(name)
    for shared in {(), some_shared(problem)}:
        free = problem.free((2,), shared, requires_grad=False)
        dims = tuple(None if operand in shared else 0 for operand in problem.names)
        ours, by_hand = (
            func.vmap(TRANSFORMS[transform](f, every(problem)), dims)(*free) for f in (problem.ours, problem.by_hand)
        )
        assert_close(ours, by_hand, rtol=1e-7)


@pytest.mark.parametrize("name", ["log_det_gram", "logistic"])
def test_mapped_hessian(name):
    problem = Problem(name)
    free = problem.free((3,), some_shared(problem), requires_grad=False)
    dims = tuple(None if operand in some_shared(problem) else 0 for operand in problem.names)
    ours, by_hand = (func.vmap(func.hessian(f, every(problem)), dims)(*free) for f in (problem.ours, problem.by_hand))
    assert_close(ours, by_hand, rtol=1e-8)


@pytest.mark.parametrize("reduce", [None, "sum", "mean"])
def test_jacobians_of_a_batch(reduce):
    problem = Problem("least_squares", reduce=reduce)
    free = problem.free((3,), ("x",), requires_grad=False)

    def by_hand(*free):
        value = problem.by_hand(*free)
        return value if reduce is None else getattr(value, reduce)()

    for jacobian in (func.jacfwd, func.jacrev):
        assert_close(jacobian(problem.ours, every(problem))(*free), jacobian(by_hand, every(problem))(*free))
    assert_close(func.hessian(problem.ours, 1)(*free), func.hessian(by_hand, 1)(*free))


def test_forward_mode_without_transforms():
    forward = torch.autograd.forward_ad
    f = matgrad.torch.function("logdet(X'*X)")
    X, V = torch.randn(2, 4, 3, 2, dtype=torch.float64).unbind(0)
    with forward.dual_level():
        found = forward.unpack_dual(f(forward.make_dual(X, V)))
        expected = forward.unpack_dual(torch.logdet((D := forward.make_dual(X, V)).mT @ D))
        assert_close((found.primal, found.tangent), (expected.primal, expected.tangent))
    # Forward over reverse.
    with forward.dual_level():
        D = forward.make_dual(X.clone().requires_grad_(), V)
        ours = forward.unpack_dual(torch.autograd.grad(f(D).sum(), D, create_graph=True)[0]).tangent
        theirs = forward.unpack_dual(
            torch.autograd.grad(torch.logdet(D.mT @ D).sum(), D, create_graph=True)[0]
        ).tangent
        assert_close(ours, theirs)


def test_functions_of_several_calls():
    """A loss that calls functions of matgrad between operations of PyTorch."""
    inner = matgrad.torch.function("logdet(X'*X)")
    outer = matgrad.torch.function("norm2(A*x - b)^2", wrt="x")

    def ours(X, A, b):
        return outer(A, torch.tanh(X).sum(-1) * inner(X), b) + inner(X) ** 2

    def by_hand(X, A, b):
        value = torch.logdet(X.mT @ X)
        return ((A @ (torch.tanh(X).sum(-1) * value) - b) ** 2).sum() + value**2

    operands = [torch.randn(s, dtype=torch.float64) for s in ((4, 2), (3, 4), (3,))]
    for run in (func.hessian, lambda f, n: func.jacrev(func.jacrev(f, n), n), func.grad):
        assert_close(run(ours, (0, 1, 2))(*operands), run(by_hand, (0, 1, 2))(*operands), rtol=1e-8)


def test_functions_of_autograd_functional():
    from torch.autograd.functional import hessian, hvp, jacobian

    f = matgrad.torch.function("logdet(X'*X)")
    X = torch.randn(4, 2, dtype=torch.float64)

    def by_hand(X):
        return torch.logdet(X.mT @ X)

    for run in (jacobian, hessian, lambda f, X: hvp(f, X, X)):
        assert_close(run(f, X), run(by_hand, X))


def test_the_operator_alone():
    """Exported graphs hold it: it has derivatives by `backward`, and is mapped."""
    f = matgrad.torch.function("logdet(X'*X)")

    def alone(X):
        return torch.ops.matgrad.run([X], f._value_key, 0)[0]

    X = torch.randn(3, 4, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(alone, X, fast_mode=True)
    assert torch.autograd.gradgradcheck(alone, X, fast_mode=True)
    assert torch.equal(func.vmap(alone)(X.detach()), f(X.detach()))
