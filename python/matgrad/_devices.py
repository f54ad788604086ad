"""The GPUs of this machine."""

from __future__ import annotations

import dataclasses

from matgrad import _core

__all__ = ["Device", "devices"]


@dataclasses.dataclass(frozen=True)
class Device:
    """One NVIDIA GPU."""

    index: int
    name: str
    major: int
    minor: int
    memory_bytes: int
    free_bytes: int


class Devices(list[Device]):
    """The GPUs; where there is none, `why_none` says why in one line."""

    why_none: str = ""


def devices() -> Devices:
    """The GPUs that can be used. Opens the module of the CUDA executors."""
    gpus, why_none = _core.devices()
    found = Devices(Device(*gpu) for gpu in gpus)
    found.why_none = why_none
    return found
