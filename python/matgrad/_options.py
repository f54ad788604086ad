"""Options that go for all calls of a function."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from matgrad import _calls, _core
from matgrad.errors import OperandError

_REDUCTIONS = ("none", "sum", "mean")


@dataclasses.dataclass(frozen=True)
class Options:
    """What goes for all calls of a function: keyword arguments of `matgrad.function` and of `Function.with_options`.

    reduce        None, "sum", "mean": F is the sum or mean of f over the batch. Its value is one number, gradients
                  by shared variables are summed; those by batched variables stay one for each problem
    accuracy      "robust", or "fast": everything in the type of the data
    convention    the gradient by a symmetric variable: "projected" (G + G')/2, or "free_entries" G + G' - diag(G)
    device        of arrays in host memory: "cpu", "auto", "cuda", "cuda:1", "cuda:all"
    executor      on a GPU: "auto", "fused", "library"
    threads       0: all processors
    jitter        a Cholesky factorization that fails is tried again with a growing diagonal
    on_failure    what is done where problems fail: "nan" (their results are NaN), or also "warn", "raise"
    check_finite  a result that is infinite or not a number is a failure too
    check_structure
                  operands in host memory are first held against their declarations, sym, spd, diag, lower, upper, orth
                  or pos; an OperandError names the first problem that breaks one
    expected_batch
                  how many problems plans are weighed for; None: as many as each call has. Calls with one expected
                  batch give a problem the same bits whatever batch it is in
    capturable    a CUDA graph may hold the calls
    in_axes       {"X": -1}: the axis of X that counts the problems, or None: all share it
    Errors        OperandError that names the option, what was found and what was expected

    >>> mg.function("dot(x, x)", reduce="sum").options.reduce
    'sum'
    """

    reduce: str | None = None
    accuracy: str = "robust"
    convention: str = "projected"
    device: str = "cpu"
    executor: str = "auto"
    threads: int = 0
    jitter: bool = False
    on_failure: str = "nan"
    check_finite: bool = False
    check_structure: bool = False
    expected_batch: int | None = None
    capturable: bool = False
    in_axes: Mapping[str, int | None] | None = None

    def __post_init__(self) -> None:
        if (self.reduce or "none") not in _REDUCTIONS:
            raise OperandError(f"reduce: found {self.reduce!r}, expected None, 'sum' or 'mean'")
        if self.on_failure not in _calls.ON_FAILURE:
            raise OperandError(f"on_failure: found {self.on_failure!r}, expected 'nan', 'warn' or 'raise'")
        for name, least in (("threads", 0), ("expected_batch", 1)):
            value = getattr(self, name)
            is_number = isinstance(value, int) and not isinstance(value, bool)
            if not (is_number and value >= least) and not (name == "expected_batch" and value is None):
                raise OperandError(f"{name}: found {value!r}, expected a number of at least {least}")
        _core.check_device(self.device)

    def key_fields(self) -> dict[str, Any]:
        """Those that a plan depends on."""
        fields = {
            "accuracy": self.accuracy,
            "convention": self.convention,
            "executor": self.executor,
            "threads": self.threads,
            "jitter": self.jitter,
            "expected_batch": self.expected_batch,
            "capturable": self.capturable,
        }
        return {name: value for name, value in fields.items() if value != getattr(_DEFAULTS, name)}


_DEFAULTS = Options()
