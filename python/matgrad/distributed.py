"""Batches over the processes of MPI, for users of NumPy and CuPy: `mpiexec -n 4 python train.py`.

    from mpi4py import MPI
    import matgrad as mg
    from matgrad import distributed

    f = mg.function("sum(w.*(A*x - b).^2)", wrt="x", reduce="sum")
    w = distributed.rows(MPI.COMM_WORLD, all_w)           # or each process reads its own rows
    value, gradient = distributed.value_and_grad(f, MPI.COMM_WORLD, w=w, A=A, x=x, b=b)

A batch lies over the processes by its leading axis, in the order of the ranks. Results for each problem stay with the
process that has the problem: with the same `expected_batch` in all of them, bit for bit what one process would find
that had it too. What is summed over the batch (with `reduce="sum"`: the value, and gradients by shared variables) is
summed over the processes too, and every process has it; the order of that sum is MPI's, so its last bits may depend on
the number of processes.

PyTorch and JAX have their own ways to do the same, see docs/distributed.md. With CuPy MPI has to be built for CUDA;
that has not yet been run on a GPU.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from matgrad._arrays import Operands
from matgrad._function import Function
from matgrad.errors import OperandError

__all__ = ["gather", "rows", "value_and_grad"]


def rows(comm: Any, array: Any) -> Any:
    """The rows of this process: a view of a part of the leading axis. The first ranks have one more if it does not
    divide; a process may have none.

    comm    a communicator of mpi4py, or anything with `rank` and `size`
    array   (problems, ...), the same in every process

    >>> import types
    >>> second_of_two = types.SimpleNamespace(rank=1, size=2)
    >>> rows(second_of_two, np.arange(5))
    array([3, 4])
    """
    each, more = divmod(len(array), comm.size)
    first = comm.rank * each + min(comm.rank, more)
    return array[first : first + each + (comm.rank < more)]


def value_and_grad(function: Function, comm: Any, **operands: Any) -> tuple[Any, Any]:
    """As `function.value_and_grad` of the whole batch; every process calls it, with its own rows of batched operands.

    function   of `reduce=None`, or "sum"
    operands   by name: shared ones alike in every process, the rows of this process of batched ones
    returns    the value and the gradient (a dict by name of several variables): of the problems of this process, or the
               sums over all of them
    Errors     OperandError, before anything is sent: reduce="mean", or an operand that does not fit

    >>> import matgrad, types
    >>> alone = types.SimpleNamespace(
    ...     rank=0, size=1, allreduce=lambda mine: mine, Allreduce=lambda mine, summed: np.copyto(summed, mine)
    ... )
    >>> f = matgrad.function("0.5*norm2(x - t)^2", wrt="t", declare="t=n", reduce="sum")
    >>> value, gradient = value_and_grad(f, alone, x=np.array([[1.0], [2.0]]), t=np.array([0.0]))
    >>> float(value), gradient
    (2.5, array([-3.]))
    """
    if function.options.reduce == "mean":
        raise OperandError("reduce: found 'mean', expected 'sum' (divide by the problems of all processes) or None")
    outputs = ("value", *(f"gradient {name}" for name in function.wrt))
    function = _weighed_for_all(function, comm, operands)
    value, gradients = function.value_and_grad(**operands)
    results = [value, *(gradients.values() if isinstance(gradients, dict) else [gradients])]
    if function.options.reduce == "sum":
        computation = function._computation(outputs)
        shapes = [np.shape(operands[name]) for name in computation.names]
        summed = [
            output.variable is None or computation.is_shared(output.variable, shapes) for output in computation.outputs
        ]
        totals = iter(_summed(comm, [result for result, is_summed in zip(results, summed, strict=True) if is_summed]))
        results = [next(totals) if is_summed else result for result, is_summed in zip(results, summed, strict=True)]
    value, *found = results
    return value, found[0] if len(found) == 1 else dict(zip(function.wrt, found, strict=True))


def _weighed_for_all(function: Function, comm: Any, operands: dict[str, Any]) -> Function:
    """The function with the batch of all processes as the one that its plans are weighed for: a part of the batch
    then takes the steps that the whole would, and a problem gets its bits."""
    computation = function._computation(function._outputs.both)
    shapes = [np.shape(value) for value in function._bind(computation, (), operands)]
    problems = comm.allreduce(computation.sizes(shapes)[1])
    return function if function.options.expected_batch else _with_expected_batch(function, max(problems, 1))


@functools.lru_cache(maxsize=64)
def _with_expected_batch(function: Function, problems: int) -> Function:
    return function.with_options(expected_batch=problems)


def gather(comm: Any, part: np.ndarray) -> np.ndarray:
    """The whole batch in every process, of the parts that they have: NumPy arrays (problems of this process, ...)."""
    problems = comm.allgather(len(part))
    whole = np.empty((sum(problems), *part.shape[1:]), part.dtype)
    entries = int(np.prod(part.shape[1:]))
    comm.Allgatherv(np.ascontiguousarray(part), (whole, [count * entries for count in problems]))
    return whole


def _summed(comm: Any, parts: list[Any]) -> list[Any]:
    """Over the processes, in one message."""
    kind: Any = Operands(("sum",) * len(parts), parts).kind
    if kind.name not in ("numpy", "cupy"):
        raise OperandError(f"found arrays of {kind.name}, expected NumPy's or CuPy's; docs/distributed.md has others")
    library = np if kind.name == "numpy" else kind.cupy
    mine = library.concatenate([library.ravel(library.asarray(part)) for part in parts])
    total = library.empty_like(mine)
    if kind.name == "cupy":
        library.cuda.get_current_stream().synchronize()  # MPI knows nothing of streams
    comm.Allreduce(mine, total)
    shapes = [np.shape(part) for part in parts]
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
    pieces = [total[end - int(np.prod(shape)) : end].reshape(shape) for end, shape in zip(ends, shapes, strict=True)]
    return [piece[()] for piece in pieces]
