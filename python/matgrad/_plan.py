"""Plans: a function made ready for operands of one shape and type."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from matgrad import _calls
from matgrad._arrays import Operands
from matgrad._computation import Computation
from matgrad.errors import OperandError

if TYPE_CHECKING:
    from matgrad._function import Function


@dataclasses.dataclass(frozen=True)
class Results:
    """What `Function.evaluate` returns.

    value, gradients   arrays; gradients by the name of the variable
    status, failed     an int32 entry for each problem, and how many failed
    rcond              for each problem the reciprocal condition of what was inverted, if asked for
    errors             for each result a bound of its relative error for each problem, if asked for

    >>> float(mg.function("dot(x, x)").evaluate([3.0, 4.0]).value)
    25.0
    """

    value: Any
    gradients: dict[str, Any]
    status: Any
    failed: int
    rcond: Any = None
    errors: dict[str, Any] | None = None

    @property
    def gradient(self) -> Any:
        """By the only variable."""
        if len(self.gradients) != 1:
            raise OperandError(f"gradients are by {', '.join(self.gradients)}: .gradients has them by name")
        return next(iter(self.gradients.values()))


@dataclasses.dataclass(frozen=True)
class CheckReport:
    """Results of a run beside an independent evaluation in double.

    passed    every residual is within the bound that rounding explains
    problems  how many were compared
    failed    how many were left out, as their status says
    text      one line
    outputs   for each output: name, whether it was compared, the worst problem, its residual and its bound

    >>> mg.function("dot(x, x)").check([3.0, 4.0]).problems
    1
    """

    passed: bool
    problems: int
    failed: int
    text: str
    outputs: list[tuple[str, bool, int, float, float]]

    def __bool__(self) -> bool:
        return self.passed

    def __str__(self) -> str:
        return self.text


@dataclasses.dataclass(frozen=True)
class Cost:
    """What the batch that a plan was made for takes at least: operations, bytes read and written, problems.

    >>> mg.function("dot(x, x)").plan(np.zeros((10, 4)), outputs=("value",)).cost.bytes
    400.0
    """

    operations: float
    bytes: float
    problems: int


class Plan:
    """A function made ready for operands of one shape and type. Any number of problems may be run, on the memory
    that the operands it was made from lie in; several threads may share a plan, and processes its pickle.

    >>> x = np.ones((1000, 3))
    >>> plan = mg.function("dot(x, x)").plan(x)
    >>> value, gradient, status = np.empty(1000), np.empty_like(x), np.empty(1000, np.int32)
    >>> _ = plan(x, out=(value, gradient), status=status)
    >>> print(value[0], gradient[0], status[0])
    3.0 [2. 2. 2.] 0
    """

    def __init__(self, function: Function, computation: Computation, values: tuple[Any, ...]):
        self._function = function
        self._computation = computation
        shapes, dtype, device = _calls.shapes_and_type(computation, values)
        self._question = (tuple(map(tuple, shapes)), dtype, device)
        self._core = _calls.plan(computation, shapes, dtype, function.options.device if device == "cpu" else device)
        options = function.options
        is_plain = function._is_plain and device == "cpu" and not options.check_structure
        self._numpy = self._core.numpy_calls(computation.names, options.check_finite) if is_plain else None

    def __reduce__(self) -> tuple[Any, ...]:
        return _plan_again, (self._function, self.outputs, *self._question)

    def __call__(
        self, *args: Any, out: Any = None, status: Any = None, rows: Any = None, beta: float = 0.0, **operands: Any
    ) -> Any:
        """The results, a tuple in the order of `outputs` (one alone as it is).

        out      arrays that they are written to, in that order
        status   an int32 array, an entry for each problem
        rows     numbers (int64, or a list) of the problems that are computed, in their order; all batched operands have
                 one count of problems
        beta     results are added to beta times what is in `out`
        """
        out = out if out is None or type(out) is tuple else _calls.as_tuple(out)
        if self._numpy is not None and rows is None and not beta:
            results = self._numpy(args, operands, out, status)
            if results is not None:
                return results if len(results) > 1 else results[0]
        if rows is not None and not isinstance(rows, np.ndarray):
            rows = np.asarray(rows, np.int64)
        computation = self._computation
        function = self._function
        values = function._bind(computation, args, operands)
        bound = Operands(computation.names, values)
        if bound.dtype != self._question[1]:
            raise OperandError(f"found operands of {bound.dtype}, expected {self._question[1]} as planned")
        options = function.options
        if status is None and options.on_failure != "nan":
            status = _calls.new_status(computation, bound)
        if beta and out is None:
            raise OperandError("beta: expected `out`, what there is to add to")
        betas = [beta] * len(computation.outputs) if beta else []
        results, _ = _calls.run(
            computation,
            bound,
            out=out,
            status=status,
            rows=rows,
            beta=betas,
            check_finite=options.check_finite or options.on_failure != "nan",
            check_structure=options.check_structure,
            planned=self._core,
        )
        if options.on_failure != "nan":
            _calls.report_failures(status, options.on_failure)
        return results if len(results) > 1 else results[0]

    def check(self, *args: Any, **operands: Any) -> CheckReport:
        """As Function.check."""
        return self._function.check(*args, **operands)

    @property
    def operands(self) -> tuple[str, ...]:
        """Names, in the order in which a call takes them."""
        return self._computation.names

    @property
    def outputs(self) -> tuple[str, ...]:
        """`value`, `gradient X`, ... in the order in which a call returns them."""
        return tuple(output.text for output in self._computation.outputs)

    @property
    def dtype(self) -> str:
        """`float32` or `float64`."""
        return self._question[1]

    @property
    def device(self) -> str:
        """`cpu`, `cuda:0`, `cuda:all`: where it computes."""
        return self._core.device

    @property
    def workspace_bytes(self) -> int:
        """Bytes of workspace, whatever the batch."""
        return self._core.workspace_bytes

    @property
    def cost(self) -> Cost:
        """What the batch it was made for takes at least."""
        return Cost(*self._core.cost)

    def explain(self) -> str:
        """What it does: the steps, the layout, the cost."""
        return self._core.explain()

    def plot_roofline(self, *, axes: Any = None, **operands: Any) -> Any:
        """The measured speed of the plan on this machine, beside what bandwidth and arithmetic allow.

        The bounds are measured too: copies by all processors, and NumPy's matrix product in both types. A batch that
        stays in the caches may be above the bandwidth's line.

        operands   as a call takes them, by name; none: random ones of the planned shapes
        axes       of matplotlib, to draw in; new ones if None
        returns    the axes: operations per byte, and 1e9 operations a second
        Errors     OperandError: the plan is not for the processor; ImportError where matplotlib is not installed
        """
        from matgrad._plots import plot_roofline

        return plot_roofline(self, axes=axes, **operands)


def _plan_again(function: Function, outputs: tuple[str, ...], shapes: Any, dtype: str, device: str) -> Plan:
    computation = function._computation(outputs)
    return Plan(function, computation, tuple(_calls.Like(shape, dtype, device) for shape in shapes))


class Linearization:
    """A function's Hessian at one point, applied to directions. What depends on the point was computed once; each
    product costs only the rest. Operands of the point have to stay as they are while it is used.

    >>> mg.function("0.5*norm2(A*x)^2", wrt="x").linearize(np.diag([1.0, 2.0]), np.zeros(2)).hvp(np.ones(2))
    array([1., 4.])
    """

    def __init__(self, function: Function, computation: Computation, bound: Operands):
        if bound.device != "cpu":
            raise OperandError(f"linearize: found operands on {bound.device}, expected host memory")
        self._function = function
        self._computation = computation
        self._bound = bound
        self._core, self._arrays = _calls.linearize(computation, bound, function.options.device)

    def hvp(self, *directions: Any, out: Any = None, status: Any = None) -> Any:
        """The products, as Function.hvp: one direction for each variable, of the shape of its gradient."""
        names = self._computation.names[len(self._bound.arrays) :]
        if len(directions) != len(names):
            raise OperandError(f"found {len(directions)} directions, expected {len(names)}: {', '.join(names)}")
        bound = Operands((*self._computation.names[:1], *names), (self._bound.arrays[0], *directions))
        shapes = [array.shape for array in (*self._bound.arrays, *bound.arrays[1:])]
        results = _calls.as_tuple(out) or tuple(
            bound.kind.empty(shape, bound.dtype, "cpu") for shape in self._computation.result_shapes(shapes)
        )
        self._core.apply(bound.arrays[1:], results, status)
        if out is None:
            results = tuple(bound.kind.finish(result) for result in results)
        return self._function._by_variable(results)

    def explain(self) -> str:
        """What was computed at the point, and what each product costs."""
        return self._core.explain()

    @property
    def kept_bytes(self) -> int:
        """Bytes kept for the point."""
        return self._core.kept_bytes


__all__ = ["CheckReport", "Cost", "Linearization", "Plan", "Results"]
