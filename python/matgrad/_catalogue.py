"""Functions that have a name: `@log_det_gram` stands for `logdet(X'*X)`."""

from __future__ import annotations

import dataclasses

from matgrad import _core

__all__ = ["CatalogueEntry", "catalogue"]


@dataclasses.dataclass(frozen=True)
class CatalogueEntry:
    """A named function: `matgrad.function("@" + name)`.

    >>> mg.catalogue()[0].wrt
    'X'
    """

    name: str
    text: str
    wrt: str
    declarations: str
    description: str
    source: str


def catalogue() -> list[CatalogueEntry]:
    """All of them.

    >>> next(entry.text for entry in mg.catalogue() if entry.name == "log_det_gram")
    "logdet(X'*X)"
    """
    return [CatalogueEntry(*entry) for entry in _core.catalogue()]
