"""wheel_licences.py BUILT REPAIRED OUT: puts the licences of what a wheel has in it into the wheel.

BUILT is the wheel as it was compiled, REPAIRED what auditwheel made of it, with the libraries it is linked to. For
each of these the licence is that of its Debian package; with it go the licences of libraries that are compiled in.
The file BUNDLED.txt names each part, its package, version and source. A library without a licence is an error.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import importlib.metadata
import pathlib
import re
import subprocess
import sys
import tempfile
import zipfile

# Header-only and static libraries that are compiled into the extension.
COMPILED_IN = ["libeigen3-dev", "libfmt-dev", "libhwy-dev", "nlohmann-json3-dev", "tao-pegtl-dev"]
CUDA_MODULE = "matgrad/libmatgrad_cuda.so"


@dataclasses.dataclass(frozen=True)
class Part:
    """Something that is in the wheel: what of it, where it comes from, the names of its files among the licences."""

    what: str
    origin: str
    files: tuple[str, ...]


class Licences:
    """The texts that go into the wheel, by their names, and the parts that they are of."""

    def __init__(self) -> None:
        self.texts: dict[str, bytes] = {}
        self.parts: list[Part] = []

    def add_debian(self, what: str, package: str) -> None:
        text = pathlib.Path(f"/usr/share/doc/{package.partition(':')[0]}/copyright").read_bytes()
        name = f"{package.partition(':')[0]}.txt"
        self.texts[name] = text
        files = [name]
        # The package refers to texts that every Debian has; a wheel has to bring them.
        for common in sorted(set(re.findall(rb"/usr/share/common-licenses/([A-Za-z0-9.-]*[A-Za-z0-9])", text))):
            path = pathlib.Path("/usr/share/common-licenses") / common.decode()
            if path.is_file():
                files.append(f"{path.name}.txt")
                self.texts[files[-1]] = path.read_bytes()
        wanted = "${Package} ${Version}, source ${source:Package} ${source:Version}"
        origin = output("dpkg-query", "--show", f"--showformat={wanted}", package)
        self.parts.append(Part(what, f"Debian package {origin}", tuple(files)))

    def add_python(self, what: str, name: str) -> None:
        distribution = importlib.metadata.distribution(name)
        texts = [file for file in distribution.files or [] if "LICENSE" in file.name.upper()]
        if not texts:
            raise SystemExit(f"wheel_licences: the Python package {name} has no licence")
        self.texts[f"{name}.txt"] = texts[0].read_binary()
        self.parts.append(Part(what, f"Python package {name} {distribution.version}", (f"{name}.txt",)))

    def add_cuda(self, text: bytes) -> None:
        self.texts["CUDA_Toolkit.txt"] = text
        what = f"{CUDA_MODULE}: the CUDA runtime (cudart_static) and Thrust, compiled in"
        self.parts.append(Part(what, "NVIDIA CUDA Toolkit", ("CUDA_Toolkit.txt",)))

    def table(self) -> bytes:
        lines = [f"{part.what}\n    {part.origin}\n    licence: {', '.join(part.files)}\n" for part in self.parts]
        return "\n".join(lines).encode()


def output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def owner(file: pathlib.Path) -> str:
    """The Debian package of a library; it may be listed under /lib, which is /usr/lib."""
    for name in (str(file), str(file).removeprefix("/usr")):
        found = subprocess.run(["dpkg", "--search", name], capture_output=True, text=True, check=False)
        if found.returncode == 0:
            return found.stdout.split(": ")[0].split(",")[0]
    raise SystemExit(f"wheel_licences: {file} is of no Debian package")


def linked_libraries(wheel: pathlib.Path) -> list[pathlib.Path]:
    """Files of this machine that the libraries of a wheel are linked to."""
    found = set()
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if re.search(r"\.so(\.|$)", name):
                lines = output("ldd", archive.extract(name, folder))
                found |= {pathlib.Path(path).resolve() for path in re.findall(r"=> (/\S+)", lines)}
    return sorted(found)


def gather(built: pathlib.Path, repaired: pathlib.Path) -> Licences:
    licences = Licences()
    candidates = linked_libraries(built)
    with zipfile.ZipFile(repaired) as archive:
        names = archive.namelist()
    for name in sorted(name for name in names if re.match(r"matgrad\.libs/.*\.so", name)):
        # auditwheel puts the beginning of the file's SHA-256 behind its name.
        same = [file for file in candidates if f"-{hashlib.sha256(file.read_bytes()).hexdigest()[:8]}." in name]
        if len(same) != 1:
            raise SystemExit(f"wheel_licences: {name} is a copy of {same or 'no library of this machine'}")
        licences.add_debian(name, owner(same[0]))
    for package in COMPILED_IN:
        licences.add_debian(f"{package}, compiled in", package)
    licences.add_python("nanobind, compiled in", "nanobind")
    if CUDA_MODULE in names:
        licences.add_cuda(cuda_licence())
    return licences


def cuda_licence() -> bytes:
    """Of the toolkit that is found: its EULA, or that of the Python package of the runtime."""
    for place in (pathlib.Path("/usr/local/cuda"), *map(pathlib.Path, sys.path)):
        for pattern in ("EULA.txt", "dist-info/nvidia_cuda_runtime-*/licenses/*", "nvidia_cuda_runtime-*/licenses/*"):
            for file in sorted(place.glob(pattern)):
                return file.read_bytes()
    raise SystemExit("wheel_licences: the licence of the CUDA toolkit was not found (/usr/local/cuda/EULA.txt)")


def write(repaired: pathlib.Path, licences: Licences, out: pathlib.Path) -> None:
    """The wheel again, with the licences in its metadata and its RECORD."""
    with zipfile.ZipFile(repaired) as archive:
        infos = archive.infolist()
        contents = {info.filename: archive.read(info) for info in infos if not info.is_dir()}
    modes = {info.filename: info.external_attr for info in infos}
    record = next(name for name in contents if name.endswith(".dist-info/RECORD"))
    info = record.removesuffix("RECORD")
    added = {**licences.texts, "BUNDLED.txt": licences.table()}
    contents |= {f"{info}licenses/{name}": text for name, text in added.items()}
    head, blank, body = contents[f"{info}METADATA"].partition(b"\n\n")
    head += b"".join(f"\nLicense-File: {name}".encode() for name in sorted(added))
    contents[f"{info}METADATA"] = head + blank + body
    lines = [f"{name},sha256={digest(text)},{len(text)}" for name, text in contents.items() if name != record]
    contents[record] = "\n".join([*lines, f"{record},,", ""]).encode()
    with zipfile.ZipFile(out / repaired.name, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in contents.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = modes.get(name, 0o100644 << 16)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, text)


def digest(text: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text).digest()).rstrip(b"=").decode()


def main() -> None:
    built, repaired, out = map(pathlib.Path, sys.argv[1:])
    licences = gather(built, repaired)
    write(repaired, licences, out)
    print(licences.table().decode())
    print(out / repaired.name)


if __name__ == "__main__":
    main()
