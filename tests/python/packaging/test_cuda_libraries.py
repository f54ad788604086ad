"""CUDA's libraries out of Python packages are loaded before the CUDA module is opened."""

import pathlib
import subprocess
import sys
import types

import pytest

import matgrad
from matgrad import _cuda_libraries


@pytest.fixture
def pathfinder(monkeypatch):
    """A `cuda.pathfinder` that notes what it is asked for and has no cuSOLVER."""
    asked = []

    def load_nvidia_dynamic_lib(name):
        asked.append(name)
        if name == "cusolver":
            raise RuntimeError("no such library")

    package, module = types.ModuleType("cuda"), types.ModuleType("cuda.pathfinder")
    module.load_nvidia_dynamic_lib = load_nvidia_dynamic_lib
    monkeypatch.setitem(sys.modules, "cuda", package)
    monkeypatch.setitem(sys.modules, "cuda.pathfinder", module)
    _cuda_libraries.load.cache_clear()
    yield asked
    _cuda_libraries.load.cache_clear()


def test_what_is_found_is_loaded_once(pathfinder):
    assert _cuda_libraries.load() == ("cudart", "cublas", "nvrtc")
    assert _cuda_libraries.load() == ("cudart", "cublas", "nvrtc")
    assert pathfinder == list(_cuda_libraries.LIBRARIES)


def test_without_pathfinder_nothing_is_loaded(monkeypatch):
    monkeypatch.setitem(sys.modules, "cuda.pathfinder", None)
    _cuda_libraries.load.cache_clear()
    assert _cuda_libraries.load() == ()
    _cuda_libraries.load.cache_clear()


ASKED = """
import sys, numpy as np, matgrad
from matgrad import _cuda_libraries
asked = []
_cuda_libraries.load = lambda: asked.append(1)
X = np.eye(3)
matgrad.function("tr(X*X)", wrt="X").grad(X=X)
assert not asked, "work on the processor asks for no GPU"
{call}
assert asked == [1], asked
"""


@pytest.mark.parametrize("call", [
    "matgrad.devices()",
    "matgrad.function('tr(X*X)', wrt='X', device='auto').grad(X=X)",
    "matgrad.function('tr(X*X)', wrt='X', device='auto').plan(X=X)",
])
def test_they_are_loaded_when_a_gpu_is_first_asked_for(call):
    subprocess.run([sys.executable, "-c", ASKED.format(call=call + "; " + call)], check=True)


def test_that_there_is_no_gpu_is_said_in_one_line():
    found = matgrad.devices()
    if found:
        pytest.skip("this machine has a GPU")
    assert found.why_none and "\n" not in found.why_none


def test_cuda_module_is_found_beside_the_extension(monkeypatch):
    """Where there is no GPU, it is the module itself that says what is missing: a driver."""
    monkeypatch.delenv("MATGRAD_CUDA_MODULE", raising=False)
    if not (pathlib.Path(matgrad.__file__).parent / "libmatgrad_cuda.so").exists():
        pytest.skip("built without CUDA")
    code = "import matgrad; found = matgrad.devices(); print(found.why_none or 'GPU')"
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "driver" in ran.stdout or "GPU" in ran.stdout, ran.stdout
