"""The exceptions of matgrad.

Three kinds of trouble, three channels. A caller's mistake is a `CallerError`, raised before anything runs; a
failure of the machine is a `MachineError`; a number that goes wrong inside one problem of a batch is no exception
but that problem's status, unless `on_failure="raise"` asks for one.
"""

__all__ = [
    "CallerError",
    "Error",
    "FailedProblems",
    "FailureWarning",
    "MachineError",
    "NameError",
    "OperandError",
    "OperandTypeError",
    "ParseError",
    "ShapeError",
    "UnsupportedError",
]


class Error(Exception):
    """Base of everything matgrad raises.

    >>> try:
    ...     mg.function("logdet(X")
    ... except mg.Error as error:
    ...     print(type(error).__name__)
    ParseError
    """


class CallerError(Error, ValueError):
    """The call was wrong."""


class ParseError(CallerError):
    """The text is not an expression of the language; `position` is the byte where reading stopped."""

    position: int = 0


class ShapeError(CallerError):
    """Shapes do not fit."""


class NameError(CallerError):
    """A name is unknown, reserved, or declared twice."""


class UnsupportedError(CallerError):
    """A legal expression that matgrad has no rule for, or one past a stated limit."""


class OperandError(CallerError):
    """An operand or a result is missing, unused, of the wrong type, rank, size or batch."""


class OperandTypeError(OperandError, TypeError):
    """An operand or a result is no array that matgrad can read."""


class MachineError(Error, RuntimeError):
    """The machine failed: no memory, no GPU, a GPU lost."""


class CopyNeeded(Exception):
    """Within the package: the batch axes of an operand have no one stride."""


class FailedProblems(Error, ArithmeticError):
    """Problems of a batch failed and `on_failure="raise"` was asked for; `status` has an entry for each problem."""

    status: object = None


class FailureWarning(RuntimeWarning):
    """Problems of a batch failed and `on_failure="warn"` was asked for."""
