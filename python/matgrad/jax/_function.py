"""Functions that JAX differentiates, maps and compiles."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from matgrad import _core
from matgrad import _function as plain
from matgrad._arguments import by_name
from matgrad._computation import Computation, make
from matgrad._language import Expression
from matgrad._making import function as make_function
from matgrad._options import Options
from matgrad._wrapped import Wrapped
from matgrad.errors import MachineError, OperandError, OperandTypeError
from matgrad.jax import _derivatives  # noqa: F401 - registers the rules
from matgrad.jax._primitive import bind, register_handlers

_LEFT_OUT = ("device", "on_failure", "check_finite", "check_structure")


class Function(Wrapped):
    """A scalar function of JAX arrays. Make one by `matgrad.jax.function`.

    Operands are given by name or in the order of `operands`, and are float32 or float64 (integers follow JAX's
    promotion). One with more axes than its matrix has is a batch: its leading axes count the problems and are the same
    in all batched operands; the others are shared. It may be differentiated by every operand, in every mode and to
    every order, inside `jit`, `vmap`, `scan`, `checkpoint` and `shard_map`.

    A problem that fails (a matrix that is singular or not positive definite) has NaN in its results alone.
    """

    def __init__(self, base: plain.Function):
        for name in _LEFT_OUT:
            if getattr(base.options, name) != getattr(Options(), name):
                raise OperandError(f"{name}: no option of matgrad.jax.function; JAX has the device, failures are NaN")
        super().__init__(base)

    def __reduce__(self) -> tuple[Any, ...]:
        return Function, (self._base,)

    def __call__(self, *args: Any, **operands: Any) -> jax.Array:
        """The value: a number for each problem, of the shape of the leading axes, or one if it is reduced.

        Errors   OperandError, OperandTypeError, ShapeError, when traced: one line that names the operand

        >>> import jax, jax.numpy as jnp
        >>> f = function("logdet(X'*X)")
        >>> X = jnp.array([[3.0, 0.0], [0.0, 1.0], [4.0, 0.0]])
        >>> print(jax.jit(f)(X).round(4), jax.grad(f)(X).round(2)[1])
        3.2189 [0. 2.]
        """
        return self._call(("value",), args, operands)[0]

    def grad(self, *args: Any, **operands: Any) -> jax.Array | dict[str, jax.Array]:
        """The gradient, of the variable's shape; of several variables a dict by name. By a batched variable it is one
        for each problem, by a shared variable too, unless the function is reduced."""
        results = self._call(self._gradients(), args, operands)
        return self._base._by_variable(results)

    def value_and_grad(self, *args: Any, **operands: Any) -> tuple[jax.Array, jax.Array | dict[str, jax.Array]]:
        """(value, gradient) by one call, in which they share what they have in common.

        >>> import jax.numpy as jnp
        >>> value, gradient = function("0.5*dot(x, x)").value_and_grad(jnp.array([3.0, 4.0]))
        >>> print(value, gradient)
        12.5 [3. 4.]
        """
        value, *gradients = self._call(("value", *self._gradients()), args, operands)
        return value, self._base._by_variable(gradients)

    # --- Inside -------------------------------------------------------------------------------------------

    def _gradients(self) -> tuple[str, ...]:
        return tuple(f"gradient {name}" for name in self.wrt)

    def _call(self, outputs: tuple[str, ...], args: Sequence[Any], named: Mapping[str, Any]) -> list[Any]:
        if not _is_registered():
            raise MachineError("matgrad was built without XLA's headers (jaxlib), so it has no custom calls for JAX")
        of = self._base._computation(outputs)
        arrays = _arrays(of, _batch_first(of, by_name(of.names, args, named), self._base.options.in_axes or {}))
        _check(of, arrays)
        return bind(of, 0, (0,) * len(arrays), arrays)


_is_registered = functools.cache(register_handlers)


def _batch_first(of: Computation, given: dict[str, Any], in_axes: Mapping[str, int | None]) -> dict[str, Any]:
    for name, axis in in_axes.items():
        found, expected = jnp.ndim(given[name]), of.operands[of.place(name)].rank + (axis is not None)
        if found != expected:
            raise OperandError(f"operand '{name}': found {found} axes, expected {expected} with in_axes")
        if axis is not None:
            given[name] = jnp.moveaxis(given[name], axis, 0)
    return given


def _arrays(of: Computation, given: Mapping[str, Any]) -> list[jax.Array]:
    """The operands as arrays of one floating type."""
    for name, value in given.items():
        try:
            dtype = jnp.result_type(value)
        except (TypeError, ValueError) as error:
            raise OperandTypeError(f"operand '{name}': found {type(value).__name__}, expected an array") from error
        if jnp.issubdtype(dtype, np.inexact) and dtype not in (np.float32, np.float64):
            raise OperandTypeError(f"operand '{name}': found {dtype}, expected float32 or float64")
    dtype = jnp.result_type(*given.values())
    if not jnp.issubdtype(dtype, np.floating):
        dtype = jnp.result_type(float)
    return [jnp.asarray(given[name], dtype) for name in of.names]


def _check(of: Computation, arrays: Sequence[jax.Array]) -> None:
    """Ranks, batch axes and sizes, before anything is traced further."""
    batched: tuple[str, tuple[int, ...], tuple[int, ...]] | None = None
    for operand, array in zip(of.operands, arrays, strict=True):
        shape = tuple(array.shape)
        end = len(shape) - operand.rank
        if end < 0:
            expected = ("(...)", "(..., n)", "(..., m, n)")[operand.rank]
            raise OperandError(f"operand '{operand.name}': found shape {shape}, expected {expected}")
        if end == 0:
            continue
        if batched is None:
            batched = (operand.name, shape, shape[:end])
        elif shape[:end] != batched[2]:
            raise OperandError(
                f"operand '{operand.name}': found shape {shape}, expected the leading axes of '{batched[0]}' of shape "
                f"{batched[1]}, or none"
            )
    shapes = [tuple(array.shape) for array in arrays]
    if all(isinstance(axis, int) for shape in shapes for axis in shape):
        sizes, problems = of.sizes(shapes)
        _core.plan(of.core, sizes, problems, arrays[0].dtype.name, "cpu")  # ShapeError; the plan is kept


def function(text: str | Expression, wrt: str | Sequence[str] | None = None, *, declare: str | Sequence[str] = (),
             **options: Any) -> Function:
    """A scalar function that JAX differentiates by its closed form, maps over batches and compiles.

    text        in matgrad's language, `@name` of the catalogue, or an expression of the language
    wrt         the variables of `grad` and `value_and_grad`; None: the usual one of a catalogue function, or all
                symbols
    declare     shapes and structures where they are not inferred: "S=n,n:spd", "t=1", "x=n"
    options     `reduce`, `accuracy`, `convention`, `executor`, `threads`, `jitter`, `expected_batch`, `in_axes`, as
                those of `matgrad.function`; `capturable`: on a GPU, XLA may record the call in a CUDA graph
    Errors      ParseError with the place, ShapeError with both shapes, NameError

    >>> import jax, jax.numpy as jnp
    >>> loss = function("0.5*norm2(A*x - b)^2")
    >>> A = jnp.array([[1.0, 0.0], [0.0, 2.0]])
    >>> print(jax.hessian(loss, argnums=1)(A, jnp.zeros(2), jnp.ones(2)).tolist())
    [[1.0, 0.0], [0.0, 4.0]]
    """
    declared = [declare] if isinstance(declare, str) else list(declare)
    if wrt is None and not str(text).startswith("@"):
        wrt = make(str(text), declared, [("value", "none")], {}).names
    return Function(make_function(text, wrt, declare=declared, **options))
