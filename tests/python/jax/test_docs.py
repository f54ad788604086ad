"""The examples of docs/python-jax.md and of the docstrings run, and print what they say."""

import ast
import doctest
import importlib
import pathlib
import re

import numpy as np
import pytest

import matgrad.jax
from jax_problems import single_precision

PAGE = pathlib.Path(__file__).parents[3] / "docs" / "python-jax.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)


def run(block, names):
    """Runs the statements; of expressions that a comment follows, what is printed and what the comment says."""
    lines = block.splitlines()
    for node in ast.parse(block).body:
        code = ast.Module([node], [])
        comment = re.search(r"  # (.*)$", lines[node.end_lineno - 1])
        if isinstance(node, ast.Expr) and comment:
            value = eval(compile(ast.Expression(node.value), PAGE.name, "eval"), names)
            yield str(value), comment.group(1)
        else:
            exec(compile(code, PAGE.name, "exec"), names)


def test_page():
    """The blocks are one program; the training loop in it reaches the least-squares solutions."""
    names = {}
    with single_precision():
        shown = [pair for block in BLOCKS for pair in run(block, names)]
    assert len(shown) > 8
    for printed, said in shown:
        assert printed == said
    solutions = [np.linalg.lstsq(names["A"], b, rcond=None)[0] for b in names["b"]]
    assert np.abs(names["x"] - np.stack(solutions)).max() < 1e-3


@pytest.mark.parametrize("name", ["_function", "_primitive"])
def test_docstrings(name):
    module = importlib.import_module(f"matgrad.jax.{name}")
    with single_precision():
        results = doctest.testmod(module)
    assert results.failed == 0


def test_every_public_name_has_a_docstring():
    for name in matgrad.jax.__all__:
        assert getattr(matgrad.jax, name).__doc__
    for name, member in vars(matgrad.jax.Function).items():
        assert name.startswith("_") or member.__doc__, name
