"""The wheel: what is in it, with which licences, and that it needs nothing of the machine it was made on."""

import base64
import csv
import hashlib
import io
import os
import pathlib
import re
import subprocess
import sys
import zipfile

import pytest

pytestmark = pytest.mark.full

SOURCE = pathlib.Path(__file__).parents[3]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The one that MATGRAD_WHEEL names; else it is made."""
    if named := os.environ.get("MATGRAD_WHEEL"):
        return pathlib.Path(named)
    folder = tmp_path_factory.mktemp("wheel")
    made = subprocess.run([SOURCE / "scripts/wheel", folder], capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout[-3000:] + made.stderr[-3000:]
    [file] = folder.glob("*.whl")
    return file


@pytest.fixture(scope="module")
def contents(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}


def licences(contents):
    return {name.partition("licenses/")[2]: text.decode() for name, text in contents.items() if "/licenses/" in name}


def test_one_wheel_serves_every_python_from_3_10_on(wheel):
    assert re.fullmatch(r"matgrad-[0-9.]+-cp310-abi3-manylinux_2_\d+_\w+\.whl", wheel.name)


def test_package_alone_is_in_it(contents):
    folders = {name.partition("/")[0] for name in contents}
    folders = {re.sub(r"-\d+\.\d+\.\d+", "", folder) for folder in folders}
    assert folders == {"matgrad", "matgrad.libs", "matgrad.dist-info"}
    assert {"matgrad/_core.abi3.so", "matgrad/_core.pyi", "matgrad/py.typed", "matgrad/__init__.py"} <= contents.keys()
    assert not [name for name in contents if name.endswith((".a", ".hpp", ".pyc")) or "/tests/" in name]


def test_every_bundled_library_has_its_licence(contents):
    texts = licences(contents)
    table = re.findall(r"^(\S.*)\n    (.*)\n    licence: (.*)$", texts["BUNDLED.txt"], re.MULTILINE)
    listed = {what: files.split(", ") for what, _, files in table}
    libraries = {name for name in contents if name.startswith("matgrad.libs/")}
    assert any("openblas" in name for name in libraries)
    for library in libraries:
        assert listed[library], library
        for file in listed[library]:
            assert len(texts[file]) > 500, (library, file)
    [quadmath] = [library for library in libraries if "quadmath" in library]
    assert any("Lesser General Public License" in texts[file] or "LESSER GENERAL PUBLIC LICENSE" in texts[file]
               for file in listed[quadmath])


def test_what_is_compiled_in_has_its_licence(contents):
    texts = licences(contents)
    assert "Permission is hereby granted" in texts["LICENSE"], "matgrad's own"
    for name in ["nanobind", "libeigen3-dev", "libfmt-dev", "libhwy-dev", "nlohmann-json3-dev", "tao-pegtl-dev"]:
        assert f"{name}, compiled in" in texts["BUNDLED.txt"]
        assert len(texts[f"{name}.txt"]) > 500
    assert ("matgrad/libmatgrad_cuda.so" in contents) == ("CUDA_Toolkit.txt" in texts)


def test_no_library_of_cuda_is_bundled(contents):
    assert not [name for name in contents if re.search(r"lib(cu|nv)", pathlib.PurePath(name).name)]


def test_record_lists_every_file_with_its_hash(contents):
    [record] = [name for name in contents if name.endswith(".dist-info/RECORD")]
    rows = {row[0]: row[1:] for row in csv.reader(io.StringIO(contents[record].decode()))}
    assert rows.keys() == contents.keys()
    for name, text in contents.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text).digest()).rstrip(b"=").decode()
        assert name == record or rows[name] == [f"sha256={digest}", str(len(text))], name


def test_metadata_names_the_licences_and_the_extras(contents):
    [metadata] = [text.decode() for name, text in contents.items() if name.endswith(".dist-info/METADATA")]
    named = set(re.findall(r"^License-File: (.*)$", metadata, re.MULTILINE))
    assert named == licences(contents).keys()
    assert set(re.findall(r"^Provides-Extra: (.*)$", metadata, re.MULTILINE)) >= {"cuda13", "jax", "plots", "torch"}
    assert "Requires-Dist: nanobind-backend>=1.0" in metadata


def test_unpacked_it_uses_its_own_libraries(wheel, tmp_path):
    """No library of the machine but those of every Linux (manylinux): OpenBLAS and fmt come out of the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    code = """
import matgrad, matgrad as mg, numpy as np
X = np.random.default_rng(1).standard_normal((3, 200, 150))
value, gradient = mg.function("logdet(X'*X)", wrt="X").value_and_grad(X=X)
assert np.allclose(value, np.linalg.slogdet(np.swapaxes(X, 1, 2) @ X)[1])
assert {"cpu"} <= matgrad._core.xla_handlers().keys(), "custom calls for JAX"
print(mg.__file__)
print(*sorted({line.split()[-1] for line in open("/proc/self/maps") if "/" in line}), sep="\\n")
"""
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "LD_LIBRARY_PATH": ""}
    ran = subprocess.run([sys.executable, "-c", code], env=environment, cwd=tmp_path, capture_output=True, text=True,
                         check=False)
    assert ran.returncode == 0, ran.stderr
    file, *maps = ran.stdout.splitlines()
    assert file.startswith(str(tmp_path))
    ours = {name for name in maps if re.search(r"/lib(fmt|hwy|openblas|gfortran|quadmath)", name)}
    ours = {name for name in ours if "/numpy" not in name}
    assert any("openblas" in name for name in ours)
    assert all(name.startswith(str(tmp_path)) for name in ours), ours
