"""Functions of tensors, differentiated by PyTorch through closed forms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

import matgrad
from matgrad._arguments import by_name
from matgrad._language import Expression
from matgrad._wrapped import Wrapped
from matgrad.errors import OperandError, OperandTypeError
from matgrad.torch import _sharding
from matgrad.torch._calls import call
from matgrad.torch._rules import traced

_FLOATS = (torch.float32, torch.float64)
# What factors a matrix, and so may fail.
_FACTORED = ("inv(", "det(")
# Those of `matgrad.Options` that mean something here. The device is that of the tensors; the gradient by a symmetric
# matrix is the projected one, the only one that the chain rule holds for.
_OPTIONS = ("reduce", "accuracy", "executor", "threads", "jitter", "expected_batch", "capturable", "in_axes")


class Function(Wrapped):
    """A scalar function of tensors that PyTorch differentiates, maps and compiles. Make one by `function`.

    Operands are float32 or float64 tensors, all of one type and device, given by name or in the order of `operands`.
    One of more axes than its matrix has is a batch: the leading axes count the problems, and are the same in all
    batched operands; the others are shared by all problems. Every operand may require a gradient. A problem that
    fails has NaN in its value and its own gradients, and is left out of sums.

    >>> f = mt.function("norm2(A*x - b)^2", wrt="x")
    >>> f.operands, f.wrt
    (('A', 'x', 'b'), ('x',))
    >>> A, x, b = torch.eye(2), torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.zeros(2)
    >>> f(A, x, b)
    tensor([ 5., 25.])
    """

    def __init__(self, base: matgrad.Function):
        super().__init__(base)
        value = base._computation(("value",))
        self._ranks = tuple(operand.rank for operand in value.operands)
        self._in_axes = dict(base.options.in_axes or {})
        self._value_key = value.key
        # Where problems may fail, what is summed is masked here: a gradient that needs no factor does not fail, and
        # would count problems that the value leaves out. A mean is made here too: its parts can be on several machines.
        reduce = base.options.reduce
        self._is_masked = reduce == "mean" or (reduce == "sum" and any(name in base.text for name in _FACTORED))
        if self._is_masked:
            self._value_key = call(value.key).unreduced.with_success.key
        if base.wrt:
            gradients = tuple(f"gradient {name}" for name in base.wrt)
            self._grad_key = base._computation(gradients).key
            self._both_key = base._computation(("value", *gradients)).key

    def __reduce__(self) -> tuple[Any, ...]:
        return Function, (self._base,)

    def __call__(self, *args: Any, **operands: Any) -> Tensor:
        """The value: one number for each problem, or one for all where it is reduced.

        returns   a tensor of the shape of the batch, () without one or with `reduce`, of the operands' type
        Errors    OperandError, OperandTypeError: one line with the operand, what was found and what was expected
        """
        results = traced(self._value_key, 0, *self._bind(args, operands))
        if not self._is_masked:
            return results[0]
        value, succeeded = results
        total = torch.where(succeeded > 0, value, 0).sum()
        return total if self._base.options.reduce == "sum" else total / succeeded.sum().clamp(min=1)

    def grad(self, *args: Any, **operands: Any) -> Any:
        """The gradient by the variable of `wrt`, of its shape (of several, a dict by name); one for each problem
        unless `reduce` is given and the variable is shared. PyTorch differentiates it further."""
        self._variables()
        return self._by_variable(traced(self._grad_key, 0, *self._bind(args, operands)))

    def value_and_grad(self, *args: Any, **operands: Any) -> tuple[Tensor, Any]:
        """(value, gradient) from one call, which costs little more than the gradient."""
        self._variables()
        value, *gradients = traced(self._both_key, 0, *self._bind(args, operands))
        return value, self._by_variable(gradients)

    def _variables(self) -> None:
        if not self._base.wrt:
            raise OperandError(f"wrt: expected the variables, some of {', '.join(self._names)}")

    def _by_variable(self, gradients: Sequence[Tensor]) -> Any:
        return gradients[0] if len(self.wrt) == 1 else dict(zip(self.wrt, gradients, strict=True))

    def _bind(self, args: Sequence[Any], named: Mapping[str, Any]) -> list[Tensor]:
        """The operands of a call in their order, with their batch axes in front."""
        names = self._names
        if named or len(args) != len(names):
            args = list(by_name(names, args, named).values())
        operands = []
        first = None
        for name, rank, value in zip(names, self._ranks, args, strict=True):
            if not isinstance(value, Tensor):
                operands.append(value)
                continue
            if value.dtype not in _FLOATS:
                dtype = str(value.dtype).removeprefix("torch.")
                raise OperandTypeError(f"operand '{name}': found {dtype}, expected float32 or float64")
            if value.layout is not torch.strided:
                layout = str(value.layout).removeprefix("torch.")
                raise OperandTypeError(f"operand '{name}': found layout {layout}, expected a dense tensor")
            if first is None:
                first, leader = value, name
            elif value.dtype != first.dtype:
                raise OperandTypeError(
                    f"operand '{name}': found {str(value.dtype).removeprefix('torch.')}, expected "
                    f"{str(first.dtype).removeprefix('torch.')}, as '{leader}' is"
                )
            elif value.device != first.device:
                raise OperandError(
                    f"operand '{name}': found on {value.device}, expected on {first.device}, as '{leader}' is"
                )
            if value.ndim < rank:
                raise OperandError(f"operand '{name}': found {value.ndim} axes, expected at least {rank}")
            if self._in_axes and name in self._in_axes:
                value = self._with_batch_first(name, rank, value)
            operands.append(value)
        if len(operands) and (first is None or not all(isinstance(operand, Tensor) for operand in operands)):
            operands = self._numbers_as_tensors(operands, first)
        if not torch.compiler.is_compiling():
            _sharding.prepare(operands)
        return operands

    def _with_batch_first(self, name: str, rank: int, value: Tensor) -> Tensor:
        axis = self._in_axes[name]
        expected = rank if axis is None else rank + 1
        if value.ndim != expected:
            raise OperandError(f"operand '{name}': found {value.ndim} axes, expected {expected}, as in_axes says")
        return value if axis is None else value.movedim(axis, 0)

    def _numbers_as_tensors(self, operands: Sequence[Any], first: Tensor | None) -> list[Tensor]:
        dtype = torch.get_default_dtype() if first is None else first.dtype
        device = None if first is None else first.device
        made = []
        for name, rank, value in zip(self._names, self._ranks, operands, strict=True):
            if isinstance(value, (bool, int, float)) and rank == 0:
                value = torch.full((), float(value), dtype=dtype, device=device)
            if not isinstance(value, Tensor):
                wanted = "a tensor or a number" if rank == 0 else "a tensor"
                raise OperandTypeError(f"operand '{name}': found {type(value).__name__}, expected {wanted}")
            made.append(value)
        return made


def function(text: str | Expression, wrt: str | Sequence[str] | None = None, *, declare: str | Sequence[str] = (),
             **options: Any) -> Function:
    """A scalar function of tensors whose derivatives are closed forms, of any order.

    text        in matgrad's language, `@name` of the catalogue, or an expression of the language
    wrt         the variables of `.grad` and `.value_and_grad`; None: the usual one of a catalogue function, or the
                only symbol. `backward` and `torch.func` differentiate by whatever requires a gradient
    declare     shapes and structures where they are not inferred: "S=n,n:spd", "t=1", "x=n"
    options     reduce, accuracy, executor, threads, jitter, expected_batch, capturable, in_axes, as `matgrad.Options`
                has them; capturable has not yet run on a GPU
    Errors      ParseError with the place, ShapeError with both shapes, NameError, OperandError for an option

    >>> import torch
    >>> f = function("logdet(X'*X)")
    >>> X = torch.tensor([[[1.0], [1.0]], [[2.0], [0.0]]], requires_grad=True)
    >>> f(X).sum().backward()
    >>> X.grad.flatten()
    tensor([1., 1., 1., 0.])
    """
    for name in options:
        if name not in _OPTIONS:
            expected = ", ".join(_OPTIONS)
            raise OperandError(f"option '{name}': found one that tensors with a graph have not, expected {expected}")
    text = str(text)
    is_named = text.startswith("@")
    variables = () if wrt is None and not is_named else wrt
    base = matgrad.function(text, variables, declare=declare, **options)
    if wrt is None and len(base.operands) == 1:
        base = matgrad.Function(base._text, base.operands, base.declarations, base.options)
    return Function(base)


__all__ = ["Function", "function"]
