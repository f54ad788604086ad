"""Functions with their gradients in closed form, called with arrays."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from matgrad import _calls, _core
from matgrad._arguments import by_name
from matgrad._arrays import Operands
from matgrad._computation import Computation, fresh, make
from matgrad._language import Expression
from matgrad._options import Options
from matgrad._plan import CheckReport, Linearization, Plan, Results
from matgrad._texts import Texts
from matgrad.errors import NameError, OperandError


class _Outputs(NamedTuple):
    """What the calls of a function ask for."""

    value: tuple[str, ...]
    gradients: tuple[str, ...]
    both: tuple[str, ...]
    products: tuple[str, ...]


class Function(Texts):
    """A scalar function of matrices and the symbols that it is differentiated by. Make one by `matgrad.function`.

    Operands are arrays of NumPy, PyTorch, JAX, CuPy or with DLPack, given by name or in the order of `operands`;
    results are of the same kind, type and device. An operand of more axes than its matrix has is a batch: the
    leading axes count the problems, and are the same in all batched operands; the others are shared by all problems.
    Integers and numbers take the type of the floats beside them, float64 where there are none.

    >>> f = mg.function("norm2(A*x - b)^2", wrt="x")
    >>> f.operands
    ('A', 'x', 'b')
    >>> f.grad(A=np.eye(2), x=np.array([[1.0, 2.0], [3.0, 4.0]]), b=np.zeros(2))
    array([[2., 4.],
           [6., 8.]])
    """

    def __init__(self, text: str, wrt: Sequence[str], declare: Sequence[str], options: Options):
        self._text = text
        self._declare = tuple(declare)
        self._options = options
        self._wrt = tuple(wrt)
        gradients = tuple(f"gradient {name}" for name in self._wrt)
        products = tuple(f"hvp {name}" for name in self._wrt)
        self._outputs = _Outputs(("value",), gradients, ("value", *gradients) if gradients else (), products)
        self._computations: dict[tuple[str, ...], Computation] = {}
        self._numpy: dict[tuple[str, ...], Any] = {}  # the short way, where no option needs the long one
        self._is_plain = options.on_failure == "nan" and not options.in_axes
        base = make(text, self._declare, [("value", "none")], options.key_fields())
        self._core = base.core
        self._names = base.names
        self._declarations = tuple(operand.declaration for operand in base.operands)
        for name in self._wrt:
            if name not in self._names:
                raise NameError(f"wrt: found '{name}', expected one of {', '.join(self._names)}")
        if len(set(self._wrt)) < len(self._wrt):
            raise NameError(f"wrt: a variable is named twice in {', '.join(self._wrt)}")
        for name in options.in_axes or ():
            if name not in self._names:
                raise NameError(f"in_axes: found '{name}', expected one of {', '.join(self._names)}")

    def __reduce__(self) -> tuple[Any, ...]:
        return Function, (self._text, self._wrt, self._declare, self._options)

    def __repr__(self) -> str:
        variables = self._wrt[0] if len(self._wrt) == 1 else self._wrt
        return f"matgrad.function({self.text!r}, wrt={variables!r})"

    @property
    def options(self) -> Options:
        """What goes for all calls.

        >>> mg.function("dot(x, x)").options.accuracy
        'robust'
        """
        return self._options

    def with_options(self, **changes: Any) -> Function:
        """The same function with other options.

        >>> float(mg.function("dot(x, x)").with_options(reduce="mean").value([[1.0, 2.0], [0.0, 1.0]]))
        3.0
        """
        return Function(self._text, self._wrt, self._declare, dataclasses.replace(self._options, **changes))

    # --- Calls --------------------------------------------------------------------------------------------

    def value(self, *args: Any, out: Any = None, status: Any = None, **operands: Any) -> Any:
        """The value: one number for each problem, or one for all where it is reduced.

        Shapes    (..., m, n) of a matrix, (..., n) of a vector, (...) of a number; the value is (...)
        out       an array that it is written to
        status    an int32 array of shape (...): 0, or why a problem failed
        Errors    as value_and_grad

        >>> mg.function("logdet(S)", declare="S=n,n:spd").value(np.array([np.eye(2), 2 * np.eye(2)]))
        array([0.        , 1.38629436])
        """
        return self._call(self._outputs.value, args, operands, out, status)[0]

    def grad(self, *args: Any, out: Any = None, status: Any = None, **operands: Any) -> Any:
        """The gradient, of the variable's shape; of several variables a dict by name.

        out, status, Errors   as value_and_grad

        >>> mg.function("tr(A*X)", wrt="X").grad(A=np.array([[1.0, 2.0]]), X=np.zeros((2, 1)))
        array([[1.],
               [2.]])
        """
        return self._by_variable(self._call(self._outputs.gradients, args, operands, out, status))

    def value_and_grad(self, *args: Any, out: Any = None, status: Any = None, **operands: Any) -> tuple[Any, Any]:
        """(value, gradient), which cost together little more than the dearer of them.

        out       arrays that they are written to: (value, gradient, ...) in the order of `wrt`
        status    an int32 array, an entry for each problem: 0, or why it failed (`matgrad.status_text`)
        Shapes    (..., m, n) of a matrix, (..., n) of a vector, (...) of a number, float32 or float64
        Errors    OperandError, ShapeError: one line that names the operand, what was found and what was expected;
                  FailedProblems if `on_failure="raise"`

        >>> value, gradient = mg.function("dot(x, x)").value_and_grad([[1.0, 2.0], [3.0, 0.0]])
        >>> value, gradient
        (array([5., 9.]), array([[2., 4.],
               [6., 0.]]))
        """
        results = self._call(self._outputs.both, args, operands, out, status)
        return results[0], self._by_variable(results[1:])

    def hvp(self, *args: Any, out: Any = None, status: Any = None, **operands: Any) -> Any:
        """The Hessian applied to one direction for each variable, cross terms included.

        Operands first, then the directions in the order of `wrt`; by name, that of X is `X_dot`. As `grad` else.

        >>> mg.function("0.5*norm2(A*x)^2", wrt="x").hvp(np.diag([1.0, 2.0]), np.zeros(2), np.ones(2))
        array([1., 4.])
        """
        return self._by_variable(self._call(self._outputs.products, args, operands, out, status))

    def evaluate(self, *args: Any, rcond: bool = False, error: bool = False, **operands: Any) -> Results:
        """Value, gradients and status by name, on request with the condition of what was inverted (`rcond`) and a
        bound of the relative error of each result (`error`), one number for each problem.

        >>> results = mg.function("logdet(X'*X)").evaluate(X=np.diag([1.0, 0.5]), rcond=True)
        >>> float(results.rcond), results.failed, results.gradient.shape
        (0.25, 0, (2, 2))
        """
        outputs = self._outputs.both
        diagnostics = [f"error {output}" for output in outputs] if error else []
        diagnostics += ["rcond"] if rcond else []
        computation = self._computation((*outputs, *diagnostics))
        bound = Operands(computation.names, self._bind(computation, args, operands))
        status = _calls.new_status(computation, bound)
        results, failed = self._run_bound(computation, bound, None, status)
        named = dict(zip((o.text for o in computation.outputs), results, strict=True))
        return Results(
            value=named["value"],
            gradients={name: named[f"gradient {name}"] for name in self._wrt},
            status=status,
            failed=failed,
            rcond=named.get("rcond"),
            errors={output: named[f"error {output}"] for output in outputs} if error else None,
        )

    def check(self, *args: Any, **operands: Any) -> CheckReport:
        """Value and gradients of this call, compared with an independent evaluation in double.

        returns   a CheckReport: true if every residual is within the bound that rounding explains

        >>> bool(mg.function("logdet(X'*X)").check(np.random.default_rng(0).standard_normal((5, 4, 2))))
        True
        """
        computation = self._computation(self._outputs.both)
        bound = Operands(computation.names, self._bind(computation, args, operands))
        return _calls.check(computation, bound, self._options.device)

    def plan(self, *args: Any, outputs: Sequence[str] = (), **operands: Any) -> Plan:
        """A plan for operands of these shapes and this type; data are not read.

        outputs   of "value", "gradient X", "hvp X", "rcond", "error OUTPUT"; empty: value and all gradients
        Errors    as value_and_grad; CallerError for an output that is none

        >>> plan = mg.function("logdet(X'*X)").plan(X=np.empty((1000, 64, 16), "float32"))
        >>> plan.outputs, plan.dtype
        (('value', 'gradient X'), 'float32')
        """
        names = tuple(outputs) or self._outputs.both
        computation = self._computation(names)
        return Plan(self, computation, self._bind(computation, args, operands))

    def linearize(self, *args: Any, **operands: Any) -> Linearization:
        """Hessian-vector products at one point: what depends on the point is computed once.

        >>> at = mg.function("-logdet(S)", declare="S=n,n:spd").linearize(np.diag([1.0, 2.0]))
        >>> at.hvp(np.eye(2))
        array([[1.  , 0.  ],
               [0.  , 0.25]])
        """
        computation = self._computation(self._outputs.products)
        values = self._bind(computation, args, operands, without_directions=True)
        return Linearization(self, computation, Operands(computation.names[: len(values)], values))

    def plot_accuracy(self, *, axes: Any = None, **arguments: Any) -> Any:
        """The error of the gradients against the condition number of an operand, `robust` and `fast`, float32 and
        float64, beside the plain NumPy text of `numpy()`: all measured from the same closed form in 60 digits.

        axes       of matplotlib, to draw in; new ones if None
        arguments  the operands of one problem by name, and `matrix`, `conditions`, `trials`, `seed`: the operand whose
                   condition is set (the first variable that is a matrix; its numbers are drawn), to which values (1 to
                   1e14), and how many draws of each (3)
        returns    the axes: relative errors in the Frobenius norm, condition numbers
        Errors     OperandError; ImportError where matplotlib or mpmath is not installed
        """
        from matgrad._plots import plot_accuracy

        return plot_accuracy(self, axes=axes, **arguments)

    def release(self) -> None:
        """Frees plans, and the memory that calls have left for later ones. Calls after it plan anew.

        >>> f = mg.function("dot(x, x)")
        >>> _ = f.grad(np.ones(1000))
        >>> f.release()
        """
        for computation in self._computations.values():
            computation.core.release()

    # --- Composition --------------------------------------------------------------------------------------

    def __add__(self, other: Function | Expression | float) -> Function:
        """f + g, f + expression: differentiated by the variables of both."""
        if isinstance(other, Function):
            if other._options != self._options:
                raise OperandError("the options of two functions that are added differ")
            wrt = tuple(dict.fromkeys((*self._wrt, *other._wrt)))
            declare = tuple(dict.fromkeys((*self._declare, *other._declare)))
            return Function(str(self._expression() + other._expression()), wrt, declare, self._options)
        return self._with_text(self._expression() + other)

    __radd__ = __add__

    def __sub__(self, other: Expression | float) -> Function:
        return self._with_text(self._expression() - other)

    def __mul__(self, factor: float) -> Function:
        return self._with_text(factor * self._expression())

    __rmul__ = __mul__

    def __neg__(self) -> Function:
        return self._with_text(-self._expression())

    def _expression(self) -> Expression:
        """The text, to stand in a longer one: definitions (`K = ...;`, not `<=`) and comments can not."""
        whole = re.search(r"(?<![<>])=|#", self._text)
        return Expression(self._core.text if whole else self._text)

    def _with_text(self, text: Expression) -> Function:
        return Function(str(text), self._wrt, self._declare, self._options)

    # --- Inside -------------------------------------------------------------------------------------------

    def _computation(self, outputs: tuple[str, ...]) -> Computation:
        found = self._computations.get(outputs)
        if found is None:
            found = self._computations[outputs] = self._made(outputs)
            options = self._options
            if self._is_plain and not options.check_structure:
                self._numpy[outputs] = _core.numpy_calls(found.core, found.names, options.device, options.check_finite)
        return found

    def _made(self, outputs: tuple[str, ...]) -> Computation:
        if not outputs:
            raise OperandError("the function is differentiated by no variable; function(..., wrt=...) names them")
        reduction = self._options.reduce or "none"
        listed = []
        products = []
        for text in outputs:
            kind, _, name = text.partition(" ")
            if kind == "hvp":
                products.append(name)
            listed.append((text, "none" if kind in ("rcond", "error") else reduction))
        taken = set(self._names)
        pairs = []
        for name in products:
            pairs.append((name, fresh(f"{name}_dot", taken)))
            taken.add(pairs[-1][1])
        return make(self._text, self._declarations, listed, self._options.key_fields(), pairs)

    def _bind(
        self, computation: Computation, args: Sequence[Any], named: Mapping[str, Any], without_directions: bool = False
    ) -> tuple[Any, ...]:
        """The operands of a call in their order, with their batch axes in front."""
        names = computation.names
        if without_directions:
            names = names[: len(names) - computation.directions]
        given = by_name(names, args, named)
        if self._options.in_axes:
            for name, axis in self._options.in_axes.items():
                given[name] = _calls.with_batch_first(computation, name, given[name], axis)
        return tuple(given[name] for name in names)

    def _call(self, outputs: tuple[str, ...], args: Any, operands: Any, out: Any, status: Any) -> tuple[Any, ...]:
        out = out if out is None or type(out) is tuple else _calls.as_tuple(out)
        numpy = self._numpy.get(outputs)
        if numpy is not None:
            results = numpy(args, operands, out, status)
            if results is not None:
                return results
        computation = self._computation(outputs)
        bound = Operands(computation.names, self._bind(computation, args, operands))
        if status is None and self._options.on_failure != "nan":
            status = _calls.new_status(computation, bound)
        return self._run_bound(computation, bound, out, status)[0]

    def _run_bound(
        self, computation: Computation, bound: Operands, out: Any, status: Any
    ) -> tuple[tuple[Any, ...], int]:
        options = self._options
        results, failed = _calls.run(
            computation,
            bound,
            out=out,
            status=status,
            device=options.device,
            check_finite=options.check_finite or options.on_failure != "nan",
            check_structure=options.check_structure,
        )
        if options.on_failure != "nan":
            _calls.report_failures(status, options.on_failure)
        return results, failed

    def _by_variable(self, results: Sequence[Any]) -> Any:
        return results[0] if len(self._wrt) == 1 else dict(zip(self._wrt, results, strict=True))
