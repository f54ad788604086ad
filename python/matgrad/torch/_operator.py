"""The operator `matgrad::run(Tensor[] operands, str key, int kept) -> Tensor[]`, for the processor and for GPUs.

The key is that of a Computation; `_calls` says what kept axes are. Results are new tensors, one for each output.
Problems that fail have NaN in what is theirs alone and are left out of sums, as everywhere in matgrad.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from matgrad import _calls as arrays_calls
from matgrad import _core
from matgrad._arrays import Operands
from matgrad.errors import CopyNeeded, OperandError
from matgrad.torch._calls import Call, call

NAME = "matgrad::run"

torch.library.define(NAME, "(Tensor[] operands, str key, int kept) -> Tensor[]", tags=torch.Tag.pt2_compliant_tag)


def _run_on_host(of: Call, operands: Sequence[Tensor]) -> list[Tensor]:
    """NumPy's views of the tensors are handed over: they cost a fraction of what DLPack of tensors does."""
    arrays = tuple([operand.numpy(force=True) for operand in operands])
    shapes = of.kept_result_shapes(tuple([array.shape for array in arrays]))
    dtype = operands[0].dtype
    results = [torch.empty(shape, dtype=dtype) for shape in shapes]
    written = tuple([result.numpy() for result in results])
    codes = status = None
    if of.tells_success:
        status = torch.empty(shapes[-1], dtype=torch.int32)
        codes, written = status.numpy(), written[:-1]
    try:
        _core.run(of.core, arrays, written, codes)
    except CopyNeeded:
        arrays = tuple(operand.detach().contiguous().numpy(force=True) for operand in operands)
        _core.run(of.core, arrays, written, codes)
    if status is not None:
        results[-1].copy_(_succeeded(status))
    return results


def _run_on_gpu(of: Call, operands: Sequence[Tensor]) -> list[Tensor]:
    """Enqueues on the current stream and waits for nothing. Not yet run on a GPU."""
    bound = Operands(of.names, operands)
    status = None
    if of.tells_success:
        batch = of.batch([operand.shape for operand in operands], 0)
        status = torch.empty(batch, dtype=torch.int32, device=operands[0].device)
    results = list(arrays_calls.run(of.computation, bound, status=status)[0])
    if status is not None:
        results.append(_succeeded(status).to(operands[0].dtype))
    return results


def _succeeded(status: Tensor) -> Tensor:
    kind = status >> 24
    return (kind == 0) | (kind == _core.JITTERED)


def _run_kept(run: Any, of: Call, operands: Sequence[Tensor], kept: int) -> list[Tensor]:
    """Kept axes become axes of the batch; what is reduced over the batch behind them is reduced here."""
    for operand, rank, name in zip(operands, of.ranks, of.names, strict=True):
        if operand.ndim < kept + rank or operand.shape[:kept] != operands[0].shape[:kept]:
            raise OperandError(f"operand '{name}': found shape {tuple(operand.shape)}, expected {kept} kept axes first")
    batch = of.batch([operand.shape for operand in operands], kept)
    if not batch:
        return list(run(of.unreduced, operands))
    front = (*operands[0].shape[:kept], *batch)
    is_batched = [operand.ndim > kept + rank for operand, rank in zip(operands, of.ranks, strict=True)]
    spread = [
        operand if batched else spread_over(operand, kept, front)
        for operand, batched in zip(operands, is_batched, strict=True)
    ]
    *results, succeeded = run(of.unreduced.with_success, spread)
    axes = tuple(range(kept, len(front)))
    for place, output in enumerate(of.computation.outputs):
        if output.reduction == "none":
            continue
        result = results[place]
        if of.is_reduced(place, is_batched):
            mask = succeeded.reshape(*front, *(1,) * (result.ndim - len(front)))
            result = torch.where(mask > 0, result, 0).sum(axes)
        if output.reduction == "mean":
            count = succeeded.sum(axes).clamp(min=1)
            result = result / count.reshape(*count.shape, *(1,) * (result.ndim - count.ndim))
        results[place] = result
    return [*results, succeeded] if of.tells_success else results


def spread_over(operand: Tensor, kept: int, front: Sequence[int]) -> Tensor:
    """An operand that is shared over the batch, seen once for each problem; `front` are the kept and batch axes."""
    matrix = operand.shape[kept:]
    ones = (1,) * (len(front) - kept)
    return operand.reshape(*operand.shape[:kept], *ones, *matrix).expand(*front, *matrix)


def run_on_host(operands: Sequence[Tensor], key: str, kept: int) -> list[Tensor]:
    """The operator for tensors of the processor."""
    if kept == 0:
        return _run_on_host(call(key), operands)
    return _run_kept(_run_on_host, call(key), operands, kept)


def run_on_gpu(operands: Sequence[Tensor], key: str, kept: int) -> list[Tensor]:
    """The operator for tensors of a GPU."""
    if kept == 0:
        return _run_on_gpu(call(key), operands)
    return _run_kept(_run_on_gpu, call(key), operands, kept)


torch.library.impl(NAME, "cpu", run_on_host)
torch.library.impl(NAME, "cuda", run_on_gpu)


def run_without_data(operands: Sequence[Tensor], key: str, kept: int) -> list[Tensor]:
    """Tensors of the shapes and type of the results; sizes may be symbols."""
    front = operands[0].shape[:kept]
    shapes = call(key).result_shapes([operand.shape[kept:] for operand in operands])
    return [operands[0].new_empty((*front, *shape)) for shape in shapes]


torch.library.register_fake(NAME, run_without_data)
run = torch.ops.matgrad.run.default
