"""What the operator and its rules need to know of a Computation, looked up once for each key.

A call of the operator is `run(operands, key, kept)`. Its `kept` leading axes are axes that `torch.func.vmap` added
and that nothing is reduced over: all operands have them. Behind them stand axes as everywhere in matgrad: those of
the batch, which shared operands do not have, and those of the matrix.
"""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Sequence

from matgrad._computation import Derived, Output, computation

SUCCEEDED = "succeeded:"
Shape = tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class Derivative:
    """A Computation that a call leads to, and where its operands come from.

    call             None if all of its outputs are zero
    sources          of each operand: its place among the operands of the call followed by the new ones
    newcomer         the place, among its own operands, of one that is new
    drops_operands   whether some operands of the call are none of its own
    live             of the outputs asked for: those that it has, the others are zero
    """

    call: Call | None
    sources: tuple[int, ...]
    newcomer: int
    drops_operands: bool
    live: tuple[bool, ...]


class Call:
    """A Computation, with its derivatives and the shapes of its results. Make one by `call(key)`."""

    def __init__(self, key: str):
        self.key = key
        self.tells_success = key.startswith(SUCCEEDED)
        of = computation(key.removeprefix(SUCCEEDED))
        self.computation = of
        self.core = of.core
        self.names = of.names
        self.ranks = tuple(operand.rank for operand in of.operands)
        self.outputs = (*of.outputs, Output("succeeded", "none", 0)) if self.tells_success else of.outputs
        self._shapes: dict[tuple[Shape, ...], list[Shape]] = {}
        # Of marks of outputs or operands. They are kept with the call and forgotten with it.
        self._only: dict[tuple[bool, ...], Call] = {}
        self._vjps: dict[tuple[bool, ...], Derivative] = {}
        self._tangents: dict[tuple[bool, ...], Derivative] = {}

    def result_shapes(self, shapes: Sequence[Shape]) -> list[Shape]:
        """Of results for operands of these shapes, without kept axes."""
        found = self.computation.result_shapes(shapes)
        if self.tells_success:
            found.append(self.computation.batch_shape(shapes) or ())
        return found

    def kept_result_shapes(self, shapes: tuple[Shape, ...]) -> list[Shape]:
        """The same of shapes that are numbers, kept for the next call."""
        found = self._shapes.get(shapes)
        if found is None:
            if len(self._shapes) >= 1024:
                self._shapes.clear()
            found = self._shapes[shapes] = self.result_shapes(shapes)
        return found

    def batch(self, shapes: Sequence[Sequence[int]], kept: int) -> Shape:
        """The axes of the batch, behind the kept ones; () if there are none."""
        for rank, shape in zip(self.ranks, shapes, strict=True):
            if len(shape) > kept + rank:
                return tuple(shape[kept : len(shape) - rank])
        return ()

    def is_reduced(self, output: int, is_batched: Sequence[bool]) -> bool:
        """Whether this output is a sum or mean over the batch, where these operands have one."""
        of = self.outputs[output]
        if of.reduction == "none":
            return False
        return of.variable is None or not is_batched[self.computation.place(of.variable)]

    @functools.cached_property
    def unreduced(self) -> Call:
        """The same outputs, each one for each problem."""
        if all(output.reduction == "none" for output in self.outputs):
            return self
        return self._with_outputs([(output.text, "none") for output in self.computation.outputs], self.tells_success)

    @functools.cached_property
    def with_success(self) -> Call:
        """The same outputs, and that of success."""
        return self if self.tells_success else call(SUCCEEDED + self.key)

    def _with_outputs(self, outputs: Sequence[tuple[str, str]], tells_success: bool) -> Call:
        fields = json.loads(self.computation.key)
        fields["outputs"] = [list(output) for output in outputs]
        return call((SUCCEEDED if tells_success else "") + json.dumps(fields, sort_keys=True))

    def only(self, marks: tuple[bool, ...]) -> Call:
        """Of the outputs those that are marked, without that of success."""
        found = self._only.get(marks)
        if found is None:
            marked = [output for output, mark in zip(self.computation.outputs, marks, strict=False) if mark]
            found = self._only[marks] = self._with_outputs([(o.text, o.reduction) for o in marked], False)
        return found

    def vjp(self, needed: tuple[bool, ...]) -> Derivative:
        """Gradients by the operands that are marked, from a cotangent of each output."""
        found = self._vjps.get(needed)
        if found is None:
            found = self._vjps[needed] = self._derivative(self.computation.vjp(self._marked(needed)))
        return found

    def tangent(self, moved: tuple[bool, ...]) -> Derivative:
        """The change of the outputs along directions of the operands that are marked."""
        found = self._tangents.get(moved)
        if found is None:
            found = self._derivative(self.computation.tangent(self._marked(moved)))
            if self.tells_success:
                found = dataclasses.replace(found, live=(*found.live, False))
            self._tangents[moved] = found
        return found

    def _marked(self, marks: tuple[bool, ...]) -> tuple[str, ...]:
        return tuple(name for name, marked in zip(self.names, marks, strict=True) if marked)

    def _derivative(self, derived: Derived) -> Derivative:
        if derived.computation is None:
            return Derivative(None, (), 0, True, derived.live)
        places = {name: place for place, name in enumerate((*self.names, *derived.names))}
        names = derived.computation.names
        # Derivatives are linear in what is new, so one of these always occurs.
        newcomer = next(place for place, name in enumerate(names) if name in derived.names)
        sources = tuple(places[name] for name in names)
        drops_operands = not set(self.names) <= set(names)
        return Derivative(call(derived.computation.key), sources, newcomer, drops_operands, derived.live)


@functools.lru_cache(maxsize=4096)
def call(key: str) -> Call:
    """The Call of this key. Errors: those of the language."""
    return Call(key)
