"""`torch.func.vmap`: mapped axes become the batch, shared operands stay shared."""

import pytest

torch = pytest.importorskip("torch", minversion="2.6")

import matgrad.torch  # noqa: E402
from catalogue_in_torch import ENTRIES, HANDFUL, CountedCalls, Problem, assert_close, some_shared  # noqa: E402

vmap, grad = torch.func.vmap, torch.func.grad


def in_dims(problem, shared):
    return tuple(None if name in shared else 0 for name in problem.names)


@pytest.mark.parametrize("name", ENTRIES)
@pytest.mark.parametrize("of", ["value", "grad", "grad outside"])
def test_of_every_function(name, of):
    problem = Problem(name)
    every = tuple(range(len(problem.names)))
    for shared in {(), some_shared(problem)}:
        free = problem.free((3,), shared, requires_grad=False)
        dims = in_dims(problem, shared)

        def run(f, dims=dims, free=free):
            if of == "value":
                return vmap(f, dims)(*free)
            if of == "grad":
                return vmap(grad(f, every), dims)(*free)
            return grad(lambda *free: vmap(f, dims)(*free).sin().sum(), every)(*free)

        assert_close(run(problem.ours), run(problem.by_hand), rtol=1e-8)


@pytest.mark.parametrize("name", HANDFUL)
def test_per_sample_gradients_are_one_call_for_the_whole_batch(name):
    problem = Problem(name)
    variable = problem.function.wrt[0]
    place = problem.names.index(variable)
    shared = (variable,) if len(problem.names) > 1 else ()
    free = [t.detach() for t in problem.operands(problem.free((7,), shared))]
    with CountedCalls() as counted:
        found = vmap(grad(problem.function, place), in_dims(problem, shared))(*free)
    assert found.shape == (7, *problem.shapes[place])
    value, gradient = counted.calls
    for key, shapes, kept in (value, gradient):
        assert kept == 0
        assert all(shape in ((7, *own), own) for shape, own in zip(shapes, problem.shapes, strict=False)) or key
    if shared:  # what is not mapped was not spread over the batch
        assert problem.shapes[place] in value[1]
    with CountedCalls() as counted:
        assert_close(vmap(problem.function.grad, in_dims(problem, shared))(*free), found)
    assert len(counted.calls) == 1


def test_axes_in_and_out():
    f = matgrad.torch.function("norm2(A*x - b)^2", wrt="x")
    A = torch.randn(4, 3, 5, dtype=torch.float64)
    x, b = torch.randn(3, 5, dtype=torch.float64), torch.randn(4, dtype=torch.float64)

    def by_hand(A, x, b):
        return ((A @ x - b) ** 2).sum()

    for dims in ((2, 1, None), (-1, -1, None), (2, None, None), (None, 1, None)):
        operands = [t if d is not None else t.select(-1, 0) for t, d in zip((A, x), dims, strict=False)] + [b]
        for outs in (0, 1, -1):
            found = vmap(lambda *o: f.grad(*o), dims, outs)(*operands)
            assert_close(found, vmap(grad(by_hand, 1), dims, outs)(*operands))


@pytest.mark.parametrize("reduce", [None, "sum", "mean"])
@pytest.mark.parametrize("mapped", [("X",), ("A",), ("X", "A")])
@pytest.mark.parametrize("batched", [("X",), ("A",), ("X", "A")])
def test_a_batch_inside(reduce, mapped, batched):
    """Losses over a batch, mapped over models or data: value and gradients by shared and batched operands."""
    f = matgrad.torch.function("logdet(X'*X) + norm2(A*X)^2", wrt=("X", "A"), reduce=reduce)

    def by_hand(X, A):
        value = torch.logdet(X.mT @ X) + ((A @ X) ** 2).sum((-2, -1))
        return value if reduce is None else getattr(value, reduce)()

    shapes = {"X": (4, 2), "A": (3, 4)}
    operands = []
    for name, shape in shapes.items():
        front = ((3,) if name in mapped else ()) + ((5,) if name in batched else ())
        operands.append(torch.randn(*front, *shape, dtype=torch.float64))
    dims = tuple(0 if name in mapped else None for name in shapes)
    forms = {
        "value": lambda f: vmap(f, dims)(*operands),
        "gradients": lambda f: vmap(grad(lambda *o: f(*o).sin().sum(), (0, 1)), dims)(*operands),
        "gradient outside": lambda f: grad(lambda *o: vmap(f, dims)(*o).sin().sum(), (0, 1))(*operands),
        "second derivatives": lambda f: vmap(
            grad(lambda *o: grad(lambda *o: f(*o).sin().sum(), 1)(*o).sin().sum(), (0, 1)), dims
        )(*operands),
        "second outside": lambda f: grad(
            lambda *o: vmap(grad(lambda *o: f(*o).sin().sum(), 1), dims)(*o).sin().sum(), (0, 1)
        )(*operands),
        "forward": lambda f: vmap(lambda *o: torch.func.jvp(f, o, o)[1], dims)(*operands),
    }
    for what, run in forms.items():
        with CountedCalls() as counted:
            found = run(f)
        assert_close(found, run(by_hand), rtol=1e-8), what
        if what == "gradients":
            assert len(counted.calls) == 2


def test_what_is_not_mapped_joins_a_batch_inside_as_it_is():
    f = matgrad.torch.function("logdet(X'*X) + norm2(A*X)^2", wrt="X")
    X, A = torch.randn(3, 5, 4, 2), torch.randn(3, 4)
    with CountedCalls() as counted:
        vmap(f, (0, None))(X, A)
        vmap(grad(lambda X, A: f(X, A).sum()), (0, None))(X, A)
    assert [shapes[:2] for _, shapes, _ in counted.calls[:2]] == [[(3, 5, 4, 2), (3, 4)]] * 2
    assert all((3, 4) in shapes and kept == 0 for _, shapes, kept in counted.calls)


def test_nested():
    f = matgrad.torch.function("tr(A*X*B)", wrt="X")
    A = torch.randn(2, 3, 4, dtype=torch.float64)
    X = torch.randn(4, 6, 5, 3, dtype=torch.float64)  # mapped over 5 and 6
    B = torch.randn(5, 3, 3, dtype=torch.float64)

    def by_hand(A, X, B):
        return torch.einsum("...ij,...jk,...ki->...", A, X, B)

    for dims in (((0, None, None), (None, 2, 0), (None, 1, None)),):
        def nest(g, dims=dims):
            for d in reversed(dims):
                g = vmap(g, d)
            return g

        # A over 2, then X and B over 5, then X over 6.
        assert_close(nest(f)(A, X, B), nest(by_hand)(A, X, B))
        for which in (0, 1, 2):
            assert_close(nest(grad(f, which))(A, X, B), nest(grad(by_hand, which))(A, X, B))
    sums = matgrad.torch.function("tr(A*X*B)", wrt="X", reduce="sum")
    twice = torch.randn(2, 7, 3, 4, dtype=torch.float64)  # a batch of 7 inside
    assert_close(
        vmap(vmap(grad(sums, (0, 1, 2)), (None, 1, 0)), (0, 1, None))(twice, X[:, :2], B),
        vmap(vmap(grad(lambda *o: by_hand(*o).sum(), (0, 1, 2)), (None, 1, 0)), (0, 1, None))(twice, X[:, :2], B),
    )


def test_in_chunks():
    f = matgrad.torch.function("logdet(X'*X)", expected_batch=10)
    X = torch.randn(10, 4, 2, dtype=torch.float64)
    assert torch.equal(vmap(grad(f), chunk_size=3)(X), vmap(grad(f))(X))


def test_problems_have_the_bits_they_have_alone():
    f = matgrad.torch.function("logdet(X'*X)", expected_batch=9)
    X = torch.randn(9, 5, 3)
    together = vmap(grad(f))(X)
    assert all(torch.equal(together[k], grad(f)(X[k])) for k in range(9))
