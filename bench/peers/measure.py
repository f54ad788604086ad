"""Timing: median and quartiles of repeats, on a steady clock, after warm-up."""

import itertools
import math
import statistics
import time
from dataclasses import dataclass


@dataclass
class Timing:
    seconds: float
    low: float
    high: float
    repeats: int
    once: bool  # too slow for repeats: one run after the warm-up


def rotated(runs):
    """One function that calls each of `runs` in turn, one per call."""
    if len(runs) == 1:
        return runs[0]
    turn = itertools.cycle(runs)
    return lambda: next(turn)()


def quartiles(samples):
    if len(samples) == 1:
        return samples[0], samples[0]
    low, _, high = statistics.quantiles(samples, n=4, method="inclusive")
    return low, high


def one_sample(run, wait, inner=1):
    """Seconds per run of `inner` runs, all of them waited for."""
    start = time.perf_counter()
    wait([run() for _ in range(inner)])
    return (time.perf_counter() - start) / inner


def measure(run, wait, seconds, once, shortest=1e-3, copies=1):
    """Times `run`, which has run before and took about `once` seconds, for about `seconds`.

    `wait(results)` blocks until all are there. A sample is as many runs as take `shortest`
    seconds, so that neither the clock nor, on a GPU, the wait is what is measured. `copies` runs
    touch all memory once before anything counts.
    """
    if once > seconds:
        only = one_sample(run, wait)
        return Timing(only, only, only, 1, True)
    end = time.perf_counter() + seconds
    warm = 0
    while warm < copies and time.perf_counter() < end:
        wait([run()])
        warm += 1
    once = one_sample(run, wait)
    inner = max(1, math.ceil(shortest / max(once, 1e-7)))
    samples = []
    end = time.perf_counter() + seconds
    while len(samples) < 3 or (time.perf_counter() < end and len(samples) < 10000):
        samples.append(one_sample(run, wait, inner))
    low, high = quartiles(samples)
    return Timing(statistics.median(samples), low, high, len(samples), False)
