"""`python -m matgrad.examples.NAME --small`: what each prints, writes and returns."""

import importlib
import pathlib
import subprocess
import sys

import numpy as np
import pytest

import matgrad.examples
from matgrad.examples import _data, _report

EXAMPLES = pathlib.Path(matgrad.examples.__file__).parent

NAMES = [
    "bootstrap_regression",
    "d_optimal_design",
    "factor_models",
    "gaussian_likelihood",
    "gp_hyperparameters",
    "logistic_regression",
    "weight_quantisation",
]


@pytest.mark.parametrize("name", NAMES)
def test_the_known_answer_is_reached(name, tmp_path, capsys):
    module = importlib.import_module(f"matgrad.examples.{name}")
    assert _report.main(name, module.run, module.__doc__, ["--small", "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    summary = (tmp_path / f"{name}.txt").read_text().splitlines()
    assert summary[-1].startswith("reached: ") and summary[-1] in printed
    assert " s  " in printed.splitlines()[0], "progress while it runs"
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        assert "no plot: matplotlib is not installed" in summary
    else:
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.full
def test_the_layer_of_a_pytorch_model_reaches_the_known_answer(tmp_path):
    pytest.importorskip("torch")
    from matgrad.examples import torch_layer

    assert _report.main("torch_layer", torch_layer.run, torch_layer.__doc__, ["--small", "--out", str(tmp_path)]) == 0


def test_the_known_answer_of_the_layer_is_that_of_the_eigenvalues():
    from matgrad.examples import _data

    images, _ = _data.digits()
    eigenvalues = np.linalg.eigvalsh(np.cov(images, rowvar=False, bias=True) * len(images))
    singular_values = np.loadtxt(_data.folder() / "digits" / "singular_values.txt")
    np.testing.assert_allclose(np.sort(eigenvalues)[-10:], np.sort(singular_values**2)[-10:], rtol=1e-10)


@pytest.mark.parametrize("module", sorted(p.stem for p in EXAMPLES.glob("[a-z]*.py")))
def test_every_example_is_listed(module):
    assert f"\n{module} " in matgrad.examples.__doc__


def test_one_runs_as_a_module(tmp_path):
    command = [sys.executable, "-m", "matgrad.examples.gaussian_likelihood", "--small", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("reached: ")


def test_an_answer_that_is_missed_is_status_1(tmp_path, capsys):
    def run(report):
        report.progress("step 1")
        return report.finish(False, "the answer")

    assert _report.main("example", run, "An example.", ["--out", str(tmp_path)]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "NOT REACHED: the answer"
    assert (tmp_path / "example.txt").read_text().endswith("NOT REACHED: the answer\n")


def test_missing_data_are_one_line_and_status_2(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(_data, "__file__", str(tmp_path / "package" / "_data.py"))
    assert _report.main("example", lambda report: _data.diabetes(), "An example.", ["--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("example: the data are missing: ")


def test_no_matplotlib_is_said_out_loud(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    _report.Report("example", tmp_path).plot(lambda axes: axes.plot([1]))
    assert capsys.readouterr().out == "no plot: matplotlib is not installed\n"
