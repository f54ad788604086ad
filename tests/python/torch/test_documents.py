"""The examples of docs/python-torch.md and of the docstrings are run, and print what they say."""

import ast
import doctest
import importlib
import pathlib
import re

import pytest

torch = pytest.importorskip("torch", minversion="2.6")

import matgrad.torch  # noqa: E402

PAGE = pathlib.Path(__file__).parents[3] / "docs" / "python-torch.md"


@pytest.mark.parametrize("name", ["", "._calls", "._function", "._module", "._operator", "._rules", "._sharding"])
def test_docstrings(name):
    module = importlib.import_module("matgrad.torch" + name)
    globs = {"torch": torch, "mt": matgrad.torch}
    assert doctest.testmod(module, extraglobs=globs, optionflags=doctest.NORMALIZE_WHITESPACE).failed == 0


@pytest.mark.parametrize("name", matgrad.torch.__all__)
def test_every_public_name_has_an_example(name):
    thing = getattr(matgrad.torch, name)
    found = doctest.DocTestFinder(recurse=False).find(thing, name)
    assert any(test.examples for test in found)
    for attribute, member in vars(thing).items() if isinstance(thing, type) else ():
        assert attribute.startswith("_") or member.__doc__, f"{name}.{attribute} has no docstring"


def test_the_page():
    """Its blocks are one program; a comment behind an expression is its value, `# 1.5`."""
    torch.manual_seed(0)
    names = {}
    compared = 0
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    assert blocks
    for block in blocks:
        lines = block.splitlines()
        for node in ast.parse(block).body:
            comment = re.search(r"  # (.*)$", lines[node.end_lineno - 1])
            if isinstance(node, ast.Expr) and comment:
                value = eval(compile(ast.Expression(node.value), str(PAGE), "eval"), names)
                assert repr(value) == comment.group(1), lines[node.lineno - 1]
                compared += 1
            else:
                exec(compile(ast.Module([node], []), str(PAGE), "exec"), names)
    assert compared >= 8
