"""torch.distributed: each process has a part of the batch, sums are all-reduced."""

import pytest

torch = pytest.importorskip("torch", minversion="2.6")
if not torch.distributed.is_available():
    pytest.skip("this PyTorch has no torch.distributed", allow_module_level=True)

import matgrad.torch  # noqa: E402
from problems import assert_close  # noqa: E402
from processes import COUNT, in_two_processes  # noqa: E402

TEXT = "logdet(X'*X) + norm2(A*X)^2"


def operands():
    generator = torch.Generator().manual_seed(3)
    X, A = (torch.randn(s, dtype=torch.float64, generator=generator) for s in ((6, 4, 2), (3, 4)))
    return X.requires_grad_(), A.requires_grad_()


def results(X, A):
    """Of the problems in X: what each has of its own, and what is summed over them."""
    each = matgrad.torch.function(TEXT, wrt="X")
    total = matgrad.torch.function(TEXT, wrt="A", reduce="sum")
    value, gradient = each.value_and_grad(X, A)
    loss = total(X, A)
    return (value, gradient), (loss, torch.autograd.grad(loss, A)[0])


def one_of_two(rank, folder):
    X, A = operands()
    own, summed = results(X.chunk(COUNT)[rank], A)
    summed = tuple(tensor.detach() for tensor in summed)
    for tensor in summed:
        torch.distributed.all_reduce(tensor)
    torch.save((own, summed), f"{folder}/{rank}.pt")

    # DistributedDataParallel averages gradients over the processes.
    module = matgrad.torch.Module(TEXT, parameters={"A": A.detach()}, reduce="sum")
    parallel = torch.nn.parallel.DistributedDataParallel(module)
    parallel(X.chunk(COUNT)[rank].detach()).backward()
    assert_close(COUNT * module.A.grad, summed[1])


@pytest.mark.full
def test_two_processes_have_what_one_has(tmp_path):
    in_two_processes(one_of_two, tmp_path, str(tmp_path))
    own, summed = results(*operands())
    parts = [torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(COUNT)]
    for k, whole in enumerate(own):
        assert torch.equal(torch.cat([part[0][k] for part in parts]), whole)  # bit for bit
    for part in parts:
        assert_close(part[1], summed, rtol=1e-12)
