"""How the axes of a call's operands and results are arranged.

A call computes one batch for each index of its *group* axes, which come first: those that `vmap` adds around a call
that has batch axes already. An operand has some of the group axes (bit k of its mask: axis k), then all batch axes or
none of them, then those of its matrix. Results have all group axes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from matgrad._computation import Computation, Output


@dataclasses.dataclass(frozen=True)
class Absent:
    """An operand on which no result depends: a derivative by a variable in which the function is linear."""

    matrix: tuple[int, ...]
    is_batched: bool


Layout = tuple["int | Absent", ...]  # the mask of each operand of the Computation that is present


@dataclasses.dataclass(frozen=True)
class Axes:
    """The axes of one call.

    groups      sizes of the group axes
    batch       sizes of the batch axes, empty if all problems share all operands
    matrices    of each operand the axes of its matrix
    is_batched  of each operand
    """

    groups: tuple[int, ...]
    batch: tuple[int, ...]
    matrices: tuple[tuple[int, ...], ...]
    is_batched: tuple[bool, ...]

    @property
    def all_groups(self) -> int:
        """The mask of an array that has all group axes."""
        return (1 << len(self.groups)) - 1

    def is_per_problem(self, of: Computation, output: Output) -> bool:
        """The result has the batch axes: it is not reduced, or it is a gradient by a batched variable."""
        if not self.batch:
            return False
        return output.reduction == "none" or (
            output.variable is not None and self.is_batched[of.place(output.variable)]
        )

    def result_shape(self, of: Computation, output: Output) -> tuple[int, ...]:
        """Of one result."""
        batch = self.batch if self.is_per_problem(of, output) else ()
        matrix = () if output.variable is None else self.matrices[of.place(output.variable)]
        return self.groups + batch + matrix


def axes_of(of: Computation, groups: int, layout: Layout, shapes: Sequence[tuple[int, ...]]) -> Axes:
    """Of a call with `groups` group axes, with arrays of these shapes for the operands that are present."""
    sizes = [0] * groups
    batch: tuple[int, ...] = ()
    matrices, is_batched = [], []
    arrays = iter(shapes)
    for operand, place in zip(of.operands, layout, strict=True):
        if isinstance(place, Absent):
            matrices.append(place.matrix)
            is_batched.append(place.is_batched)
            continue
        shape = tuple(next(arrays))
        own = [axis for axis in range(groups) if place >> axis & 1]
        for axis, size in zip(own, shape, strict=False):
            sizes[axis] = size
        rest = shape[len(own) :]
        end = len(rest) - operand.rank
        if end > 0:
            batch = rest[:end]
        matrices.append(rest[end:])
        is_batched.append(end > 0)
    return Axes(tuple(sizes), batch, tuple(matrices), tuple(is_batched))
