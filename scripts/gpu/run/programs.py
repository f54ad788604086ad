"""Where the programs of a run lie: in a bundle, in a build tree, or in a build tree those that run on the
simulated GPU."""

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[3]


@dataclass
class Programs:
    tests: dict  # name -> program
    matgrad: Path
    cpp_peers: Path
    times: Path
    probe: Path
    module: list  # what is opened at run time
    bench: Path  # the folder of peers/ and suites/
    data: Path  # of the tests
    libraries: Path  # of the programs alone; None where they find theirs
    commit: str
    python: Path = None  # the folder of the Python package
    python_tests: Path = None  # of arrays on a GPU
    python_module: Path = None  # what the package opens for a GPU
    interpreter: Path = None  # None: the one that runs this
    simulated: bool = False
    missing: list = field(default_factory=list)

    def __post_init__(self):
        wanted = [self.matgrad, self.cpp_peers, self.bench / "peers" / "run.py", self.data]
        if not self.simulated:
            wanted += [self.times, *self.module]
        self.missing = [str(path) for path in wanted if not path.exists()]
        if not self.tests:
            self.missing.append("any test program")

    def linked(self):
        """What the machine's libraries are looked up for."""
        programs = [*self.tests.values(), self.matgrad, self.cpp_peers, self.times, self.probe,
                    *self.module]
        return [path for path in programs if path.exists()]


def tests_in(folder, prefix):
    """Those that are called <prefix>_<name>_test, by name."""
    found = {}
    for path in sorted(folder.glob(f"{prefix}_*_test")):
        if os.access(path, os.X_OK):
            found[path.name[len(prefix) + 1:-len("_test")]] = path
    return found


def commit_of(folder):
    """As the folder says, or the repository that it is."""
    try:
        return (folder / "COMMIT").read_text(encoding="utf-8").strip()
    except OSError:
        pass
    try:
        return subprocess.run(
            ["git", "-C", folder, "describe", "--always", "--dirty", "--exclude=*", "--abbrev=12"],
            capture_output=True, text=True, timeout=20, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def environment():
    """Python of the virtual environment that the package was built with, or None."""
    python = SOURCE / "build/python/venv/bin/python"
    return python if python.exists() else None


def of_bundle(root):
    return Programs(
        tests=tests_in(root / "bin", "gpu"), matgrad=root / "bin/matgrad",
        cpp_peers=root / "bin/matgrad_cpp_peers", times=root / "bin/gpu_times",
        probe=root / "bin/gpu_probe",
        module=[root / "lib/matgrad/libmatgrad_cuda.so", root / "lib/libmatgrad_cublas_peer.so"],
        bench=root / "bench", data=root / "tests/data", libraries=root / "lib",
        commit=commit_of(root), python=root / "python", python_tests=root / "tests/python/gpu",
        python_module=root / "lib/matgrad/libmatgrad_cuda.so")


def of_build(build):
    binaries = build / "bin"
    return Programs(
        tests=tests_in(binaries, "gpu"), matgrad=binaries / "matgrad",
        cpp_peers=binaries / "matgrad_cpp_peers", times=binaries / "gpu_times",
        probe=binaries / "gpu_probe",
        module=[build / "lib/matgrad/libmatgrad_cuda.so",
                build / "bench/cpp_peers/libmatgrad_cublas_peer.so"],
        bench=SOURCE / "bench", data=SOURCE / "tests/data", libraries=None,
        commit=commit_of(SOURCE), python=build / "python", python_tests=SOURCE / "tests/python/gpu",
        python_module=build / "lib/matgrad/libmatgrad_cuda.so", interpreter=environment())


def of_simulated(build):
    tests = tests_in(build / "tests/cuda", "simulated")
    for own in ("gpu", "command"):  # of the simulation, and of the command: no GPU has them
        tests.pop(own, None)
    return Programs(
        tests=tests, matgrad=build / "tests/simulated_gpu/matgrad_simulated",
        cpp_peers=build / "tests/cublas_peer/matgrad_cpp_peers_simulated",
        times=build / "bin/no_gpu_times", probe=build / "tests/gpu_probe/simulated_gpu_probe", module=[],
        bench=SOURCE / "bench", data=SOURCE / "tests/data", libraries=None, commit=commit_of(SOURCE),
        python=build / "python", python_tests=SOURCE / "tests/python/simulated_gpu",
        python_module=build / "tests/simulated_gpu/libmatgrad_simulated_module.so",
        interpreter=environment(), simulated=True)
