"""What conftest.py makes of pytest's exit status: a file without tests fails, one that is skipped says so."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

TESTS = pathlib.Path(__file__).parents[1]
PYTEST = "import pytest\n"
SKIPPED_FILE = PYTEST + "pytest.importorskip('no_such_framework')\ndef test_it(): pass\n"
SKIPPED_TEST = PYTEST + "@pytest.mark.skip(reason='no GPU')\ndef test_it(): pass\n"
FULL = PYTEST + "@pytest.mark.full\ndef test_it(): pass\n"


def status(folder, text, *options, file="test_it.py"):
    shutil.copy(TESTS / "conftest.py", folder)
    shutil.copy(TESTS.parents[1] / "pyproject.toml", folder.parent)
    (folder / file).write_text(text)
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", *options, folder / file]
    environment = {**os.environ, "MATGRAD_SKIPPED_STATUS": "77", "PYTHONDONTWRITEBYTECODE": "1"}
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    ran = subprocess.run(command, cwd=elsewhere, env=environment, capture_output=True, text=True, check=False)
    return ran.returncode, ran.stdout


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "tests"
    made.mkdir()
    return made


@pytest.mark.parametrize(("text", "options", "expected"), [
    ("", (), 5),
    (FULL, ("-m", "not full"), 0),
    (SKIPPED_FILE + "def test_fails(): assert False\n", (), 77),
    (SKIPPED_TEST, (), 77),
    (SKIPPED_TEST + "def test_fails(): assert False\n", (), 1),
    (SKIPPED_TEST + "def test_runs(): pass\n", (), 0),
])
def test_exit_status(folder, text, options, expected):
    found, printed = status(folder, text, *options)
    assert found == expected, printed


def test_a_folder_may_skip_its_tests(folder):
    """As tests/python/torch/conftest.py does it."""
    text = (TESTS / "torch/conftest.py").read_text()
    assert text.count('importorskip("torch", minversion="2.6")') == 1
    (folder / "torch").mkdir()
    (folder / "torch/conftest.py").write_text(text.replace('"torch", minversion="2.6"', '"no_such_framework"'))
    found, printed = status(folder, "import no_such_framework\n", file="torch/test_it.py")
    assert found == 77 and "no_such_framework" in printed, printed


def test_a_framework_that_is_missing_is_named(folder):
    assert "no_such_framework" in status(folder, SKIPPED_FILE)[1]


def test_a_folder_named_as_a_framework_is_not_taken_for_it(folder):
    """tests/python/torch is no PyTorch, and helpers beside conftest.py are found all the same."""
    (folder / "no_such_framework").mkdir()
    (folder / "helper.py").write_text("ANSWER = 42\n")
    text = "import helper\ndef test_it(): assert helper.ANSWER == 42\n"
    assert status(folder, text)[0] == 0
    assert status(folder, SKIPPED_FILE)[0] == 77
