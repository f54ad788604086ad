"""DTensor: batched operands are sharded over the batch, shared ones replicated, sums partial."""

import json

import pytest

torch = pytest.importorskip("torch", minversion="2.6")
if not torch.distributed.is_available():
    pytest.skip("this PyTorch has no torch.distributed", allow_module_level=True)

from batch_in_shards import TEXT, compare, results, spread  # noqa: E402
from torch.distributed.tensor import DTensor, Partial, Replicate, Shard  # noqa: E402
from two_processes import in_two_processes  # noqa: E402

from matgrad.torch import _sharding  # noqa: E402


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


@pytest.mark.full
def test_two_processes_have_what_one_has(tmp_path):
    in_two_processes(compare, tmp_path)
