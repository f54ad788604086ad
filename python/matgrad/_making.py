"""Functions made of texts, names of the catalogue, or expressions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from matgrad import _core
from matgrad._computation import make
from matgrad._function import Function
from matgrad._language import Expression
from matgrad._options import Options
from matgrad.errors import NameError, OperandError, OperandTypeError

__all__ = ["function"]


def function(
    text: str | Expression, wrt: str | Sequence[str] | None = None, *, declare: str | Sequence[str] = (), **options: Any
) -> Function:
    """A scalar function and the symbols that it is differentiated by.

    text      in matgrad's language, `@name` of the catalogue, or an expression of the language (`matgrad.norm2`, ...)
    wrt       one name or several; None: the usual one of a catalogue function, or the only symbol
    declare   shapes and structures where they are not inferred: "S=n,n:spd", "t=1", "x=n"
    options   those of `Options`
    Errors    ParseError with the place, ShapeError with both shapes, NameError

    >>> f = mg.function("logdet(X'*X)", wrt="X")
    >>> f.gradient
    "2*X*inv(X'*X)"
    >>> import numpy as np
    >>> value, gradient = f.value_and_grad(X=np.array([[[1.0], [1.0]], [[2.0], [0.0]]]))
    >>> value, gradient.shape
    (array([0.69314718, 1.38629436]), (2, 2, 1))
    """
    if not isinstance(text, (str, Expression)):
        raise OperandTypeError(f"text: found {type(text).__name__}, expected a text or an expression")
    formula = str(text)
    declared = _texts("declare", declare)
    if formula.startswith("@"):
        for entry in _core.catalogue():
            if entry[0] == formula[1:]:
                formula, usual, more = entry[1:4]
                break
        else:
            raise NameError(f"'{formula}' is not in the catalogue: {', '.join(e[0] for e in _core.catalogue())}")
        own = {declaration.partition("=")[0] for declaration in declared}
        declared += [d for d in more.split() if d.partition("=")[0] not in own]
        wrt = usual if wrt is None else wrt
    if wrt is None:
        names = make(formula, declared, [("value", "none")], {}).names
        if len(names) != 1:
            raise OperandError(f"wrt: expected the variables, some of {', '.join(names)}")
        wrt = names
    return Function(formula, tuple(_texts("wrt", wrt)), declared, Options(**options))


def _texts(what: str, given: str | Iterable[str]) -> list[str]:
    """One text, or several."""
    texts: list[Any] = list(given) if isinstance(given, Iterable) and not isinstance(given, str) else [given]
    for text in texts:
        if not isinstance(text, str):
            raise OperandTypeError(f"{what}: found {type(text).__name__}, expected a text or several")
    return texts
