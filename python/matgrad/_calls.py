"""Calls of a Computation with arrays: results made where they are not given, in the memory the arrays lie in."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from matgrad import _core
from matgrad._arrays import Operands
from matgrad._computation import Computation
from matgrad._status import status_text, succeeded
from matgrad.errors import CopyNeeded, FailedProblems, FailureWarning, OperandError

ON_FAILURE = ("nan", "warn", "raise")


def run(
    computation: Computation,
    operands: Operands,
    *,
    out: Sequence[Any] | None = None,
    status: Any = None,
    device: str = "cpu",
    check_finite: bool = False,
    check_structure: bool = False,
    rows: Any = None,
    beta: Sequence[float] = (),
    planned: Any = None,
) -> tuple[tuple[Any, ...], int]:
    """The results, and how many problems failed (0 on a GPU, which is not waited for).

    planned   a plan made before, of operands of these sizes
    """
    kind, arrays = operands.kind, operands.arrays
    if out is None:
        shapes = computation.result_shapes([array.shape for array in arrays])
        if rows is not None:
            batch = computation.batch_shape([array.shape for array in arrays]) or ()
            shapes = [
                (len(rows), *shape[len(batch) :]) if shape[: len(batch)] == batch and batch else shape
                for shape in shapes
            ]
        results = tuple(kind.empty(shape, operands.dtype, operands.device) for shape in shapes)
    else:
        results = tuple(out)
        for result, output in zip(results, computation.outputs, strict=False):
            if kind.is_native(result) and kind.device(result) != operands.device:
                raise OperandError(
                    f"result '{output.text}': found on {kind.device(result)}, expected on {operands.device}"
                )
    if operands.device != "cpu":
        if check_structure:
            raise OperandError(f"check_structure: found operands on {operands.device}, expected them in host memory")
        _enqueue(computation, operands, results, status, planned)
        return results, 0
    checks = (check_finite, check_structure)
    written = tuple(kind.handed_over(result) for result in results)
    read = tuple(kind.handed_over(array) for array in arrays)
    try:
        counts = _run(computation, read, written, status, device, checks, rows, beta, planned)
    except CopyNeeded:
        read = tuple(kind.handed_over(kind.contiguous(array)) for array in arrays)
        counts = _run(computation, read, written, status, device, checks, rows, beta, planned)
    if out is None:
        results = tuple(kind.finish(result) for result in results)
    return results, counts[1]


def _run(
    computation: Computation,
    arrays: tuple[Any, ...],
    results: tuple[Any, ...],
    status: Any,
    device: str,
    checks: tuple[bool, bool],
    rows: Any,
    beta: Sequence[float],
    planned: Any,
) -> tuple[int, int]:
    if planned is not None:
        return planned.run(arrays, results, status, *checks, rows, beta)
    return _core.run(computation.core, arrays, results, status, device, *checks, rows, beta)


def plan(computation: Computation, shapes: Sequence[Sequence[int]], dtype: str, device: str) -> Any:
    """The extension's plan of a call with operands of these shapes."""
    sizes, problems = computation.sizes(shapes)
    return _core.plan(computation.core, sizes, problems, dtype, device)


def _enqueue(
    computation: Computation, operands: Operands, results: tuple[Any, ...], status: Any, planned: Any
) -> None:
    kind, arrays = operands.kind, operands.arrays
    if planned is None:
        planned = plan(computation, [array.shape for array in arrays], operands.dtype, operands.device)
    workspace = None
    if planned.workspace_bytes > 0:
        workspace = kind.empty((planned.workspace_bytes,), "uint8", operands.device)
    stream = kind.stream(operands.device)
    try:
        planned.enqueue(arrays, results, status, workspace, stream)
    except CopyNeeded:
        arrays = tuple(kind.contiguous(array) for array in arrays)
        planned.enqueue(arrays, results, status, workspace, stream)


def as_tuple(out: Any) -> tuple[Any, ...] | None:
    """What a caller gives as `out`: one array, several, or None."""
    if out is None or type(out) is tuple:
        return out
    return tuple(out) if isinstance(out, list) else (out,)


def new_status(computation: Computation, operands: Operands) -> Any:
    """int32 entries, one for each problem, of the operands' kind on GPUs and NumPy's else."""
    shape = computation.batch_shape([array.shape for array in operands.arrays]) or ()
    if operands.device != "cpu":
        return operands.kind.empty(shape, "int32", operands.device)
    return np.empty(shape, np.int32)


def report_failures(status: Any, on_failure: str) -> None:
    """Warns or raises where problems failed. Of a call on a GPU it waits for the status."""
    codes = np.atleast_1d(on_host(status)).ravel()
    has_failed = ~succeeded(codes)
    if not has_failed.any():
        return
    first = int(np.argmax(has_failed))
    message = (
        f"{np.count_nonzero(has_failed)} of {codes.size} problems failed, the first is problem {first}: "
        f"{status_text(int(codes[first]))}"
    )
    if on_failure == "raise":
        error = FailedProblems(message)
        error.status = status
        raise error
    warnings.warn(message, FailureWarning, stacklevel=4)


class Like:
    """The shape, type and device of an array that is not there."""

    def __init__(self, shape: Sequence[int], dtype: str, device: str = "cpu"):
        self.shape = tuple(shape)
        self.dtype = dtype
        self.device = device
        self.ndim = len(self.shape)


def shapes_and_type(computation: Computation, values: Sequence[Any]) -> tuple[list[tuple[int, ...]], str, str]:
    """Of arrays, or of anything that has a shape and a dtype."""
    if all(isinstance(value, Like) for value in values):
        return [value.shape for value in values], values[0].dtype, values[0].device
    if any(
        hasattr(value, "shape") and hasattr(value, "dtype") and not hasattr(value, "__dlpack__") for value in values
    ):
        types = {np.dtype(value.dtype).name for value in values}
        if len(types) != 1:
            raise OperandError(f"found operands of {', '.join(sorted(types))}, expected one type")
        return [tuple(value.shape) for value in values], types.pop(), "cpu"
    bound = Operands(computation.names, values)
    return [tuple(array.shape) for array in bound.arrays], bound.dtype, bound.device


def with_batch_first(computation: Computation, name: str, value: Any, axis: int | None) -> Any:
    """`value` with the axis that counts the problems in front; checked where it says that there is none."""
    operand = computation.operands[computation.place(name)]
    if axis is None:
        if np.ndim(value) != operand.rank:
            raise OperandError(
                f"operand '{name}': found {np.ndim(value)} axes, expected {operand.rank}: in_axes says it is shared"
            )
        return value
    if np.ndim(value) != operand.rank + 1:
        raise OperandError(
            f"operand '{name}': found {np.ndim(value)} axes, expected {operand.rank + 1}: in_axes names one of them"
        )
    if isinstance(value, Like):
        shape = list(value.shape)
        shape.insert(0, shape.pop(axis))
        return Like(shape, value.dtype, value.device)
    return Operands((name,), (value,)).kind.move_axis(value, axis)


def check(computation: Computation, operands: Operands, device: str) -> Any:
    """Runs in host memory and compares: a CheckReport."""
    from matgrad._plan import CheckReport

    arrays = tuple(np.ascontiguousarray(on_host(array)) for array in operands.arrays)
    shapes = [array.shape for array in arrays]
    planned = plan(computation, shapes, operands.dtype, device if operands.device == "cpu" else operands.device)
    results = tuple(np.empty(shape, operands.dtype) for shape in computation.result_shapes(shapes))
    status = np.empty(computation.batch_shape(shapes) or (), np.int32)
    planned.run(arrays, results, status)
    return CheckReport(*planned.check(arrays, results, status))


def on_host(array: Any) -> np.ndarray:
    """A NumPy array of the entries, wherever they lie."""
    if isinstance(array, np.ndarray):
        return array
    if hasattr(array, "get"):  # CuPy
        return array.get()
    if hasattr(array, "cpu"):  # PyTorch
        return array.cpu().numpy()
    return np.asarray(array)


def linearize(computation: Computation, operands: Operands, device: str) -> tuple[Any, tuple[Any, ...]]:
    """The point, and the arrays that it may read again."""
    arrays = operands.arrays
    try:
        return _core.linearize(computation.core, arrays, device), arrays
    except CopyNeeded:
        arrays = tuple(operands.kind.contiguous(array) for array in arrays)
        return _core.linearize(computation.core, arrays, device), arrays
