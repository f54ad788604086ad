"""`torch.compile` without graph breaks, `torch.export`."""

import pytest

torch = pytest.importorskip("torch", minversion="2.6")

import matgrad.torch  # noqa: E402
from catalogue_in_torch import HANDFUL, Problem, assert_close, some_shared  # noqa: E402

func = torch.func


@pytest.fixture(autouse=True)
def _fresh():
    torch._dynamo.reset()


def compiled(f, **options):
    return torch.compile(f, fullgraph=True, backend="aot_eager", **options)


@pytest.mark.parametrize("name", HANDFUL)
def test_backward(name):
    problem = Problem(name)
    free = problem.free((3,), some_shared(problem))
    ours, by_hand = compiled(lambda *free: problem.ours(*free).sin())(*free), problem.by_hand(*free).sin()
    assert_close(ours, by_hand)
    assert_close(torch.autograd.grad(ours.sum(), free), torch.autograd.grad(by_hand.sum(), free))


COMPOSED = {
    "grad": lambda f, n: func.grad(lambda *x: f(*x).sum(), n),
    "vmap of grad": lambda f, n: lambda *x: func.vmap(func.grad(f, n))(*(t.expand(2, *t.shape) for t in x)),
    "jvp": lambda f, n: lambda *x: func.jvp(f, x, x),
    "jacrev of jacrev": lambda f, n: func.jacrev(func.jacrev(f, n), n),
    "hessian": lambda f, n: func.hessian(f, n),
}


@pytest.mark.parametrize("composed", ["grad", "vmap of grad", "hessian"])
def test_transforms_inside(composed):
    problem = Problem("log_det_gram")
    free = problem.free(requires_grad=False)
    run = COMPOSED[composed]
    assert_close(compiled(run(problem.ours, (0,)))(*free), run(problem.by_hand, (0,))(*free), rtol=1e-8)


@pytest.mark.full
@pytest.mark.parametrize("composed", COMPOSED)
@pytest.mark.parametrize("name", HANDFUL)
def test_transforms_inside_of_a_handful(name, composed):
    problem = Problem(name)
    free = problem.free(requires_grad=False)
    every = tuple(range(len(free)))
    run = COMPOSED[composed]
    assert_close(compiled(run(problem.ours, every))(*free), run(problem.by_hand, every)(*free), rtol=1e-8)


def test_value_and_gradient_inside():
    f = matgrad.torch.function("norm2(A*x - b)^2", wrt=("x", "A"), reduce="sum")
    A, x, b = torch.randn(5, 4, 3), torch.randn(3), torch.randn(5, 4)
    value, gradients = compiled(lambda A, x, b: f.value_and_grad(x=x, A=A, b=b))(A, x, b)
    expected, theirs = f.value_and_grad(A, x, b)
    assert torch.equal(value, expected)
    assert all(torch.equal(gradients[name], theirs[name]) for name in ("x", "A"))


def test_a_training_step_is_the_same():
    module = matgrad.torch.Module("norm2(A*x - b)^2", parameters={"x": torch.zeros(3)}, reduce="mean")
    A, b = torch.randn(5, 4, 3), torch.randn(5, 4)
    module(A, b).backward()
    eager, module.x.grad = module.x.grad, None
    compiled(module)(A, b).backward()
    assert torch.equal(module.x.grad, eager)


def test_sizes_that_change():
    f = matgrad.torch.function("logdet(X'*X)")
    counter = torch._dynamo.testing.CompileCounterWithBackend("aot_eager")
    g = torch.compile(lambda X: f(X).sum(), fullgraph=True, backend=counter, dynamic=True)
    for shape in ((3, 4, 2), (5, 6, 3), (7, 8, 2)):
        X = torch.randn(shape, dtype=torch.float64, requires_grad=True)
        g(X).backward()
        assert_close(X.grad, torch.autograd.grad(torch.logdet(X.mT @ X).sum(), X)[0])
    assert counter.frame_count == 1


def test_a_shared_operand_that_becomes_batched():
    f = matgrad.torch.function("norm2(A*x)^2", wrt="x")
    g = compiled(f)
    A, x = torch.randn(4, 3), torch.randn(5, 3)
    for operands in ((A, x), (A.expand(5, 4, 3), x), (A, x[0])):
        assert torch.equal(g(*operands), f(*operands))


def test_exported():
    f = matgrad.torch.function("logdet(X'*X)")

    class Layer(torch.nn.Module):
        def forward(self, X):
            return f(X)

    program = torch.export.export(
        Layer(), (torch.randn(3, 4, 2),), dynamic_shapes={"X": {0: torch.export.Dim("batch")}}
    )
    X = torch.randn(6, 4, 2, requires_grad=True)
    value = program.module()(X)
    assert torch.equal(value, f(X))
    assert torch.equal(torch.autograd.grad(value.sum(), X)[0], torch.autograd.grad(f(X).sum(), X)[0])


def test_a_wrong_operand_is_named():
    f = compiled(matgrad.torch.function("logdet(X'*X)"))
    with pytest.raises(Exception, match="operand 'X': found int64, expected float32 or float64"):
        f(torch.ones(2, 2, dtype=torch.int64))


@pytest.mark.full
def test_inductor():
    f = matgrad.torch.function("logdet(X'*X)")
    g = torch.compile(lambda X: (torch.tanh(X).sum((-2, -1)) * f(X)).sum(), fullgraph=True)
    X = torch.randn(3, 4, 2, dtype=torch.float64, requires_grad=True)
    expected = (torch.tanh(X).sum((-2, -1)) * torch.logdet(X.mT @ X)).sum()
    assert_close(g(X), expected)
    assert_close(torch.autograd.grad(g(X), X), torch.autograd.grad(expected, X))
