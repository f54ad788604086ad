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

from matgrad._computation import Computation, Derived, computation

Shape = tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class Derivative:
    """A Computation that a call leads to, and where its operands come from.

    call      None if all of its outputs are zero
    sources   of each operand: its place among the operands of the call followed by the new ones
    newcomer  the place, among its own operands, of one that is new
    live      of the outputs asked for: those that it has, the others are zero
    """

    call: "Call | None"
    sources: tuple[int, ...]
    newcomer: int
    live: tuple[bool, ...]


class Call:
    """A Computation, with its derivatives and the shapes of its results. Make one by `call(key)`."""

    def __init__(self, of: Computation):
        self.computation = of
        self.key = of.key
        self.core = of.core
        self.names = of.names
        self.ranks = tuple(operand.rank for operand in of.operands)
        self.outputs = of.outputs
        self._shapes: dict[tuple[Shape, ...], list[Shape]] = {}

    def result_shapes(self, shapes: tuple[Shape, ...]) -> list[Shape]:
        """Of results for operands of these shapes, which are numbers; without kept axes."""
        found = self._shapes.get(shapes)
        if found is None:
            if len(self._shapes) >= 1024:
                self._shapes.clear()
            found = self._shapes[shapes] = self.computation.result_shapes(shapes)
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
        return self._with_outputs([(output.text, "none") for output in self.outputs])

    def _with_outputs(self, outputs: Sequence[tuple[str, str]]) -> Call:
        fields = json.loads(self.key)
        fields["outputs"] = [list(output) for output in outputs]
        return call(json.dumps(fields, sort_keys=True))

    @functools.cache  # noqa: B019 - calls are few and kept
    def only(self, outputs: tuple[bool, ...]) -> Call:
        """Of the outputs those that are marked."""
        return self._with_outputs([(o.text, o.reduction) for o, marked in zip(self.outputs, outputs, strict=True) if marked])

    @functools.cache  # noqa: B019
    def vjp(self, needed: tuple[bool, ...]) -> Derivative:
        """Gradients by the operands that are marked, from a cotangent of each output."""
        return self._derivative(self.computation.vjp(self._marked(needed)))

    @functools.cache  # noqa: B019
    def tangent(self, moved: tuple[bool, ...]) -> Derivative:
        """The change of the outputs along directions of the operands that are marked."""
        return self._derivative(self.computation.tangent(self._marked(moved)))

    def _marked(self, marks: tuple[bool, ...]) -> tuple[str, ...]:
        return tuple(name for name, marked in zip(self.names, marks, strict=True) if marked)

    def _derivative(self, derived: Derived) -> Derivative:
        if derived.computation is None:
            return Derivative(None, (), 0, derived.live)
        places = {name: place for place, name in enumerate((*self.names, *derived.names))}
        names = derived.computation.names
        # Derivatives are linear in what is new, so one of these always occurs.
        newcomer = next(place for place, name in enumerate(names) if name in derived.names)
        return Derivative(call(derived.computation.key), tuple(places[name] for name in names), newcomer, derived.live)


@functools.lru_cache(maxsize=4096)
def call(key: str) -> Call:
    """The Call of this key. Errors: those of the language."""
    return Call(computation(key))
