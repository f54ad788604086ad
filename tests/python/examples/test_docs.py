"""The code of docs/distributed.md, of the notebook and of the examples' docstrings runs and says the truth."""

import ast
import doctest
import json
import os
import pathlib
import pickle
import re
import socket
import subprocess
import sys

import numpy as np
import pytest

import matgrad as mg
from matgrad import distributed

DOCS = pathlib.Path(__file__).parents[3] / "docs"


def block(name):
    """The one that begins with the comment `# name`."""
    text = (DOCS / "distributed.md").read_text(encoding="utf-8")
    (found,) = re.findall(rf"^```python\n# {name}\n(.*?)^```", text, re.M | re.S)
    return found


def run(code):
    names = {"__name__": "block"}
    exec(compile(code, "docs/distributed.md", "exec"), names)
    return names


def test_every_block_of_python_has_a_test_here():
    text = (DOCS / "distributed.md").read_text(encoding="utf-8")
    first_lines = re.findall(r"^```python\n(.*)\n", text, re.M)
    assert first_lines == ["# mpi4py", "# torch", "# jax", "# dask", "# ray"]
    for name in ("mpi4py", "torch", "jax", "dask", "ray"):
        ast.parse(block(name))


def test_mpi4py():
    """In a process of its own: what MPI does to a process it does for good."""
    code = block("mpi4py") + "assert np.allclose(x, np.linalg.lstsq(A, b, rcond=None)[0], atol=1e-9), x\n"
    package = str(pathlib.Path(mg.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([package, os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120)
    if "No module named 'mpi4py'" in done.stderr or "cannot load MPI library" in done.stderr:
        pytest.skip("mpi4py or its MPI is not installed")
    assert done.returncode == 0, done.stderr


@pytest.mark.full
def test_torch(monkeypatch):
    torch = pytest.importorskip("torch")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {"RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    try:
        names = run(block("torch"))
    finally:
        torch.distributed.destroy_process_group()
    assert float(names["value"]) == pytest.approx(100 * np.log(2), rel=1e-5)
    torch.testing.assert_close(names["gradient"], -0.5 * names["X"].sum(dim=0))


@pytest.mark.full
def test_jax():
    pytest.importorskip("jax")
    pytest.importorskip("matgrad.jax")
    names = run(block("jax"))
    assert float(names["value"]) == pytest.approx(12.0)
    np.testing.assert_allclose(names["gradient"], [-8.0, -8.0, -8.0])


def test_dask():
    pytest.importorskip("dask.array")
    names = run(block("dask"))
    X = names["data"]
    np.testing.assert_allclose(names["least"], np.linalg.slogdet(X.transpose(0, 2, 1) @ X)[1].min(), rtol=1e-12)
    gradients = names["gradients"].compute()
    np.testing.assert_array_equal(gradients, names["f"].grad(X=X))
    assert names["gradients"].chunks[0] == (300, 300, 300, 100)


def test_what_ray_is_given_can_be_pickled_and_takes_any_number_of_problems():
    code = block("ray").split("rows = ray")[0].replace("import ray\n", "")
    names = run(code)
    plan = pickle.loads(pickle.dumps(names["plan"]))
    X = names["data"][:256]
    value, gradient = plan(X)
    np.testing.assert_allclose(value, np.linalg.slogdet(X.transpose(0, 2, 1) @ X)[1], rtol=1e-12)
    assert set(names["gradients"]({"data": X})) == {"value", "gradient"} and gradient.shape == X.shape


@pytest.mark.full
def test_ray():
    pytest.importorskip("ray.data")
    names = run(block("ray"))
    X = names["data"]
    assert sorted(names["values"]) == pytest.approx(sorted(np.linalg.slogdet(X.transpose(0, 2, 1) @ X)[1]))


def test_docstrings_of_distributed():
    assert doctest.testmod(distributed).failed == 0
    for name in distributed.__all__:
        assert getattr(distributed, name).__doc__


def cells(kind):
    notebook = json.loads((DOCS / "tutorial.ipynb").read_text(encoding="utf-8"))
    assert notebook["nbformat"] == 4
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == kind]


def test_the_notebook_runs_without_jupyter(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    names = {"__name__": "notebook", "display": lambda *things: None}
    for cell in cells("code"):
        exec(compile(cell, "docs/tutorial.ipynb", "exec"), names)
    assert names["reached"] and isinstance(names["f"], mg.Function)
    np.testing.assert_allclose(names["P"], np.linalg.inv(names["S"]), atol=1e-6 * np.abs(names["P"]).max())


@pytest.mark.full
def test_the_notebook_runs_in_jupyter():
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    notebook = nbformat.read(DOCS / "tutorial.ipynb", as_version=4)
    nbformat.validate(notebook)
    package = str(pathlib.Path(mg.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([package, os.environ.get("PYTHONPATH", "")])}
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3").execute(env=environment)
    shown = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert any("text/latex" in output.get("data", {}) for output in shown), "a function shows itself as a formula"


def test_the_notebook_is_committed_without_outputs():
    notebook = json.loads((DOCS / "tutorial.ipynb").read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == [] and cell["execution_count"] is None
    assert len(cells("markdown")) >= 5
