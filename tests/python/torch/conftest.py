"""Skips all of these tests, with the reason, where PyTorch is not installed."""

import pathlib
import sys

import pytest

# A folder of this name is no PyTorch: the version tells.
pytest.importorskip("torch", minversion="2.6")
sys.path.insert(0, str(pathlib.Path(__file__).parent))
