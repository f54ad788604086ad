"""NVIDIA's libraries out of Python packages (`matgrad[cuda13]`), for the module of the CUDA executors.

That module names its libraries without saying where they are. What is loaded before it is opened is what it gets, so
the one copy of a process serves matgrad, PyTorch and JAX. Without `cuda.pathfinder`, or where a library is in no
package, the system's libraries are looked for, and the module says what it misses.
"""

from __future__ import annotations

import functools

__all__ = ["LIBRARIES", "load"]

LIBRARIES = ("cudart", "cublas", "cusolver", "nvrtc")


@functools.cache
def load() -> tuple[str, ...]:
    """Loads what can be found, once, and returns the names. To be called before a GPU is first asked for."""
    try:
        from cuda.pathfinder import load_nvidia_dynamic_lib
    except ImportError:
        return ()
    loaded = []
    for name in LIBRARIES:
        try:
            load_nvidia_dynamic_lib(name)
        except (RuntimeError, OSError):  # not found, or one that it needs is not
            continue
        loaded.append(name)
    return tuple(loaded)
