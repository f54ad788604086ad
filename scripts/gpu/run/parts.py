"""The parts of a run in their order: correctness first, then times, then what slows everything."""

from dataclasses import dataclass
from typing import Callable

import correctness
import machine
import python
import timings
import tools


@dataclass
class Entry:
    name: str
    limit: int  # seconds; more where parts before it have left some over
    function: Callable


PARTS = [
    Entry("machine", 25, machine.look),
    Entry("tests", 100, correctness.test_part),
    Entry("again", 30, correctness.again_part),
    Entry("probe", 40, timings.probe_part("probe", "facts")),
    Entry("times", 45, timings.times_part),
    Entry("bench", 55, timings.bench_part),
    Entry("cublas", 40, timings.cublas_part),
    Entry("torch", 40, timings.python_part("torch")),
    Entry("jax", 40, timings.python_part("jax")),
    Entry("python", 30, python.python_part),
    Entry("sweeps", 30, timings.probe_part("sweeps", "sweeps")),
    Entry("memcheck", 25, tools.memcheck_part),
    Entry("racecheck", 20, tools.racecheck_part),
    Entry("ncu", 15, tools.ncu_part),
]

TITLES = {
    "machine": "is there a GPU; where CUDA's libraries lie; what machine it is",
    "tests": "every test program, sharded over the cores",
    "again": "what failed once more by itself; then with launches waited for, and under memcheck",
    "probe": "gpu_probe: what the libraries' calls do",
    "times": "gpu_times: the four functions at three batches",
    "bench": "matgrad on the suite gpu",
    "cublas": "cuBLAS and cuSOLVER by hand on the same cases",
    "torch": "PyTorch on the same cases",
    "jax": "JAX on the same cases",
    "python": "the Python package on arrays of PyTorch, CuPy and JAX",
    "sweeps": "gpu_probe: what settles the thresholds",
    "memcheck": "cheap tests under memcheck",
    "racecheck": "tests of our own kernels under racecheck",
    "ncu": "a few of our kernels under the profiler",
}
