"""Tensors that are spread over processes (DTensor): which placements a call can have.

Problems are independent: batched operands and results that are one for each problem are sharded alike over any axis
of the batch, shared operands are replicated, and a result that is a sum over the batch is partial until it is asked
for. A mean needs the whole batch.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from matgrad.torch._calls import call

_is_ready = False


def prepare(operands: Sequence[Tensor]) -> None:
    """Makes the rule known to DTensor before its first tensor comes by."""
    if _is_ready:
        return
    distributed = sys.modules.get("torch.distributed.tensor")
    if distributed is not None and any(isinstance(operand, distributed.DTensor) for operand in operands):
        register()


def placements(key: str, kept: int, ranks: Sequence[int]) -> list[list[Any]]:
    """What one axis of a mesh can do: the placements of all results followed by those of all operands.

    ranks   how many axes each operand has
    """
    from torch.distributed.tensor import Partial, Replicate, Shard

    of = call(key)
    everything = len(of.outputs) + len(ranks)
    ways: list[list[Any]] = [[Replicate()] * everything, *([Shard(axis)] * everything for axis in range(kept))]
    is_batched = [found > kept + rank for found, rank in zip(ranks, of.ranks, strict=True)]
    axes = [found - kept - rank for found, rank in zip(ranks, of.ranks, strict=True)]
    has_mean = any(output.reduction == "mean" for output in of.outputs)
    for axis in range(kept, kept + (0 if has_mean else max(axes))):
        results = [
            Partial("sum") if of.is_reduced(place, is_batched) else Shard(axis) for place in range(len(of.outputs))
        ]
        ways.append(results + [Shard(axis) if batched else Replicate() for batched in is_batched])
    return ways


def register() -> None:
    """DTensor's own registration of rules takes operators of a fixed number of results; this is what it calls."""
    global _is_ready
    from torch.distributed.tensor import DTensor
    from torch.distributed.tensor._op_schema import RuntimeSchemaInfo
    from torch.distributed.tensor._ops.utils import expand_to_full_mesh_op_strategy

    def strategy(schema: Any) -> Any:
        operands, key, kept = schema.args_schema
        ways = placements(key, kept, [operand.ndim for operand in operands.children])
        mesh = schema.get_mesh_from_args(validate=False)
        made = expand_to_full_mesh_op_strategy(mesh, schema, ways, input_index=len(call(key).outputs))
        for way in made.strategies:
            if not isinstance(way.output_specs, tuple):  # a list of one result is a list
                way.output_specs = (way.output_specs,)
        return made

    DTensor._op_dispatcher.sharding_propagator.register_op_strategy(
        torch.ops.matgrad.run.default, strategy, RuntimeSchemaInfo(1, needs_pytree=True)
    )
    _is_ready = True
