"""Plots of a function's accuracy and of a plan's speed: `Function.plot_accuracy`, `Plan.plot_roofline`.

matplotlib draws, mpmath has the digits that errors are measured from; both are optional.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from matgrad import _high_precision, _random_operands
from matgrad._timing import Copies, Products, taking_turns
from matgrad.errors import OperandError

if TYPE_CHECKING:
    from matgrad._function import Function
    from matgrad._plan import Plan

CONTENDERS = ("robust float32", "fast float32", "NumPy float32", "robust float64", "fast float64", "NumPy float64")


def _axes(axes: Any, who: str) -> Any:
    if axes is not None:
        return axes
    try:
        from matplotlib import pyplot
    except ImportError as problem:
        raise ImportError(f"{who}: matplotlib is not installed") from problem
    return pyplot.subplots(figsize=(7, 4.5), layout="constrained")[1]


# --- Accuracy ---------------------------------------------------------------------------------------------


def conditioned(random: np.random.Generator, shape: Sequence[int], condition: float, is_spd: bool) -> np.ndarray:
    """A matrix whose singular values (eigenvalues if it is positive definite) fall evenly in logarithm from 1."""
    rows, cols = shape
    count = min(rows, cols)
    left = np.linalg.qr(random.standard_normal((rows, count)))[0]
    right = left if is_spd else np.linalg.qr(random.standard_normal((cols, count)))[0]
    made = (left * np.geomspace(1, 1 / condition, count)) @ right.T
    return (made + made.T) / 2 if is_spd else made


def measure_accuracy(function: Function, *, matrix: str | None = None, conditions: Sequence[float] | None = None,
                     trials: int = 3, seed: int = 0, **operands: Any) -> dict[str, np.ndarray]:
    """Errors of the gradients against the condition number of one operand.

    matrix      the operand whose condition is set, by default the first variable that is a matrix; its shape is
                that of the array given
    conditions  by default 1 to 1e14
    operands    those of one problem
    returns     for each of CONTENDERS the error for each condition: |G - G*| / |G*| in the Frobenius norm, no unit,
                the largest of the trials and variables; NaN where no trial has a result. G* has 60 digits, of the
                numbers as the type of the data has them. "conditions" has the conditions
    Errors      OperandError; ImportError without mpmath
    """
    function = function.with_options(reduce=None, on_failure="nan", in_axes=None)
    declared = {declaration.partition("=")[0]: declaration for declaration in function.declarations}
    given = {name: np.asarray(value, dtype=np.float64) for name, value in operands.items()}
    missing = [name for name in function.operands if name not in given]
    if missing:
        raise OperandError(f"operand '{missing[0]}' is missing, expected {', '.join(function.operands)}")
    matrix = matrix or next((name for name in function.wrt if given[name].ndim == 2), None)
    if matrix is None or matrix not in given or given[matrix].ndim != 2:
        raise OperandError(f"matrix: found {matrix!r}, expected the name of an operand that is a matrix")
    settings = [float(condition) for condition in (np.geomspace(1, 1e14, 15) if conditions is None else conditions)]
    random = np.random.default_rng(seed)
    is_spd = declared[matrix].endswith(":spd")
    errors: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    for condition in settings:
        found: dict[str, list[float]] = {name: [] for name in CONTENDERS}
        for _ in range(trials):
            drawn = conditioned(random, given[matrix].shape, condition, is_spd)
            for dtype in ("float32", "float64"):
                problem = {name: value.astype(dtype) for name, value in {**given, matrix: drawn}.items()}
                for name, error in _errors(function, problem).items():
                    found[f"{name} {dtype}"].append(error)
        for name, of_trials in found.items():
            results = [error for error in of_trials if not math.isnan(error)]
            errors[name].append(max(results, default=math.nan))
    return {"conditions": np.array(settings), **{name: np.array(values) for name, values in errors.items()}}


def _errors(function: Function, problem: dict[str, np.ndarray]) -> dict[str, float]:
    source = function.numpy()
    exact = _high_precision.evaluate(source, problem, [f"gradient_{name}" for name in function.wrt])
    found = {}
    for accuracy in ("robust", "fast"):
        gradients = function.with_options(accuracy=accuracy).grad(**problem)
        found[accuracy] = gradients if isinstance(gradients, dict) else {function.wrt[0]: gradients}
    found["NumPy"] = _plain_numpy(source, function.wrt, problem)
    return {
        contender: max(_distance(gradients[name], exact[f"gradient_{name}"]) for name in function.wrt)
        for contender, gradients in found.items()
    }


def _plain_numpy(source: str, wrt: Sequence[str], problem: dict[str, np.ndarray]) -> dict[str, Any]:
    functions: dict[str, Any] = {"np": np}
    if "scipy." in source:
        import scipy

        functions["scipy"] = scipy
    exec(source, functions)  # the text is ours
    results = {}
    for name in wrt:
        gradient = functions[f"gradient_{name}"]
        needed = gradient.__code__.co_varnames[: gradient.__code__.co_argcount]
        try:
            with np.errstate(all="ignore"):
                results[name] = gradient(*(problem[operand] for operand in needed))
        except np.linalg.LinAlgError:
            results[name] = np.full_like(problem[name], np.nan)
    return results


def _distance(found: Any, exact: np.ndarray) -> float:
    size = float(np.linalg.norm(exact))
    return float(np.linalg.norm(np.asarray(found, dtype=np.float64) - exact)) / size if size else math.nan


def plot_accuracy(function: Function, *, axes: Any = None, **arguments: Any) -> Any:
    """The error of the function's gradients against the condition number of an operand: `robust` and `fast`, float32
    and float64, beside the plain NumPy text of `numpy()`. Each is measured from the same closed form in 60 digits.

    axes       of matplotlib, to draw in; new ones if None
    arguments  those of one problem by name, and `matrix`, `conditions`, `trials`, `seed`: which operand's condition is
               set (the first variable that is a matrix), to which values (1 to 1e14), how many draws of each (3)
    returns    the axes
    Errors     OperandError; ImportError where matplotlib or mpmath is not installed

        f = mg.function("logdet(X'*X)", wrt="X")
        f.plot_accuracy(X=np.ones((16, 8)))     # the shape is read, the numbers are drawn
    """
    axes = _axes(axes, "plot_accuracy")
    measured = measure_accuracy(function, **arguments)
    conditions = measured["conditions"]
    styles = {"robust": ("o", "-"), "fast": ("s", "--"), "NumPy": ("x", ":")}
    for name in CONTENDERS:
        way, dtype = name.split()
        marker, line = styles[way]
        color = "tab:orange" if dtype == "float32" else "tab:blue"
        # An error of 0 has no place on a logarithmic axis.
        axes.plot(conditions, np.maximum(measured[name], 1e-17), marker + line, color=color, label=name, markersize=4)
    for unit in (2.0**-24, 2.0**-53):
        axes.plot(conditions, conditions * unit, color="grey", linewidth=0.6)
        place = conditions[len(conditions) // 2]
        text = f"condition * {unit:.1g}"
        axes.annotate(text, (place, place * unit), color="grey", fontsize=7, va="bottom", ha="right")
    axes.set(xscale="log", yscale="log", ylim=(1e-17, 10), xlabel="condition number (no unit)",
             ylabel="relative error of the gradient (no unit)", title=function.text)
    axes.legend(fontsize=8)
    return axes


# --- Speed ------------------------------------------------------------------------------------------------


def random_operands(plan: Plan) -> dict[str, np.ndarray]:
    """Of the shapes and the type that the plan was made for."""
    random = np.random.default_rng(0)
    shapes, dtype, _ = plan._question
    return {
        operand.name: _random_operands.draw(random, operand.declaration, shape, dtype)
        for operand, shape in zip(plan._computation.operands, shapes, strict=True)
    }


def measure_roofline(plan: Plan, **operands: Any) -> dict[str, float]:
    """What plot_roofline draws.

    returns  operations and bytes of the batch at least (`plan.cost`); seconds, the least of the measured times;
             bandwidth in bytes/s; peak_float32 and peak_float64 in operations/s; bound_seconds, below which the batch
             cannot be at that bandwidth and at the peak of the plan's type
    """
    if plan.device != "cpu":
        raise OperandError(f"plot_roofline: found a plan for {plan.device}, expected one for the processor")
    operands = operands or random_operands(plan)
    results = plan(**operands)
    # A number is no array that could be written to.
    arrays = results if isinstance(results, tuple) else (results,)
    out = arrays if all(isinstance(result, np.ndarray) for result in arrays) else None
    copies, products = Copies(), {dtype: Products(dtype) for dtype in ("float32", "float64")}
    times = taking_turns({"plan": lambda: plan(**operands, out=out), "copies": copies, **products}, seconds=0.5)
    best = {name: min(of_call) for name, of_call in times.items()}
    cost, bandwidth = plan.cost, copies.bytes / best["copies"]
    peaks = {dtype: product.operations / best[dtype] for dtype, product in products.items()}
    return {
        "operations": cost.operations,
        "bytes": cost.bytes,
        "seconds": best["plan"],
        "bandwidth": bandwidth,
        "peak_float32": peaks["float32"],
        "peak_float64": peaks["float64"],
        "bound_seconds": max(cost.bytes / bandwidth, cost.operations / peaks[plan.dtype]),
    }


def plot_roofline(plan: Plan, *, axes: Any = None, **operands: Any) -> Any:
    """The measured speed of a plan on this machine, beside what bandwidth and arithmetic allow.

    The bounds are measured too: copies by all processors, and NumPy's matrix product in both types. `robust` plans of
    float32 compute Gram matrices in float64. A batch that stays in the caches may be above the bandwidth's line.

    operands   as the plan is called with; none: random ones of the planned shapes
    axes       of matplotlib, to draw in; new ones if None
    returns    the axes
    Errors     OperandError: the plan is not for the processor; ImportError where matplotlib is not installed

        p = f.plan(X=np.empty((20_000, 64, 16)))
        p.plot_roofline()
    """
    axes = _axes(axes, "plot_roofline")
    m = measure_roofline(plan, **operands)
    intensity = m["operations"] / m["bytes"]
    reach = np.geomspace(min(intensity, 0.1) / 2, max(intensity, m["peak_float32"] / m["bandwidth"]) * 4, 100)
    for dtype, line in (("float32", "--"), ("float64", "-")):
        peak = m[f"peak_{dtype}"]
        axes.loglog(reach, np.minimum(reach * m["bandwidth"], peak) / 1e9, line, color="black",
                    label=f"{dtype}: {m['bandwidth'] / 1e9:.1f} GB/s, {peak / 1e9:.0f} Gop/s")
    axes.plot(intensity, m["operations"] / m["seconds"] / 1e9, "o", color="tab:red",
              label=f"{m['seconds'] * 1e3:.3g} ms measured, bound {m['bound_seconds'] * 1e3:.3g} ms")
    title = f"{plan._function.text}, {plan.cost.problems} problems, {plan.dtype}"
    axes.set(xlabel="operations per byte", ylabel="Gop/s", title=title)
    axes.legend(fontsize=8)
    return axes
