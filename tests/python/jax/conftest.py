"""Skips all of these tests, with the reason, where JAX or the custom calls are not there. They compute in double."""

import pathlib
import sys

import pytest

# A folder of this name is no JAX: the version tells.
jax = pytest.importorskip("jax", minversion="0.6")
sys.path.insert(0, str(pathlib.Path(__file__).parent))

from matgrad import _core  # noqa: E402

if not _core.xla_handlers():
    pytest.skip("matgrad was built without XLA's headers", allow_module_level=True)

jax.config.update("jax_enable_x64", True)
