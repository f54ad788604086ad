"""What all Python tests have in common: helpers, and an exit status that tells skipped from not collected.

Exit status of pytest: 0 also if tests were collected and the marker `full` deselected all of them; that of the
environment's MATGRAD_SKIPPED_STATUS if all were skipped; 5, a failure, if there was nothing to collect.
"""

import importlib.machinery
import importlib.util
import os
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).parent
# One thread for XLA's own products: on a busy machine of two processors a computation of JAX alone was once seen to
# wait for itself for ever. The custom calls of matgrad have their own threads.
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")


class Helpers:
    """Makes the files beside this one importable by their names.

    This folder is not put on sys.path: its folders `torch` and `jax` would be taken for the frameworks where these
    are missing.
    """

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> importlib.machinery.ModuleSpec | None:
        file = HERE / f"{name}.py"
        return importlib.util.spec_from_file_location(name, file) if path is None and file.exists() else None


sys.meta_path.append(Helpers)


class Counts:
    """How many tests ran, and how many were skipped or deselected."""

    def __init__(self) -> None:
        self.ran = self.skipped = self.deselected = 0

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        self.deselected += len(items)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self.skipped += report.skipped

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.skipped += report.skipped
        self.ran += report.when == "call" and not report.skipped

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if session.exitstatus not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            return
        if self.skipped and not self.ran:
            session.exitstatus = int(os.environ.get("MATGRAD_SKIPPED_STATUS", "0"))
        elif self.deselected:
            session.exitstatus = pytest.ExitCode.OK


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Counts())
