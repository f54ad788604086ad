"""What functions of a framework have in common: the function of arrays behind them."""

from __future__ import annotations

from matgrad._function import Function
from matgrad._texts import Texts


class Wrapped(Texts):
    """A function that a framework calls in its own way, made of the function of arrays `base`."""

    def __init__(self, base: Function):
        self._base = base
        self._core, self._names, self._declarations, self._wrt = base._core, base.operands, base.declarations, base.wrt

    def __repr__(self) -> str:
        return repr(self._base).replace("matgrad.", f"matgrad.{type(self).__module__.split('.')[1]}.", 1)

    @property
    def base(self) -> Function:
        """The same function of arrays without the framework's graph: its derivation, plans and checks."""
        return self._base
