"""Times on this machine: matgrad beside NumPy, and JAX and PyTorch where they are installed. `python -m matgrad.bench`

Each row is a batch of value and gradient. Contenders take turns, call by call, so that whatever else the machine does
meets all of them alike; a row has the median of each, and how many times that of matgrad the others take. All compute
the same from the same arrays, and a row whose gradients differ from matgrad's by more than rounding explains is said to
be wrong. NumPy has the closed forms that a careful user writes by hand, over the whole batch at once; JAX and PyTorch
have their own gradients, jax.jit(jax.vmap(jax.value_and_grad(f))) and torch.func.vmap(torch.func.grad_and_value(f)).
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.util
import json
import os
import platform
import statistics
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import matgrad
from matgrad import _random_operands
from matgrad._timing import processors, taking_turns


@dataclasses.dataclass(frozen=True)
class Case:
    """A function of the catalogue, one batch of it, and the same written in NumPy and for JAX and PyTorch.

    shared    operands that all problems share
    by_hand   of the operands: (value, gradient) of the whole batch
    formula   of a namespace like numpy (jax.numpy, torch) and the operands of one problem: the value
    """

    name: str
    sizes: dict[str, int]
    problems: int
    shared: tuple[str, ...]
    by_hand: Callable[..., tuple[Any, Any]] | None
    formula: Callable[..., Any]
    is_for_torch: bool = True


def _t(a: np.ndarray) -> np.ndarray:
    return np.swapaxes(a, -1, -2)


def _least_squares(A, x, b):
    r = x @ A.T - b
    return (r * r).sum(-1), 2 * r @ A


def _log_det_gram(X):
    gram = _t(X) @ X
    return np.linalg.slogdet(gram)[1], 2 * _t(np.linalg.solve(gram, _t(X)))


def _frobenius(X, A):
    product = X @ A.T
    return 0.5 * (product * product).sum((-1, -2)), product @ A


def _gaussian_nll(P, S):
    gradient = S - np.linalg.inv(P)
    return -np.linalg.slogdet(P)[1] + (S * P).sum((-1, -2)), gradient


def _logistic(y, A, x):
    z = -y * (x @ A.T)
    return np.logaddexp(0, z).sum(-1), -(y / (1 + np.exp(-z))) @ A


def _softmax_cross_entropy(W, x, y):
    z = (W @ x[..., None])[..., 0]
    shift = z.max(-1, keepdims=True)
    e = np.exp(z - shift)
    total = e.sum(-1, keepdims=True)
    return (np.log(total) + shift)[..., 0] - (y * z).sum(-1), (e / total - y)[..., :, None] * x[..., None, :]


CASES = [
    Case("frobenius", {"m": 16, "n": 16, "p": 16}, 10_000, ("A",), _frobenius,
         lambda np, X, A: 0.5 * ((X @ A.T) ** 2).sum()),
    Case("least_squares", {"m": 64, "n": 16}, 10_000, ("A",), _least_squares,
         lambda np, A, x, b: ((A @ x - b) ** 2).sum()),
    Case("log_det_gram", {"m": 64, "n": 16}, 20_000, (), _log_det_gram,
         lambda np, X: np.linalg.slogdet(X.T @ X)[1]),
    Case("gaussian_nll", {"n": 8}, 10_000, (), _gaussian_nll,
         lambda np, P, S: -np.linalg.slogdet(P)[1] + (S * P).sum()),
    Case("logistic", {"m": 64, "n": 16}, 10_000, ("A",), _logistic,
         lambda np, y, A, x: np.logaddexp(-y * (A @ x), np.zeros_like(y)).sum()),
    Case("softmax_cross_entropy", {"k": 10, "n": 32}, 10_000, (), _softmax_cross_entropy,
         lambda np, W, x, y: _logsumexp(np, W @ x) - (y * (W @ x)).sum()),
]


def _logsumexp(np: Any, z: Any) -> Any:
    shift = z.max()
    return np.log(np.exp(z - shift).sum()) + shift


def catalogue_cases() -> list[Case]:
    """Every function of the catalogue, 10,000 problems, no operand shared; JAX has the value as `Function.numpy`
    writes it."""
    sizes = {"m": 16, "n": 8, "p": 8, "k": 10}
    return [Case(entry.name, sizes, 10_000, (), None, _printed(entry.name), False) for entry in matgrad.catalogue()]


def _printed(name: str) -> Callable[..., Any]:
    source = matgrad.function(f"@{name}").numpy()

    def value(np: Any, **given: Any) -> Any:
        names: dict[str, Any] = {"np": np}
        exec(source, names)  # the text is ours
        return names["value"](**given).sum()

    return value


def operands(case: Case, function: matgrad.Function, problems: int, dtype: str) -> dict[str, Any]:
    """Random operands of the case."""
    random = np.random.default_rng(0)
    made = {}
    for declaration in function.declarations:
        name, _, rest = declaration.partition("=")
        sizes = rest.partition(":")[0].split(",")
        shape = () if sizes == ["1"] else tuple(case.sizes[size] for size in sizes)
        batch = () if name in case.shared else (problems,)
        made[name] = _random_operands.draw(random, declaration, batch + shape, dtype)
    return made


def contenders(case: Case, given: dict[str, Any], dtype: str) -> dict[str, Callable[[], tuple[Any, Any]]]:
    """Calls that return the values and gradients of the batch, by name; of matgrad first."""
    function = matgrad.function(f"@{case.name}")
    variable = function.wrt[0]
    plan = function.plan(**given)
    results = plan(**given)
    names = tuple(given)
    made: dict[str, Callable[[], tuple[Any, Any]]] = {
        "matgrad": lambda: plan(**given, out=results),
    }
    if case.by_hand is not None:
        by_hand = case.by_hand
        made["numpy"] = lambda: by_hand(**given)
    axes = tuple(None if name in case.shared else 0 for name in names)
    if importlib.util.find_spec("jax"):
        import jax
        import jax.experimental

        home = jax if hasattr(jax, "enable_x64") else jax.experimental  # where older versions have it
        enable_x64 = home.enable_x64

        def value(*arrays: Any) -> Any:
            return case.formula(jax.numpy, **dict(zip(names, arrays, strict=True)))

        with enable_x64(dtype == "float64"):
            arrays = [jax.numpy.asarray(given[name]) for name in names]
            mapped = jax.jit(jax.vmap(jax.value_and_grad(value, names.index(variable)), axes))

            def call(mapped: Any = mapped, arrays: Any = tuple(arrays)) -> Any:
                with enable_x64(dtype == "float64"):
                    return jax.block_until_ready(mapped(*arrays))

        made["jax"] = call
    if case.is_for_torch and importlib.util.find_spec("torch"):
        import torch

        def torch_value(*arrays: Any) -> Any:
            return case.formula(torch, **dict(zip(names, arrays, strict=True)))

        tensors = [torch.from_numpy(given[name]) for name in names]
        both = torch.func.vmap(torch.func.grad_and_value(torch_value, names.index(variable)), axes)
        made["torch"] = lambda: tuple(reversed(both(*tensors)))
    return made


def measure(case: Case, problems: int, dtype: str, seconds: float) -> dict[str, Any]:
    """One row: median seconds of each contender, and the distance of its gradients from matgrad's, relative to their
    size, no unit."""
    given = operands(case, matgrad.function(f"@{case.name}"), problems, dtype)
    calls = contenders(case, given, dtype)
    gradients = {name: np.asarray(call()[1]).astype(np.float64) for name, call in calls.items()}
    size = np.linalg.norm(gradients["matgrad"])
    times = taking_turns(calls, seconds)
    return {
        "case": case.name, "text": matgrad.function(f"@{case.name}").text, "sizes": case.sizes, "problems": problems,
        "dtype": dtype,
        "seconds": {name: statistics.median(of_call) for name, of_call in times.items()},
        "calls": len(times["matgrad"]),
        "distance": {name: float(np.linalg.norm(g - gradients["matgrad"]) / size) for name, g in gradients.items()},
    }


def line(row: dict[str, Any]) -> str:
    """The row as text."""
    ours = row["seconds"]["matgrad"]
    bound = 1e-4 if row["dtype"] == "float32" else 1e-9
    cells = [f"{ours * 1e3:12.3f}"]
    for name in ("numpy", "jax", "torch"):
        if name in row["seconds"]:
            is_wrong = not row["distance"][name] <= bound
            cells.append("       wrong" if is_wrong else f"{row['seconds'][name] / ours:11.2f}x")
        else:
            cells.append(f"{'-':>12}")
    sizes = " ".join(f"{name}={size}" for name, size in row["sizes"].items())
    return f"{row['case']:<22} {sizes:<16} {row['problems']:>8} {row['dtype']:<8}{''.join(cells)}"


def small_calls() -> dict[str, float]:
    """Seconds of one call for one 4x4 problem in float32, `logdet(X'*X)`: what Python adds to the same run in C++.
    The best of several rounds, in turns."""
    function = matgrad.function("logdet(X'*X)")
    x = np.random.default_rng(0).standard_normal((4, 4)).astype(np.float32)
    value, gradient, status = np.empty((), np.float32), np.empty_like(x), np.empty((), np.int32)
    plan = function.plan(X=x)
    out = (value, gradient)
    calls: dict[str, Callable[[], Any]] = {
        "plan(X, out=..., status=...)": lambda: plan(X=x, out=out, status=status),
        "f.grad(X)": lambda: function.grad(x),
        "f.value_and_grad(X=X)": lambda: function.value_and_grad(X=x),
    }
    if importlib.util.find_spec("torch"):
        import torch

        from matgrad.torch import function as torch_function

        f = torch_function("logdet(X'*X)")
        tensor = torch.from_numpy(x).requires_grad_()
        calls["torch: f(X)"] = lambda: f(tensor)
        made = f(tensor)
        calls["torch: backward of f(X)"] = lambda: torch.autograd.grad(made, tensor, retain_graph=True)
    count = 2000
    best = {"C++: Plan::run": min(plan._core.seconds_of_a_run((x,), out, status, count) for _ in range(7))}
    for name, times in taking_turns({n: _repeated(c, count) for n, c in calls.items()}, 1.0, 7).items():
        best[name] = min(times) / count
    return best


def _repeated(call: Callable[[], Any], count: int) -> Callable[[], None]:
    def repeat() -> None:
        for _ in range(count):
            call()

    return repeat


def machine() -> dict[str, Any]:
    """What the times depend on."""
    versions = {"matgrad": matgrad.__version__, "numpy": np.__version__, "python": platform.python_version()}
    for name in ("jax", "torch"):
        if importlib.util.find_spec(name):
            versions[name] = importlib.import_module(name).__version__
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {"machine": platform.machine(), "system": platform.system(), "processors": processors(), "load": load,
            "versions": versions}


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; its exit status: 0, or 1 if somebody's gradients are wrong."""
    parser = argparse.ArgumentParser(prog="python -m matgrad.bench", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there too")
    parser.add_argument("--dtype", choices=["float32", "float64"], help="both, unless one is named")
    names = [entry.name for entry in matgrad.catalogue()]
    parser.add_argument("--case", action="append", choices=names, help="all, unless named")
    parser.add_argument("--catalogue", action="store_true", help="every function of the catalogue instead, beside JAX")
    parser.add_argument("--problems", type=int, help="of every case, instead of its own number")
    parser.add_argument("--seconds", type=float, default=1.0, help="for each row at least (1)")
    options = parser.parse_args(arguments)
    about = machine()
    print(", ".join(f"{name} {version}" for name, version in about["versions"].items()))
    print(f"{about['processors']} processors ({about['machine']}), load {about['load']}; medians of interleaved calls")
    print(f"{'value and gradient of':<22} {'':<16} {'problems':>8} {'type':<8}"
          f"{'matgrad, ms':>12}{'numpy':>12}{'jax':>12}{'torch':>12}")
    rows = []
    for case in catalogue_cases() if options.catalogue else CASES:
        if options.case and case.name not in options.case:
            continue
        for dtype in [options.dtype] if options.dtype else ["float32", "float64"]:
            rows.append(measure(case, options.problems or case.problems, dtype, options.seconds))
            print(line(rows[-1]), flush=True)
    print("numpy, jax, torch: how many times as long as matgrad they take")
    small = {} if options.case or options.catalogue else small_calls()
    if small:
        print("one 4x4 problem, float32, value and gradient: us a call")
    for name, seconds in small.items():
        print(f"{name:<40} {seconds * 1e6:8.2f}")
    if options.json:
        contents = {"machine": about, "rows": rows, "small_calls_seconds": small}
        options.json.write_text(json.dumps(contents, indent=1) + "\n")
    return 1 if any("wrong" in line(row) for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
