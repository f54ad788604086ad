"""Expressions composed in Python: texts of the language, read as one when a function is made of them.

    norm2("x - V*u")**2 / 2 + 0.1 * norm2("V")**2

Shapes are inferred over the whole, so a symbol means the same everywhere.
"""

from __future__ import annotations

import math
from typing import Any

from matgrad.errors import CallerError, OperandTypeError

_EXAMPLES = {
    "solve": ("A", "b"),
    "dot": ("x", "y"),
    "max": ("x", "0"),
    "min": ("x", "1"),
    "polygamma": ("2", "x"),
    "xlogy": ("x", "y"),
    "where": ("x", "y", "0"),
    "clip": ("x", "0", "1"),
    "chol": ("X'*X",),
    "eye": ("n",),
    "ones": ("m", "n"),
}
_FUNCTIONS = [
    "inv",
    "solve",
    "det",
    "logdet",
    "tr",
    "diag",
    "dot",
    "sum",
    "rowsum",
    "colsum",
    "norm2",
    "norm1",
    "logsumexp",
    "tril",
    "triu",
    "rowmax",
    "colmax",
    "isrowmax",
    "iscolmax",
    "chol",
    "exp",
    "log",
    "sqrt",
    "abs",
    "sign",
    "step",
    "sin",
    "cos",
    "tanh",
    "sigmoid",
    "softplus",
    "relu",
    "tan",
    "atan",
    "log1p",
    "expm1",
    "cosh",
    "sinh",
    "erf",
    "max",
    "min",
    "asinh",
    "acosh",
    "atanh",
    "normcdf",
    "lognormcdf",
    "normhazard",
    "normexcess",
    "lgamma",
    "digamma",
    "trigamma",
    "polygamma",
    "xlogy",
    "where",
    "clip",
    "eye",
    "ones",
]


def _public(name: str) -> str:
    """What a function is called here: those that Python has itself get a line below."""
    return f"{name}_" if name in ("abs", "max", "min", "sum") else name


__all__ = ["Expression", "expression", *map(_public, _FUNCTIONS)]


class Expression:
    """A text of the language, with the operators of Python: `+ - * / **`, `@` as `*`, `.T`.

    >>> f = 0.5 * mg.norm2("A*x - b")**2
    >>> print(f)
    0.5*norm2(A*x - b)^2
    >>> print(f + 0.1 * mg.dot("x", "x"))
    0.5*norm2(A*x - b)^2 + 0.1*dot(x, x)
    """

    __slots__ = ("_level", "text")
    _SUM, _PRODUCT, _POWER, _ATOM = range(4)

    def __init__(self, text: str, level: int = 0):
        self.text = text
        self._level = level

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"

    def _at(self, level: int) -> str:
        return self.text if self._level >= level else f"({self.text})"

    def __add__(self, other: Any) -> Expression:
        return Expression(f"{self.text} + {_as_expression(other)._at(self._PRODUCT)}")

    def __radd__(self, other: Any) -> Expression:
        return _as_expression(other) + self

    def __sub__(self, other: Any) -> Expression:
        return Expression(f"{self.text} - {_as_expression(other)._at(self._PRODUCT)}")

    def __rsub__(self, other: Any) -> Expression:
        return _as_expression(other) - self

    def __neg__(self) -> Expression:
        return Expression(f"-{self._at(self._PRODUCT)}")

    def __mul__(self, other: Any) -> Expression:
        return Expression(f"{self._at(self._PRODUCT)}*{_as_expression(other)._at(self._POWER)}", self._PRODUCT)

    def __rmul__(self, other: Any) -> Expression:
        return _as_expression(other) * self

    __matmul__ = __mul__
    __rmatmul__ = __rmul__

    def __truediv__(self, other: Any) -> Expression:
        return Expression(f"{self._at(self._PRODUCT)}/{_as_expression(other)._at(self._POWER)}", self._PRODUCT)

    def __rtruediv__(self, other: Any) -> Expression:
        return _as_expression(other) / self

    def __pow__(self, exponent: float) -> Expression:
        return Expression(f"{self._at(self._ATOM)}^{_number(exponent)}", self._POWER)

    @property
    def T(self) -> Expression:
        """The transpose."""
        return Expression(f"{self._at(self._ATOM)}'", self._ATOM)


def _number(value: float) -> str:
    if not math.isfinite(value):
        raise CallerError(f"found {value}, expected a finite number")
    text = repr(float(value)) if not isinstance(value, int) else repr(value)
    text = text.removesuffix(".0")
    return f"({text})" if text.startswith("-") else text


def _as_expression(value: Any) -> Expression:
    if isinstance(value, Expression):
        return value
    if isinstance(value, str):
        is_name = value.isidentifier() or value.isdigit()
        return Expression(value, Expression._ATOM if is_name else Expression._SUM)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return Expression(_number(value), Expression._ATOM)
    raise OperandTypeError(f"found {type(value).__name__}, expected an expression, its text, or a number")


def expression(text: Any) -> Expression:
    """An expression of its text.

    >>> print(mg.expression("X").T * mg.expression("X"))
    X'*X
    """
    return _as_expression(text)


def _function(name: str) -> Any:
    def made(*arguments: Any) -> Expression:
        texts = ", ".join(_as_expression(argument).text for argument in arguments)
        return Expression(f"{name}({texts})", Expression._ATOM)

    made.__name__ = made.__qualname__ = name
    example = f"{name}({', '.join(_EXAMPLES.get(name, ('X',)))})"
    arguments = ", ".join(repr(text) for text in _EXAMPLES.get(name, ("X",)))
    made.__doc__ = (
        f"`{name}(...)` of the language, of expressions, texts or numbers.\n\n"
        f">>> print(mg.{_public(name)}({arguments}))\n{example}\n"
    )
    return made


for _name in _FUNCTIONS:
    globals()[_public(_name)] = _function(_name)
