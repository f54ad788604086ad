"""What a function is, as texts: its expression, operands and gradients, for reading and for other programs."""

from __future__ import annotations

from typing import Any

from matgrad import _core
from matgrad._derivation import Derivation


class Texts:
    """Of a function that has a Computation of the extension, names and declarations of operands, and variables."""

    _core: Any
    _names: tuple[str, ...]
    _declarations: tuple[str, ...]
    _wrt: tuple[str, ...]

    def _repr_latex_(self) -> str:
        return f"${self._core.latex}$"

    @property
    def text(self) -> str:
        """The expression, in canonical form.

        >>> mg.function("dot(x, x) + 0*sum(x)", wrt="x").text
        'dot(x, x)'
        """
        return self._core.text

    @property
    def operands(self) -> tuple[str, ...]:
        """Names of the operands, in the order in which calls take them.

        >>> mg.function("tr(A*X*B)", wrt="X").operands
        ('A', 'X', 'B')
        """
        return self._names

    @property
    def declarations(self) -> tuple[str, ...]:
        """Of the operands: `X=m,n`, `S=n,n:spd`.

        >>> mg.function("x'*S*x", wrt="x", declare="S=n,n:spd").declarations
        ('x=n', 'S=n,n:spd')
        """
        return self._declarations

    @property
    def wrt(self) -> tuple[str, ...]:
        """The variables it is differentiated by.

        >>> mg.function("tr(A*X*B)", wrt=("X", "A")).wrt
        ('X', 'A')
        """
        return self._wrt

    @property
    def gradient(self) -> str | dict[str, str]:
        """The gradient in closed form, as text; of several variables, one for each by its name.

        >>> mg.function("logdet(X'*X)").gradient
        "2*X*inv(X'*X)"
        """
        texts = _core.gradient_texts(self._core, list(self._wrt), False)
        return texts[0] if len(texts) == 1 else dict(zip(self._wrt, texts, strict=True))

    def derivation(self) -> Derivation:
        """The lines that lead from f to its gradients, each with its rule and source.

        >>> print(mg.function("tr(A*X)", wrt="X").derivation())
        f  = tr(A*X)
        df = tr(d(A*X))   d(tr(Y)) = tr(dY)   [Matrix Cookbook 36]
           = tr(A*dX)     d(Y*Z) = dY*Z + Y*dZ   [Matrix Cookbook 34, 37, 44]
        gradient = A'
        """
        return Derivation(self._core, self._wrt)

    def latex(self) -> str:
        """The gradients in LaTeX, math mode, without delimiters.

        >>> print(mg.function("tr(A*X)", wrt="X").latex())
        \\nabla_{X} f = A^{\\top}
        """
        return _core.derivation_text(self._core, list(self._wrt), False, True).strip()

    def numpy(self) -> str:
        """Python source of functions `value` and `gradient_X` of NumPy arrays, for one problem.

        >>> print(mg.function("tr(A*X)", wrt="X").numpy().splitlines()[0])
        def value(A, X):
        """
        return "\n\n".join(_core.numpy_functions(self._core, list(self._wrt)))
