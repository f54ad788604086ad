"""Computations of the extension module, with what Python needs to know of them looked up once.

A `Computation` stands for an expression and what of it is wanted; its `key` is a text from which it can be made
again. Its derivatives, `tangent` and `vjp`, are Computations too.
"""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from matgrad import _core


@dataclasses.dataclass(frozen=True)
class Operand:
    """A symbol: its name, the axes of its matrix (0 a number, 1 a column vector, 2), its declaration."""

    name: str
    rank: int
    declaration: str


@dataclasses.dataclass(frozen=True)
class Output:
    """A result: `value`, `gradient X`, `hvp X`, `rcond`, `error value`; `sum` or `mean` if reduced over the batch."""

    text: str
    reduction: str
    rank: int

    @property
    def variable(self) -> str | None:
        """`X` of `gradient X` and `hvp X`."""
        kind, _, name = self.text.partition(" ")
        return name if kind in ("gradient", "hvp") else None


@dataclasses.dataclass(frozen=True)
class Derived:
    """A Computation that another one leads to.

    computation   None if all of its outputs are zero
    live          of the outputs asked for, which it has; the others are zero
    names         of new operands: of the direction of each variable, or of the cotangent of each output
    """

    computation: Computation | None
    live: tuple[bool, ...]
    names: tuple[str, ...]


def fresh(wish: str, taken: Iterable[str]) -> str:
    """A name of the language that nothing in `taken` has."""
    taken = set(taken)
    name, number = wish, 1
    while name in taken:
        number += 1
        name = f"{wish}{number}"
    return name


class Computation:
    """See the module. Make one by `computation(key)` or `make`: they keep what was made."""

    def __init__(self, key: str):
        self.core = _core.computation(key)
        self.key = key
        self.operands = tuple(Operand(*operand) for operand in self.core.operands)
        self.outputs = tuple(Output(*output) for output in self.core.outputs)
        self.names = tuple(operand.name for operand in self.operands)
        self.directions = self.core.directions
        self._place = {name: place for place, name in enumerate(self.names)}

    def __reduce__(self) -> tuple[Any, ...]:
        return computation, (self.key,)

    def place(self, name: str) -> int:
        """Of the operand of that name."""
        return self._place[name]

    def batch_shape(self, shapes: Sequence[Sequence[int]]) -> tuple[int, ...] | None:
        """The leading axes of the operands that have any; None if all problems share all of them."""
        for operand, shape in zip(self.operands, shapes, strict=False):
            if len(shape) > operand.rank:
                return tuple(shape[: len(shape) - operand.rank])
        return None

    def is_shared(self, name: str, shapes: Sequence[Sequence[int]]) -> bool:
        """No batch axes before those of the matrix."""
        place = self._place[name]
        return len(shapes[place]) <= self.operands[place].rank

    def result_shapes(self, shapes: Sequence[Sequence[int]]) -> list[tuple[int, ...]]:
        """Of the results of a call with operands of these shapes."""
        batch = self.batch_shape(shapes) or ()
        results = []
        for output in self.outputs:
            matrix: tuple[int, ...] = ()
            is_reduced = output.reduction != "none"
            if output.variable is not None:
                shape = tuple(shapes[self._place[output.variable]])
                matrix = shape[len(shape) - output.rank :]
                is_reduced = is_reduced and len(shape) == output.rank
            results.append(matrix if is_reduced else batch + matrix)
        return results

    def sizes(self, shapes: Sequence[Sequence[int]]) -> tuple[list[tuple[int, int, bool]], int]:
        """Rows, columns and whether batched of each operand; the number of problems."""
        sizes = []
        for operand, shape in zip(self.operands, shapes, strict=True):
            matrix = tuple(shape[len(shape) - operand.rank :])
            rows, cols = (*matrix, 1, 1)[:2]
            sizes.append((rows, cols, len(shape) > operand.rank))
        problems = 1
        for axis in self.batch_shape(shapes) or ():
            problems *= axis
        return sizes, problems

    def tangent(self, variables: tuple[str, ...]) -> Derived:
        """The outputs' derivative along directions of the variables."""
        return _tangent(self.key, variables)

    def vjp(self, variables: tuple[str, ...]) -> Derived:
        """The gradients, by the variables, of the inner product of the outputs with cotangents."""
        return _vjp(self.key, variables)


@functools.lru_cache(maxsize=4096)
def computation(key: str) -> Computation:
    """The Computation of this key. Errors: those of the language."""
    return Computation(key)


def make(
    text: str,
    declare: Sequence[str],
    outputs: Sequence[tuple[str, str]],
    options: Mapping[str, Any],
    hvp: Sequence[tuple[str, str]] = (),
) -> Computation:
    """The Computation of an expression; options are those of the extension's keys."""
    fields: dict[str, Any] = {"text": text, "declare": list(declare), "outputs": [list(o) for o in outputs]}
    if hvp:
        fields["hvp"] = [list(pair) for pair in hvp]
    return computation(json.dumps({**fields, **options}, sort_keys=True))


def _derived(made: Any, names: tuple[str, ...]) -> Derived:
    core, live = made
    return Derived(None if core is None else computation(core.key), live, names)


@functools.lru_cache(maxsize=4096)
def _tangent(key: str, variables: tuple[str, ...]) -> Derived:
    of = computation(key)
    taken = set(of.names)
    names = []
    for variable in variables:
        names.append(fresh(f"{variable}_dot", taken))
        taken.add(names[-1])
    return _derived(of.core.tangent(list(zip(variables, names, strict=True))), tuple(names))


@functools.lru_cache(maxsize=4096)
def _vjp(key: str, variables: tuple[str, ...]) -> Derived:
    of = computation(key)
    taken = set(of.names)
    names = []
    for output in of.outputs:
        names.append(fresh(f"{output.variable or 'f'}_bar", taken))
        taken.add(names[-1])
    return _derived(of.core.vjp(names, list(variables)), tuple(names))
