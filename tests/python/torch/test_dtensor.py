"""DTensor: batched operands are sharded over the batch, shared ones replicated, sums partial."""

import json

import pytest

torch = pytest.importorskip("torch", minversion="2.6")
if not torch.distributed.is_available():
    pytest.skip("this PyTorch has no torch.distributed", allow_module_level=True)

import matgrad.torch  # noqa: E402
from matgrad.torch import _sharding  # noqa: E402
from problems import assert_close  # noqa: E402
from processes import COUNT, in_two_processes  # noqa: E402
from torch.distributed.tensor import DTensor, Partial, Replicate, Shard, distribute_tensor  # noqa: E402

TEXT = "logdet(X'*X) + norm2(A*X)^2"


def key(reduction):
    outputs = [["value", reduction], ["gradient X", reduction], ["gradient A", reduction]]
    return json.dumps({"text": TEXT, "declare": [], "outputs": outputs})


def test_rule():
    replicated = [Replicate()] * 5
    of_each = [replicated, [Shard(0)] * 4 + [Replicate()]]
    assert _sharding.placements(key("none"), 0, (3, 2)) == of_each
    assert _sharding.placements(key("sum"), 0, (3, 2)) == [
        replicated,
        [Partial("sum"), Shard(0), Partial("sum"), Shard(0), Replicate()],
    ]
    assert _sharding.placements(key("mean"), 0, (3, 2)) == [replicated]
    assert _sharding.placements(key("none"), 0, (2, 2)) == [replicated]
    # Two axes of the batch: either may be sharded.
    assert _sharding.placements(key("none"), 0, (4, 4)) == [replicated, [Shard(0)] * 5, [Shard(1)] * 5]
    # An axis that vmap added is sharded in everything; the batch behind it as before.
    assert _sharding.placements(key("sum"), 1, (4, 3)) == [
        replicated,
        [Shard(0)] * 5,
        [Partial("sum"), Shard(1), Partial("sum"), Shard(1), Replicate()],
    ]


def spread(mesh):
    generator = torch.Generator().manual_seed(3)
    X, A = (torch.randn(s, dtype=torch.float64, generator=generator) for s in ((6, 4, 2), (3, 4)))
    whole = (X.requires_grad_(), A.requires_grad_())
    parts = (distribute_tensor(X.detach(), mesh, [Shard(0)]), distribute_tensor(A.detach(), mesh, [Replicate()]))
    return whole, tuple(part.requires_grad_() for part in parts)


def results(X, A):
    """With the placements that each has to have."""
    each = matgrad.torch.function(TEXT, wrt="X")
    value, gradient = each.value_and_grad(X, A)
    own, shared = torch.autograd.grad(value.sum(), (X, A), create_graph=True)
    second = torch.autograd.grad((own * own).sum(), A)[0]
    total = matgrad.torch.function(TEXT, wrt="A", reduce="sum")(X, A)
    plain = matgrad.torch.function("norm2(A*X)^2", wrt="A", reduce="sum")(A=A, X=X)
    mean = matgrad.torch.function("norm2(A*X)^2", wrt="A", reduce="mean")(A=A, X=X)
    tensors = (value, gradient, own, shared, second, total, plain, mean)
    return tensors, (Shard(0), Shard(0), Shard(0), Partial(), Partial(), Partial(), Partial(), Replicate())


@pytest.fixture
def pretended():
    """A mesh of two processes of which this is one; the other is not there."""
    from torch.distributed.device_mesh import init_device_mesh
    from torch.testing._internal.distributed.fake_pg import FakeStore

    torch.distributed.init_process_group("fake", rank=0, world_size=2, store=FakeStore())
    yield init_device_mesh("cpu", (2,))
    torch.distributed.destroy_process_group()


def test_placements_of_results(pretended):
    _, operands = spread(pretended)
    tensors, expected = results(*operands)
    for tensor, placement in zip(tensors, expected, strict=True):
        assert isinstance(tensor, DTensor)
        assert tensor.placements == (placement,)
    assert tensors[0].shape == (6,)
    assert tensors[0].to_local().shape == (3,)


def compare(rank):
    from torch.distributed.device_mesh import init_device_mesh

    whole, parts = spread(init_device_mesh("cpu", (COUNT,)))
    found, _ = results(*parts)
    expected, _ = results(*whole)
    for k, (ours, theirs) in enumerate(zip(found, expected, strict=True)):
        if k < 2:
            assert torch.equal(ours.full_tensor(), theirs)  # one for each problem: bit for bit
        assert_close(ours.full_tensor(), theirs, rtol=1e-12)


@pytest.mark.full
def test_two_processes_have_what_one_has(tmp_path):
    in_two_processes(compare, tmp_path)
