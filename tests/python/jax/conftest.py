"""Skips all of these tests, with the reason, where JAX or the custom calls are not there. They compute in double."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))


class NeedsJax(pytest.Module):
    """A skip at the top of this file would end pytest; here it is one of the module's."""

    def collect(self):
        # A folder of this name is no JAX: the version tells.
        jax = pytest.importorskip("jax", minversion="0.6")
        from matgrad import _core

        if not _core.xla_handlers():
            pytest.skip("matgrad was built without XLA's headers", allow_module_level=True)
        jax.config.update("jax_enable_x64", True)
        return super().collect()


def pytest_pycollect_makemodule(module_path, parent):
    return NeedsJax.from_parent(parent, path=module_path)
