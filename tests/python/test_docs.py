"""Examples that documents and docstrings show: what they print is what they say."""

import ast
import doctest
import importlib
import os
import pathlib
import pkgutil
import re
import subprocess
import sys

import numpy as np
import pytest

import matgrad as mg

ROOT = pathlib.Path(__file__).parents[2]
NAMES = ["matgrad", "matgrad.errors"] + [
    f"matgrad.{module.name}"
    for module in pkgutil.iter_modules(mg.__path__)
    if module.name.startswith("_") and module.name != "_core"
]


@pytest.mark.parametrize("name", NAMES)
def test_docstrings(name):
    module = importlib.import_module(name)
    results = doctest.testmod(module, extraglobs={"mg": mg, "np": np}, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert results.failed == 0


@pytest.mark.skipif(np.lib.NumpyVersion(np.__version__) < "2.0.0", reason="numbers print otherwise before NumPy 2")
@pytest.mark.parametrize("name", mg.__all__)
def test_every_public_name_has_an_example(name):
    thing = getattr(mg, name)
    if isinstance(thing, str) or (isinstance(thing, type) and issubclass(thing, (Exception, Warning))):
        return
    examples = doctest.DocTestFinder(recurse=False).find(thing, name, globs={"mg": mg, "np": np})
    assert any(test.examples for test in examples), f"{name} has no example"
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    for test in examples:
        assert runner.run(test).failed == 0
    if isinstance(thing, type) and thing.__module__.startswith("matgrad") and name in ("Function", "Plan"):
        for attribute, member in vars(thing).items():
            assert attribute.startswith("_") or member.__doc__, f"{name}.{attribute} has no docstring"


def code_blocks(path):
    return re.findall(r"^```python\n(.*?)^```", path.read_text(encoding="utf-8"), re.M | re.S)


@pytest.mark.parametrize("document", ["README.md", "docs/python.md"])
def test_documents(document, tmp_path, monkeypatch):
    """The blocks of a document are one program; a comment behind a line is what it prints, `# 1.5`."""
    monkeypatch.chdir(tmp_path)
    blocks = code_blocks(ROOT / document)
    assert blocks
    names = {}
    for block in blocks:
        run_block(block, names, document)


def run_block(block, names, document):
    """Runs the statements, and compares each expression that a comment follows with the comment."""
    lines = block.splitlines()
    for node in ast.parse(block).body:
        code = ast.Module([node], [])
        comment = re.search(r"  # (.*)$", lines[node.end_lineno - 1])
        if isinstance(node, ast.Expr) and comment:
            value = eval(compile(ast.Expression(node.value), document, "eval"), names)
            shown = value if isinstance(value, str) else repr(value)
            assert shown == comment.group(1), f"{document}: {lines[node.lineno - 1]}: it is {shown}"
        else:
            exec(compile(code, document, "exec"), names)


@pytest.mark.full
def test_api_pages_have_every_public_name(tmp_path):
    pytest.importorskip("pdoc")
    template = ROOT / "python" / "api-template"
    command = [sys.executable, "-m", "pdoc", "--template-directory", str(template), "-o", str(tmp_path), "matgrad"]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": str(pathlib.Path(mg.__file__).parents[1])})
    page = (tmp_path / "matgrad.html").read_text(encoding="utf-8")
    for name in mg.__all__:
        assert name.startswith("__") or f'id="{name}"' in page, name
    assert "cross terms included." in page
