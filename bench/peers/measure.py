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


def runs_for(seconds, once):
    """How many runs of `once` seconds take `seconds`."""
    return max(1, math.ceil(seconds / max(once, 1e-7)))


def enqueue_seconds(run, wait, least=5, most=100, seconds=0.01):
    """What the host takes until `run` returns, where it only enqueues: the median of a few runs, each
    made while the device has nothing to do."""
    samples = []
    end = time.perf_counter() + seconds
    while len(samples) < least or (len(samples) < most and time.perf_counter() < end):
        start = time.perf_counter()
        result = run()
        samples.append(time.perf_counter() - start)
        wait([result])
    return statistics.median(samples)


# The clock of a GPU that had nothing to do is low: it is kept busy for as long before it is measured.
WARM_UP_OF_A_GPU = 0.1


def measure(run, wait, seconds, once, shortest=1e-3, copies=1, warm_up=0.0):
    """Times `run`, which has run before and took about `once` seconds, for about `seconds`.

    `wait(results)` blocks until all are there. A sample is as many runs as take `shortest`
    seconds, so that neither the clock nor, on a GPU, the wait is what is measured. `copies` runs
    touch all memory once before anything counts, and at least `warm_up` seconds of runs go before.
    """
    if once > seconds:
        only = one_sample(run, wait)
        return Timing(only, only, only, 1, True)
    start = time.perf_counter()
    warm, at_once = 0, 1
    if warm_up > 0:
        at_once = min(1000, runs_for(shortest, once))
    while True:
        passed = time.perf_counter() - start
        if passed >= warm_up and (warm >= copies or passed >= seconds):
            break
        wait([run() for _ in range(at_once)])
        warm += at_once
    once = one_sample(run, wait)
    inner = runs_for(shortest, once)
    samples = []
    end = time.perf_counter() + seconds
    while len(samples) < 3 or (time.perf_counter() < end and len(samples) < 10000):
        samples.append(one_sample(run, wait, inner))
    low, high = quartiles(samples)
    return Timing(statistics.median(samples), low, high, len(samples), False)
