"""The status of a problem of a batch: an int32, 0 where it succeeded, else what failed and at which pivot."""

from __future__ import annotations

from typing import Any

import numpy as np

from matgrad import _core

__all__ = ["status_text", "succeeded"]


def status_text(status: int) -> str:
    """What a status says.

    >>> mg.status_text(0), mg.status_text((1 << 24) + 3)
    ('success', 'not positive at pivot 3')
    """
    return _core.status_text(int(status))


def succeeded(status: Any) -> Any:
    """Which problems have results: those of status 0, and those whose matrix was jittered as asked.

    status    an array of int32, of any shape
    returns   an array of bool, of its shape

    >>> mg.succeeded([0, (1 << 24) + 3])
    array([ True, False])
    """
    kinds = np.asarray(status) >> 24
    return (kinds == 0) | (kinds == _core.JITTERED)
