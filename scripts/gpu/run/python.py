"""The Python package on arrays of a GPU."""

import os
import re
import sys

from process import Job, run
from results import Part


def python_part(run_, limit):
    """The part `python`: its tests of device arrays, with what frameworks the machine has."""
    programs = run_.programs
    if programs.python is None or not (programs.python / "matgrad").is_dir():
        return Part("python", "skipped", "the Python package was not built")
    python = programs.interpreter or sys.executable
    version = run(Job([python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
                      run_.log("python-version"), limit=10), run_.end).output().strip()
    # nanobind-backend for the machine's version, where the bundle has it.
    folders = [programs.python, programs.python / f"backend-{version}"]
    env = {**run_.own_env, "PYTHONPATH": os.pathsep.join(str(f) for f in folders if f.is_dir()),
           "MATGRAD_CUDA_MODULE": str(programs.python_module)}
    look = run(Job([python, "-c", "import matgrad, pytest"], run_.log("python-import"), env=env, limit=20), run_.end)
    if look.outcome:
        lines = look.output().strip().splitlines()
        return Part("python", "skipped", f"{lines[-1] if lines else look.outcome} (Python {version})")
    job = run(Job([python, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "--import-mode=importlib",
                   programs.python_tests], run_.log("python"), env=env, limit=limit), run_.end)
    lines = [line.strip() for line in job.output().splitlines() if line.strip()]
    summary = next((line for line in reversed(lines) if re.search(r"\d+ (passed|failed|skipped|error)", line)), "")
    failures = [line for line in lines if line.startswith(("FAILED", "ERROR"))]
    if job.outcome and not failures:
        failures = [f"{job.outcome}: {lines[-1][:200] if lines else 'no output'}"]
    if failures:
        return Part("python", "failed", summary, failures=failures[:10])
    return Part("python", "passed" if "passed" in summary else "skipped", f"{summary} (Python {version})")
