"""Closed-form gradients of matrix functions, in large batches.

    import matgrad as mg

    f = mg.function("logdet(X'*X)", wrt="X")
    f.gradient                          # 2*X*inv(X'*X)
    value, gradient = f.value_and_grad(X=X)   # X of shape (..., m, n): NumPy, PyTorch, JAX, CuPy, DLPack

`matgrad.torch` and `matgrad.jax` have functions that these frameworks differentiate, compile and map themselves.
"""

from matgrad import _language, errors
from matgrad._catalogue import CatalogueEntry, catalogue
from matgrad._derivation import Derivation, Line
from matgrad._devices import Device, devices
from matgrad._function import Function
from matgrad._language import *  # noqa: F403
from matgrad._making import function
from matgrad._options import Options
from matgrad._plan import CheckReport, Cost, Linearization, Plan, Results
from matgrad._status import status_text, succeeded
from matgrad._version import __version__
from matgrad.errors import *  # noqa: F403

__all__ = [
    "CatalogueEntry",
    "CheckReport",
    "Cost",
    "Derivation",
    "Device",
    "Function",
    "Line",
    "Linearization",
    "Options",
    "Plan",
    "Results",
    "__version__",
    "catalogue",
    "devices",
    "function",
    "status_text",
    "succeeded",
    *errors.__all__,
    *_language.__all__,
]
