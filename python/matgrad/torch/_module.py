"""A function as a layer that holds some of its operands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from matgrad._arguments import by_name
from matgrad._language import Expression
from matgrad.errors import OperandError
from matgrad.torch._function import Function, function


class Module(torch.nn.Module):
    """A function some of whose operands are parameters or buffers of the module.

    text         as for `matgrad.torch.function`
    parameters   operands that are trained, by name: tensors, which become Parameters, or Parameters
    buffers      operands that are not trained but move and are saved with the module
    options      declare, reduce, capturable, ... as for `matgrad.torch.function`
    Errors       OperandError for a name that is no operand, or that torch.nn.Module has

    Called with the other operands, by position in their order or by name, it returns the value.

    >>> import torch
    >>> loss = Module("norm2(A*x - b)^2", parameters={"x": torch.zeros(2)}, reduce="sum")
    >>> loss.operands
    ('A', 'b')
    >>> loss(torch.eye(2), torch.tensor([3.0, 4.0])).backward()
    >>> loss.x.grad
    tensor([-6., -8.])
    """

    def __init__(self, text: str | Expression, parameters: Mapping[str, Tensor] | None = None, *,
                 buffers: Mapping[str, Tensor] | None = None, **options: Any):
        super().__init__()
        parameters, buffers = dict(parameters or {}), dict(buffers or {})
        held = (*parameters, *buffers)
        made: Function = function(text, **options) if "wrt" in options else function(text, tuple(parameters), **options)
        for name in held:
            if name not in made.operands:
                raise OperandError(f"operand '{name}': not of this function, expected {', '.join(made.operands)}")
            if hasattr(self, name):
                raise OperandError(f"operand '{name}': torch.nn.Module has that name, expected another one")
            if name in parameters and name in buffers:
                raise OperandError(f"operand '{name}': found among parameters and buffers, expected one of them")
        self._function = made
        self._held = held
        self._free = tuple(name for name in made.operands if name not in held)
        for name, value in parameters.items():
            is_parameter = isinstance(value, torch.nn.Parameter)
            self.register_parameter(name, value if is_parameter else torch.nn.Parameter(value.detach().clone()))
        for name, value in buffers.items():
            self.register_buffer(name, value.detach().clone())

    @property
    def function(self) -> Function:
        """The function that it calls."""
        return self._function

    @property
    def operands(self) -> tuple[str, ...]:
        """Names of the operands that a call takes, in their order."""
        return self._free

    def forward(self, *args: Any, **operands: Any) -> Tensor:
        """The value, as of `Function`."""
        for name in operands:
            if name in self._held:
                raise OperandError(f"operand '{name}': held by the module, expected {', '.join(self._free)}")
        given = by_name(self._free, args, operands)
        for name in self._held:
            given[name] = getattr(self, name)
        return self._function(**given)

    def extra_repr(self) -> str:
        """Within the text of the module."""
        return self._function.text


__all__ = ["Module"]
