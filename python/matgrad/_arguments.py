"""Operands given by position and by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matgrad.errors import OperandError


def by_name(names: Sequence[str], args: Sequence[Any], named: Mapping[str, Any]) -> dict[str, Any]:
    """All operands of a call by name, in the order of `names`.

    Errors    OperandError for one too many, unknown, given twice or missing
    """
    if len(args) > len(names):
        raise OperandError(f"found {len(args)} operands, expected {len(names)}: {', '.join(names)}")
    given = dict(zip(names, args, strict=False))
    for name, value in named.items():
        if name not in names:
            raise OperandError(f"operand '{name}': not of this call, expected {', '.join(names)}")
        if name in given:
            raise OperandError(f"operand '{name}' is given twice")
        given[name] = value
    missing = [name for name in names if name not in given]
    if missing:
        raise OperandError(f"operand '{missing[0]}' is missing, expected {', '.join(names)}")
    return {name: given[name] for name in names}
