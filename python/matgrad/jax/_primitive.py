"""`matgrad_run`, the one primitive: a Computation on arrays, as a custom call of XLA.

Its derivatives and its batched form are calls of it again, because the derivatives of a Computation are Computations.
So everything that JAX makes of functions, in any nesting and of any order, ends in this primitive.
"""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import Primitive
from jax.interpreters import batching, mlir, partial_eval
from jax.sharding import NamedSharding, PartitionSpec

from matgrad import _core
from matgrad._computation import Computation
from matgrad._computation import computation as _computation
from matgrad.jax._layout import Absent, Axes, Layout, axes_of

run_p = Primitive("matgrad_run")
run_p.multiple_results = True


def bind(of: Computation, groups: int, layout: Layout, arrays: Sequence[Any]) -> list[Any]:
    """The results of a call; arrays are those of the operands that are present, all of one dtype."""
    results: list[Any] = run_p.bind(*_varying_alike(arrays), computation=of.key, groups=groups, layout=layout)
    return results


def _varying_alike(arrays: Sequence[Any]) -> list[Any]:
    """Inside `shard_map` an array is marked with the mesh axes along which it differs; a call wants them alike. The
    transpose of the mark is the sum over devices, so gradients by what they share are summed."""
    marks = [_marks(jax.typeof(array)) for array in arrays]
    every = frozenset().union(*marks)
    return [
        _vary(array, tuple(sorted(every - own, key=str))) if every - own else array
        for array, own in zip(arrays, marks, strict=True)
    ]


def _vary(array: Any, axes: tuple[Any, ...]) -> Any:
    if hasattr(jax.lax, "pcast"):
        return jax.lax.pcast(array, axes, to="varying")
    return jax.lax.pvary(array, axes)


def _marks(aval: Any) -> frozenset[Any]:
    kind = getattr(aval, "manual_axis_type", None)
    return frozenset(getattr(aval, "vma", ())) if kind is None else frozenset(kind.varying)


@functools.lru_cache(maxsize=4096)
def _eager(key: str, groups: int, layout: Layout) -> Any:
    return jax.jit(lambda *arrays: run_p.bind(*arrays, computation=key, groups=groups, layout=layout))


def _run(*arrays: Any, computation: str, groups: int, layout: Layout) -> Any:
    return _eager(computation, groups, layout)(*arrays)


def _shapes(*avals: Any, computation: str, groups: int, layout: Layout) -> list[Any]:
    of = _computation(computation)
    axes = axes_of(of, groups, layout, [aval.shape for aval in avals])
    like = avals[0]
    results = []
    for output in of.outputs:
        shape = axes.result_shape(of, output)
        sharding = NamedSharding(like.sharding.mesh, PartitionSpec(*[None] * len(shape)))
        results.append(like.update(shape=shape, sharding=sharding, weak_type=False))
    return results


run_p.def_impl(_run)
run_p.def_abstract_eval(_shapes)


def listed_outputs(of: Computation) -> list[tuple[str, str]]:
    """Text and reduction of each output."""
    return [(output.text, output.reduction) for output in of.outputs]


@functools.lru_cache(maxsize=4096)
def with_outputs(key: str, outputs: tuple[tuple[str, str], ...]) -> Computation:
    """The Computation of the same expression that has these outputs."""
    fields = json.loads(key)
    fields["outputs"] = [list(output) for output in outputs]
    return _computation(json.dumps(fields, sort_keys=True))


def _without_unused(is_used: list[bool], equation: Any) -> tuple[list[bool], Any]:
    """What nobody reads of a traced call is not computed: the value beside its gradient."""
    if not any(is_used):
        return [False] * len(equation.invars), None
    if not all(is_used):
        of = _computation(equation.params["computation"])
        kept = tuple(output for output, used in zip(listed_outputs(of), is_used, strict=True) if used)
        equation = equation.replace(
            params={**equation.params, "computation": with_outputs(of.key, kept).key},
            outvars=[variable for variable, used in zip(equation.outvars, is_used, strict=True) if used],
        )
    return [True] * len(equation.invars), equation


partial_eval.dce_rules[run_p] = _without_unused


# --- Lowering -------------------------------------------------------------------------------------------------


def register_handlers() -> bool:
    """Makes the custom calls known to XLA; false if this build has none. A module that `jax.export` made runs in a
    process that did this, without the function that it was made of."""
    platforms = _core.xla_handlers()
    for platform, handlers in platforms.items():
        for name, handler in handlers.items():
            jax.ffi.register_ffi_target(name, handler, platform=platform)
    return bool(platforms)


def _lower(context: Any, *arrays: Any, computation: str, groups: int, layout: Layout) -> Any:
    fields = [groups]
    for place in layout:
        if isinstance(place, Absent):
            rows, cols = (*place.matrix, 1, 1)[:2]
            fields += [-1, rows, cols, int(place.is_batched)]
        else:
            fields += [place, 0, 0, 0]
    name = "matgrad_capturable" if json.loads(computation).get("capturable") else "matgrad_run"
    rule = jax.ffi.ffi_lowering(name)
    return rule(context, *arrays, computation=computation, layout=np.array(fields, np.int64))


mlir.register_lowering(run_p, _lower)


# --- Batching -------------------------------------------------------------------------------------------------


def _unreduced(of: Computation) -> Computation:
    return with_outputs(of.key, tuple((text, "none") for text, _ in listed_outputs(of)))


def _batch(arrays: Sequence[Any], dims: Sequence[Any], *, computation: str, groups: int, layout: Layout) -> Any:
    of = _computation(computation)
    is_mapped = [dim is not None for dim in dims]
    shapes = [
        array.shape[:dim] + array.shape[dim + 1 :] if mapped else array.shape
        for array, dim, mapped in zip(arrays, dims, is_mapped, strict=True)
    ]
    axes = axes_of(of, groups, layout, shapes)
    moved = [
        jnp.moveaxis(array, dim, 0) if mapped else array
        for array, dim, mapped in zip(arrays, dims, is_mapped, strict=True)
    ]
    if groups == 0 and not axes.batch:
        # The mapped axis is the batch. What was one problem's result is one of each problem.
        results = bind(_unreduced(of), 0, layout, moved)
    elif groups == 0 and _is_longer_batch(of, axes, layout, is_mapped):
        results = bind(of, 0, layout, moved)
    else:
        mapped = iter(is_mapped)
        masks = tuple(
            place if isinstance(place, Absent) else place << 1 | int(next(mapped)) for place in layout
        )
        results = bind(of, groups + 1, masks, moved)
    return results, [0] * len(results)


def _is_longer_batch(of: Computation, axes: Axes, layout: Layout, is_mapped: Sequence[bool]) -> bool:
    """The mapped axis is one more axis of the batch: nothing is reduced, and just the batched operands are mapped."""
    for output in of.outputs:
        if output.reduction == "mean" or not axes.is_per_problem(of, output):
            return False
    batched = [b for b, place in zip(axes.is_batched, layout, strict=True) if not isinstance(place, Absent)]
    return batched == list(is_mapped)


batching.primitive_batchers[run_p] = _batch


# --- Calls that derivatives are made of ------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Given:
    """One operand: an array with the group axes of `mask`, or what is said of one that is absent."""

    value: Any
    mask: int


def evaluate(of: Computation, axes: Axes, operands: Sequence[Given]) -> list[Any]:
    """The results of a Computation that was derived from a call with these axes, which some of its operands may lack:
    what then is alike for all groups, or for all problems, is computed once."""
    present = [given for given in operands if not isinstance(given.value, Absent)]
    used = 0
    has_batch = False
    for given, operand in zip(operands, of.operands, strict=True):
        if not isinstance(given.value, Absent):
            used |= given.mask
            has_batch |= given.value.ndim > given.mask.bit_count() + operand.rank
    kept = [axis for axis in range(len(axes.groups)) if used >> axis & 1]
    layout: list[int | Absent] = []
    full_matrices, full_batched = [], []
    for given, operand in zip(operands, of.operands, strict=True):
        if isinstance(given.value, Absent):
            full_matrices.append(given.value.matrix)
            full_batched.append(given.value.is_batched)
            layout.append(dataclasses.replace(given.value, is_batched=given.value.is_batched and has_batch))
        else:
            rest = given.value.shape[given.mask.bit_count() :]
            full_matrices.append(rest[len(rest) - operand.rank :])
            full_batched.append(len(rest) > operand.rank)
            layout.append(sum(1 << new for new, old in enumerate(kept) if given.mask >> old & 1))
    results = bind(of, len(kept), tuple(layout), [given.value for given in present])
    full = Axes(axes.groups, axes.batch, tuple(full_matrices), tuple(full_batched))
    return [
        _spread(result, of, output, full, kept, has_batch)
        for result, output in zip(results, of.outputs, strict=True)
    ]


def _spread(result: Any, of: Computation, output: Any, full: Axes, kept: Sequence[int], has_batch: bool) -> Any:
    """A result that was computed without some of the axes, as it is with them."""
    lost = [axis for axis in range(len(full.groups)) if axis not in kept]
    if lost:
        result = jnp.expand_dims(result, lost)
    if full.batch and not has_batch:
        problems = int(np.prod(full.batch))
        is_per_problem = full.is_per_problem(of, output)
        if is_per_problem:
            start = len(full.groups)
            result = jnp.expand_dims(result, range(start, start + len(full.batch)))
        if output.reduction == "sum" and not is_per_problem:
            result = result * problems
        elif output.reduction == "mean" and is_per_problem:
            result = result / problems
    return jnp.broadcast_to(result, full.result_shape(of, output))
