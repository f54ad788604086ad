"""A function's NumPy text evaluated with numbers of mpmath, of as many digits as one likes: the errors' reference.

The text (`Function.numpy`) is the same closed form, but nothing else is shared with the executors.
"""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np


def evaluate(source: str, operands: Mapping[str, np.ndarray], names: Sequence[str],
             digits: int = 60) -> dict[str, np.ndarray]:
    """What the functions of these names return, in double after rounding once.

    source    functions `value` and `gradient_X`, ... as `Function.numpy` writes them
    operands  by name, those of one problem; their numbers are taken as they are
    """
    import mpmath

    functions: dict[str, Any] = {"np": _numpy_of(mpmath), "scipy": _scipy_of(mpmath)}
    exec(source, functions)  # the text is ours
    results = {}
    with mpmath.workdps(digits):
        exact = {name: _exact(mpmath, value) for name, value in operands.items()}
        for name in names:
            function = functions[name]
            needed = function.__code__.co_varnames[: function.__code__.co_argcount]
            result = function(*(exact[operand] for operand in needed))
            results[name] = np.array(np.vectorize(float, otypes=[float])(result))
    return results


def _exact(mpmath: Any, value: Any) -> Any:
    array = np.asarray(value, dtype=np.float64)
    if array.ndim == 0:
        return mpmath.mpf(float(array))
    return np.vectorize(lambda number: mpmath.mpf(float(number)), otypes=[object])(array)


def _scipy_of(mpmath: Any) -> Any:
    def ndtr(x: Any) -> Any:
        return mpmath.erfc(-x / mpmath.sqrt(2)) / 2

    def xlogy(x: Any, y: Any) -> Any:
        return x * 0 if x == 0 else x * mpmath.log(y)

    special = {
        "erf": mpmath.erf,
        "erfcx": lambda x: mpmath.exp(x * x) * mpmath.erfc(x),
        "ndtr": ndtr,
        "log_ndtr": lambda x: mpmath.log(ndtr(x)),
        "gammaln": lambda x: mpmath.re(mpmath.loggamma(x)),
        "digamma": mpmath.digamma,
        "polygamma": lambda order, x: mpmath.psi(int(order), x),
        "xlogy": xlogy,
    }
    functions = {name: _entrywise(function) for name, function in special.items()}
    return types.SimpleNamespace(special=types.SimpleNamespace(**functions))


def _entrywise(function: Any) -> Any:
    vectorized = np.vectorize(function, otypes=[object])

    def of(*arguments: Any) -> Any:
        result = vectorized(*arguments)
        return result[()] if result.ndim == 0 else result

    return of


def _numpy_of(mpmath: Any) -> Any:
    """The part of NumPy that the texts use, for arrays of mpmath's numbers."""

    def matrix(array: Any) -> Any:
        return mpmath.matrix(np.asarray(array).tolist())

    def array(rows: Any) -> np.ndarray:
        made = np.empty((rows.rows, rows.cols), dtype=object)
        for i in range(rows.rows):
            for j in range(rows.cols):
                made[i, j] = rows[i, j]
        return made

    def inv(a: Any) -> np.ndarray:
        return array(matrix(a) ** -1)

    def det(a: Any) -> Any:
        return mpmath.det(matrix(a))

    def slogdet(a: Any) -> tuple[Any, Any]:
        determinant = det(a)
        return mpmath.sign(determinant), mpmath.log(abs(determinant)) if determinant else -mpmath.inf

    def cholesky(a: Any) -> np.ndarray:
        return array(mpmath.cholesky(matrix(a)))

    def norm(a: Any, axis: int | None = None) -> Any:
        return entrywise["sqrt"](np.sum(np.square(a), axis=axis))

    def matrix_power(a: Any, exponent: int) -> np.ndarray:
        return array(matrix(a) ** exponent)

    def logsumexp(a: Any, axis: int | None = None, keepdims: bool = False) -> Any:
        exponentials = entrywise["exp"](a)
        return entrywise["log"](np.sum(exponentials, axis=axis, keepdims=keepdims))

    def heaviside(x: Any, at_zero: Any) -> Any:
        return _entrywise(lambda entry: at_zero if entry == 0 else mpmath.mpf(int(entry > 0)))(x)

    kept = "sum ones newaxis diag outer vdot trace eye tril triu where less less_equal"
    kept += " max argmax arange apply_along_axis"
    names = "exp log sqrt sin cos tan sinh cosh tanh log1p expm1 sign".split()
    entrywise = {name: _entrywise(getattr(mpmath, name)) for name in names}
    logaddexp = _entrywise(lambda a, b: mpmath.log(mpmath.exp(a) + mpmath.exp(b)))
    logaddexp.reduce = logsumexp
    return types.SimpleNamespace(
        **entrywise,
        arctan=_entrywise(mpmath.atan),
        arcsinh=_entrywise(mpmath.asinh),
        arccosh=_entrywise(mpmath.acosh),
        arctanh=_entrywise(mpmath.atanh),
        pi=mpmath.pi,
        abs=_entrywise(abs),
        power=_entrywise(lambda a, b: mpmath.mpf(a) ** b),
        maximum=_entrywise(max),
        minimum=_entrywise(min),
        logaddexp=logaddexp,
        heaviside=heaviside,
        linalg=types.SimpleNamespace(
            inv=inv, det=det, slogdet=slogdet, norm=norm, matrix_power=matrix_power, cholesky=cholesky
        ),
        # These work on arrays of any numbers.
        **{name: getattr(np, name) for name in kept.split()},
    )
