"""`matgrad.torch.Module` in the ways PyTorch uses modules."""

import copy
import pickle

import pytest

torch = pytest.importorskip("torch", minversion="2.6")

import matgrad  # noqa: E402
import matgrad.torch  # noqa: E402
from catalogue_in_torch import CountedCalls, assert_close  # noqa: E402


def regression(**options):
    options = {"parameters": {"x": torch.zeros(3)}, "buffers": {"t": torch.tensor(0.5)}, "reduce": "sum"} | options
    return matgrad.torch.Module("norm2(A*x - b)^2 + t*norm2(x)^2", declare="t=1", **options)


def data(batch=6):
    torch.manual_seed(0)
    return torch.randn(batch, 4, 3), torch.randn(batch, 4)


def test_holds_parameters_and_buffers():
    module = regression()
    assert [name for name, _ in module.named_parameters()] == ["x"]
    assert [name for name, _ in module.named_buffers()] == ["t"]
    assert module.operands == ("A", "b")
    assert set(module.state_dict()) == {"x", "t"}
    assert "norm2(A*x - b)^2" in repr(module)


def test_training_reaches_the_solution():
    module, (A, b) = regression().double(), (t.double() for t in data())
    optimizer = torch.optim.LBFGS(module.parameters(), line_search_fn="strong_wolfe", tolerance_grad=1e-10)

    def closure():
        optimizer.zero_grad()
        loss = module(A, b)
        loss.backward()
        return loss

    for _ in range(5):
        optimizer.step(closure)
    # t*norm2(x)^2 is part of every problem, so it counts six times.
    normal = torch.einsum("kij,kil->jl", A, A) + 6 * 0.5 * torch.eye(3)
    solution = torch.linalg.solve(normal, (A.mT @ b[..., None]).sum(0))
    torch.testing.assert_close(module.x.detach(), solution[:, 0], rtol=1e-6, atol=1e-7)


def test_operands_by_position_and_by_name():
    module, (A, b) = regression(), data()
    assert torch.equal(module(A, b), module(b=b, A=A))
    assert torch.equal(module(A, b=b), module(A, b))
    for wrong, message in (
        (lambda: module(A), "'b' is missing"),
        (lambda: module(A, b, b), "found 3 operands, expected 2: A, b"),
        (lambda: module(A, b, x=b), "'x': held by the module"),
        (lambda: module(A, A=A, b=b), "'A' is given twice"),
        (lambda: module(A, b, y=b), "'y': not of this call"),
    ):
        with pytest.raises(matgrad.OperandError, match=message):
            wrong()


def test_wrong_names():
    with pytest.raises(matgrad.NameError, match="'y', expected one of x"):
        matgrad.torch.Module("norm2(x)^2", parameters={"y": torch.zeros(3)})
    with pytest.raises(matgrad.OperandError, match=r"'train': torch\.nn\.Module has that name"):
        matgrad.torch.Module("norm2(train)^2", parameters={"train": torch.zeros(3)})
    with pytest.raises(matgrad.OperandError, match="'x': found among parameters and buffers"):
        matgrad.torch.Module("norm2(x)^2", parameters={"x": torch.zeros(3)}, buffers={"x": torch.zeros(3)})


def test_a_parameter_that_two_modules_share():
    x = torch.nn.Parameter(torch.ones(3))
    first = matgrad.torch.Module("norm2(x)^2", parameters={"x": x})
    second = matgrad.torch.Module("sum(x)", parameters={"x": x})
    (first() + second()).backward()
    assert first.x is second.x is x
    assert torch.equal(x.grad, torch.full((3,), 3.0))


def test_moved_copied_saved():
    module, (A, b) = regression(), data()
    with torch.no_grad():
        module.x.copy_(torch.arange(3.0))
    for other in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert torch.equal(other(A, b), module(A, b))
    fresh = regression()
    fresh.load_state_dict(module.state_dict())
    assert torch.equal(fresh(A, b), module(A, b))
    assert copy.deepcopy(module).double()(A.double(), b.double()).dtype == torch.float64


def test_functional_call_and_gradients_for_each_sample():
    module, (A, b) = regression(reduce=None), data()
    parameters = {"x": torch.randn(3)}

    def loss(parameters, A, b):
        return torch.func.functional_call(module, parameters, (A, b))

    with CountedCalls() as counted:
        found = torch.func.vmap(torch.func.grad(loss), (None, 0, 0))(parameters, A, b)["x"]
    assert len(counted.calls) == 2
    residual = (A @ parameters["x"]) - b
    assert_close(found, 2 * torch.einsum("kij,ki->kj", A, residual) + parameters["x"], rtol=1e-5)


def test_an_ensemble_is_one_call():
    modules = [regression(parameters={"x": torch.randn(3)}) for _ in range(4)]
    parameters, buffers = torch.func.stack_module_state(modules)
    A, b = data()

    def loss(parameters, buffers, A, b):
        return torch.func.functional_call(modules[0], (parameters, buffers), (A, b))

    with CountedCalls() as counted:
        found = torch.func.vmap(torch.func.grad(loss), (0, 0, None, None))(parameters, buffers, A, b)
    assert len(counted.calls) == 2
    for k, module in enumerate(modules):
        module(A, b).backward()
        assert_close(found["x"][k], module.x.grad, rtol=1e-5)


def test_a_layer_between_layers():
    torch.manual_seed(1)
    A = torch.randn(2, 3, dtype=torch.float64)
    term = matgrad.torch.Module("norm2(A*x - b)^2", parameters={"A": A}, reduce="sum")
    model = torch.nn.Linear(5, 3).double()
    inputs, targets = torch.randn(7, 5).double(), torch.randn(7, 2).double()
    loss = term(x=model(inputs), b=targets)
    expected = ((model(inputs) @ term.A.T - targets) ** 2).sum()
    leaves = (*model.parameters(), term.A)
    assert_close(torch.autograd.grad(loss, leaves), torch.autograd.grad(expected, leaves))


def test_hooks_parametrizations_and_checkpoints():
    from torch.nn.utils import parametrize
    from torch.utils.checkpoint import checkpoint

    class Softplus(torch.nn.Module):
        def forward(self, x):
            return torch.nn.functional.softplus(x)

    module, (A, b) = regression(), data()
    parametrize.register_parametrization(module, "x", Softplus())
    seen = []
    module.register_full_backward_hook(lambda *_: seen.append(True))
    A.requires_grad_()
    checkpoint(module, A, b, use_reentrant=False).backward()
    assert seen
    leaf = module.parametrizations.x.original
    x = torch.nn.functional.softplus(leaf)
    expected = ((A @ x - b) ** 2).sum() + 6 * 0.5 * (x * x).sum()
    assert_close(leaf.grad, torch.autograd.grad(expected, leaf)[0], rtol=1e-5)
