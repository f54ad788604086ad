"""Times of calls that take turns, so that whatever else the machine does meets all of them alike."""

from __future__ import annotations

import concurrent.futures
import os
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np


def processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def taking_turns(calls: Mapping[str, Callable[[], Any]], seconds: float = 1.0,
                 rounds: int = 3) -> dict[str, list[float]]:
    """The seconds of each call, in rounds in which each is called once, after one call that is not counted.

    seconds, rounds   it ends when so much time has passed and there were so many rounds
    """
    for call in calls.values():
        call()
    times: dict[str, list[float]] = {name: [] for name in calls}
    end = time.perf_counter() + seconds
    while len(next(iter(times.values()))) < rounds or time.perf_counter() < end:
        for name, call in calls.items():
            begin = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - begin)
    return times


class Copies:
    """Copies that all processors make at once, each of so many MB; `bytes` are read and written by one call."""

    def __init__(self, megabytes: int = 32):
        self._pairs = [(np.ones(megabytes * 125_000), np.empty(megabytes * 125_000)) for _ in range(processors())]
        self._pool = concurrent.futures.ThreadPoolExecutor(len(self._pairs))
        self.bytes = 2 * sum(source.nbytes for source, _ in self._pairs)

    def __call__(self) -> None:
        list(self._pool.map(lambda pair: np.copyto(pair[1], pair[0]), self._pairs))


class Products:
    """NumPy's product of two square matrices, which BLAS brings near the processor's peak; a multiplication and an
    addition are two of its `operations`."""

    def __init__(self, dtype: str, size: int = 768):
        self._a = np.random.default_rng(0).standard_normal((size, size)).astype(dtype)
        self._out = np.empty_like(self._a)
        self.operations = 2.0 * size**3

    def __call__(self) -> None:
        np.matmul(self._a, self._a, out=self._out)
