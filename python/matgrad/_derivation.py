"""The lines that lead from a function to its gradients."""

from __future__ import annotations

import dataclasses
from typing import Any

from matgrad import _core


@dataclasses.dataclass(frozen=True)
class Line:
    """`df = statement`, reached by `rule`, found in `source`.

    >>> mg.function("tr(X)").derivation().lines[-1].statement
    'tr(dX)'
    """

    statement: str
    latex: str
    rule: str
    source: str


class Derivation:
    """Printed, the derivation as text; in a notebook a table of its lines.

    >>> mg.function("tr(X)").derivation().lines[0].source
    'Matrix Cookbook 36'
    """

    def __init__(self, core: Any, wrt: tuple[str, ...]):
        self._core = core
        self._wrt = list(wrt)

    @property
    def lines(self) -> list[Line]:
        """From d(f) to tr(G' dX)."""
        return [Line(*line) for line in _core.derivation_lines(self._core, self._wrt)]

    def __str__(self) -> str:
        return _core.derivation_text(self._core, self._wrt, True, False).strip()

    __repr__ = __str__

    def latex(self) -> str:
        """An `aligned` environment, math mode."""
        return _core.derivation_text(self._core, self._wrt, True, True).strip()

    def _repr_html_(self) -> str:
        import html  # in notebooks alone

        rows = "".join(
            f"<tr><td>$\\mathrm{{d}}f = {html.escape(line.latex)}$</td><td>{html.escape(line.rule)}</td>"
            f"<td>{html.escape(line.source)}</td></tr>"
            for line in self.lines
        )
        gradients = html.escape(_core.derivation_text(self._core, self._wrt, False, True).strip())
        return (
            "<table><thead><tr><th>statement</th><th>rule</th><th>source</th></tr></thead>"
            f"<tbody>{rows}<tr><td colspan='3'>${gradients}$</td></tr></tbody></table>"
        )
