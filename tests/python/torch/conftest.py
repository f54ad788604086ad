"""Skips all of these tests, with the reason, where PyTorch is not installed."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))


class NeedsTorch(pytest.Module):
    """A skip at the top of this file would end pytest; here it is one of the module's."""

    def collect(self):
        # A folder of this name is no PyTorch: the version tells.
        pytest.importorskip("torch", minversion="2.6")
        return super().collect()


def pytest_pycollect_makemodule(module_path, parent):
    return NeedsTorch.from_parent(parent, path=module_path)
