"""The GPUs of this machine."""

from __future__ import annotations

import dataclasses

from matgrad import _core

__all__ = ["Device", "devices"]


@dataclasses.dataclass(frozen=True)
class Device:
    """One NVIDIA GPU: its number, name, compute capability, memory in bytes.

    >>> [gpu for gpu in mg.devices() if gpu.memory_bytes == 0]
    []
    """

    index: int
    name: str
    major: int
    minor: int
    memory_bytes: int
    free_bytes: int


class _Devices(list[Device]):
    """The GPUs; where there is none, `why_none` says why in one line."""

    why_none: str = ""


def devices() -> _Devices:
    """The GPUs that can be used; `why_none` of the list says in one line why there is none.

    Opens the module of the CUDA executors, at the first call of a process.

    >>> found = mg.devices()
    >>> bool(found) or bool(found.why_none)
    True
    """
    gpus, why_none = _core.devices()
    found = _Devices(Device(*gpu) for gpu in gpus)
    found.why_none = why_none
    return found
