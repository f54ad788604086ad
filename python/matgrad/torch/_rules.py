"""Rules of differentiation and of vmap: each leads to calls of the same operator, with another key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad

from matgrad.torch import _operator
from matgrad.torch._calls import Derivative, call
from matgrad.torch._operator import spread_over

_PLAIN = (Tensor, torch.nn.Parameter)


class Rules(torch.autograd.Function):
    """`matgrad::run` with its derivatives, of any order, backward and forward."""

    @staticmethod
    def backward(ctx: Any, *cotangents: Tensor | None) -> tuple[Tensor | None, ...]:
        return (None, None, *_pull(ctx.key, ctx.kept, ctx.saved_tensors, ctx.needs_input_grad[2:], cotangents))

    @staticmethod
    def jvp(ctx: Any, key: None, kept: None, *directions: Tensor | None) -> tuple[Tensor | None, ...]:
        of = call(ctx.key)
        operands = ctx.saved_tensors
        derivative = of.tangent(tuple(direction is not None for direction in directions))
        new = [direction for direction in directions if direction is not None]
        return tuple(_results(derivative, ctx.key, ctx.kept, operands, new, zeros=True))


class Run(Rules):
    """As the transforms of torch.func want it."""

    @staticmethod
    def forward(key: str, kept: int, *operands: Tensor) -> tuple[Tensor, ...]:
        return _run(key, kept, operands)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        _save(ctx, *inputs)

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], key: str, kept: int, *operands: Tensor) -> tuple[Any, Any]:
        key, kept, front = mapped(info.batch_size, in_dims[2:], key, kept, operands)
        return apply(key, kept, *front), 0


class RunOutsideTransforms(Rules):
    """As PyTorch calls it in half the time, where no transform is at work."""

    @staticmethod
    def forward(ctx: Any, key: str, kept: int, *operands: Tensor) -> tuple[Tensor, ...]:
        _save(ctx, key, kept, *operands)
        return _run(key, kept, operands)


def _save(ctx: Any, key: str, kept: int, *operands: Tensor) -> None:
    ctx.key, ctx.kept = key, kept
    ctx.save_for_backward(*operands)
    ctx.save_for_forward(*operands)
    ctx.set_materialize_grads(False)


def _pull(key: str, kept: int, operands: Sequence[Tensor], needed: Sequence[bool],
          cotangents: Sequence[Tensor | None]) -> list[Tensor | None]:
    """Gradients by the operands that are marked; None where they are zero, and by the others."""
    of = call(key)
    if of.tells_success:
        cotangents = (*cotangents[:-1], None)
    gradients: list[Tensor | None] = [None] * len(operands)
    new = cotangents
    if any(cotangent is None for cotangent in cotangents):
        new = [cotangent for cotangent in cotangents if cotangent is not None]
        if not new:
            return gradients
        of = of.only(tuple([cotangent is not None for cotangent in cotangents]))
    derivative = of.vjp(tuple(needed))
    found = iter(_results(derivative, of.key, kept, operands, new))
    for place, need in enumerate(needed):
        if need:
            gradients[place] = next(found)
    return gradients


def _results(derivative: Derivative, key: str, kept: int, operands: Sequence[Tensor], new: Sequence[Tensor],
             zeros: bool = False) -> list[Tensor | None]:
    """One for each output asked for: None, or zeros, where it is zero."""
    results: list[Tensor | None] = []
    if derivative.call is not None:
        of, first = call(key), derivative.call
        all_of_them = (*operands, *new)
        given = [all_of_them[source] for source in derivative.sources]
        # The number of problems counts in sums. Where nothing that is batched occurs any more, something new is.
        if derivative.drops_operands and not first.batch([tensor.shape for tensor in given], kept):
            batch = of.batch([tensor.shape for tensor in operands], kept)
            if batch:
                place = derivative.newcomer
                front = (*operands[0].shape[:kept], *batch)
                given[place] = spread_over(given[place], kept, front)
        found = iter(apply(first.key, kept, *given))
        results = [next(found) if live else None for live in derivative.live]
    else:
        results = [None] * len(derivative.live)
    if zeros and not all(derivative.live):
        front = operands[0].shape[:kept]
        shapes = call(key).result_shapes([tensor.shape[kept:] for tensor in operands])
        results = [
            operands[0].new_zeros((*front, *shape)) if result is None else result
            for result, shape in zip(results, shapes, strict=True)
        ]
    return results


def mapped(size: int, in_dims: Sequence[int | None], key: str, kept: int,
           operands: Sequence[Tensor]) -> tuple[str, int, list[Tensor]]:
    """A call that has the results of all `size` of these calls along axis 0."""
    of = call(key)
    front = [
        operand if axis is None else operand.movedim(axis, 0) for operand, axis in zip(operands, in_dims, strict=True)
    ]
    is_mapped = [axis is not None for axis in in_dims]
    own = [operand.shape[1:] if m else operand.shape for operand, m in zip(front, is_mapped, strict=True)]
    batch = of.batch(own, kept)
    if kept == 0 and not batch:
        return of.unreduced.key, 0, front  # the mapped axis is the batch; what is not mapped stays shared
    is_batched = [len(shape) > kept + rank for shape, rank in zip(own, of.ranks, strict=True)]
    if kept == 0 and not any(of.is_reduced(k, is_batched) or o.reduction == "mean" for k, o in enumerate(of.outputs)):
        # The mapped axis joins the batch.
        for place, (operand, batched) in enumerate(zip(front, is_batched, strict=True)):
            if batched and not is_mapped[place]:
                front[place] = operand.expand(size, *operand.shape)
            elif is_mapped[place] and not batched:
                front[place] = spread_over(operand, 1, (size, *batch))
        return key, 0, front
    return key, kept + 1, [
        operand if m else operand.expand(size, *operand.shape) for operand, m in zip(front, is_mapped, strict=True)
    ]


def _is_seen_by_nobody(operands: Sequence[Tensor]) -> bool:
    """Tensors that are just that, while nothing watches the calls of operators: no mode, profiler or tracer."""
    if torch._C._len_torch_dispatch_stack() or torch.autograd._profiler_enabled() or torch._C._get_tracing_state():
        return False
    for operand in operands:
        if type(operand) not in _PLAIN or not operand.is_cpu or operand._is_zerotensor():
            return False
    return True


def _run(key: str, kept: int, operands: Sequence[Tensor]) -> tuple[Tensor, ...]:
    if _is_seen_by_nobody(operands):
        return tuple(_operator.run_on_host(operands, key, kept))  # what the dispatcher would come to, later
    with torch._C._AutoDispatchBelowAutograd():  # Run has the derivatives
        return tuple(_operator.run(operands, key, kept))


def apply(key: str, kept: int, *operands: Tensor) -> tuple[Tensor, ...]:
    """The results of a call, with a graph where one is recorded."""
    if torch._C._are_functorch_transforms_active():
        return tuple(Run.apply(key, kept, *operands))
    is_graph = torch.is_grad_enabled() and any(operand.requires_grad for operand in operands)
    if is_graph or forward_ad._current_level >= 0:
        return tuple(RunOutsideTransforms.apply(key, kept, *operands))
    return _run(key, kept, operands)


traced = torch.compiler.allow_in_graph(apply)


# The operator alone, as the graphs of torch.export hold it, has the same derivatives by `backward`, and is mapped.


def _op_setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
    operands, ctx.key, ctx.kept = inputs
    ctx.save_for_backward(*operands)
    ctx.set_materialize_grads(False)


def _op_backward(ctx: Any, cotangents: Sequence[Tensor | None]) -> tuple[Any, None, None]:
    return _pull(ctx.key, ctx.kept, ctx.saved_tensors, ctx.needs_input_grad[0], cotangents), None, None


def _op_vmap(info: Any, in_dims: tuple[Any, ...], operands: Sequence[Tensor], key: str, kept: int) -> tuple[Any, Any]:
    key, kept, operands = mapped(info.batch_size, in_dims[0], key, kept, operands)
    results = _operator.run(operands, key, kept)
    return results, [0] * len(results)


torch.library.register_autograd(_operator.NAME, _op_backward, setup_context=_op_setup_context)
torch.library.register_vmap(_operator.NAME, _op_vmap)
