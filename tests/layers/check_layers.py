#!/usr/bin/env python3
"""Checks that the code follows the road: a folder of host/, and bench/, sees only what stands below it.

usage: check_layers.py ROOT            prints one line per violation, FILE:LINE: what; exit status 1 if any
       check_layers.py ROOT --picture  prints the layers as docs/architecture.md shows them

Looked at are the includes, the dependences of the CMake targets, and the picture in docs/architecture.md.
"""

import pathlib
import re
import sys

# Folder -> the other folders it may include.
MAY_INCLUDE = {
    "functions": set(),
    "io": set(),
    "expression": {"functions"},
    "program": {"functions"},
    "calculus": {"expression"},
    "planner": {"expression", "program"},
    "reference": {"expression"},
    "check": {"expression", "calculus", "reference"},
    "executor": {"program"},
    "cpu": {"executor", "program"},
    "cuda": {"executor", "program"},
    "api": {"expression", "calculus", "program", "planner", "check", "executor", "cpu", "cuda"},
    "bench": {"reference", "check", "cpu", "cuda", "api"},
    "cli": {"expression", "reference", "check", "cpu", "io", "api", "bench"},
}

# Public headers that a folder may include; a folder that is not here may include all of them. Executors know
# nothing of expressions, plans and derivatives, and the Program knows nothing of who runs it.
PUBLIC_HEADERS = {
    "functions": set(),
    "program": {"types"},
    "executor": {"types", "error"},
    "cpu": {"types", "error", "status"},
    "cuda": {"types", "error", "device", "status"},
    "io": {"types", "error"},
    "expression": {"types", "error", "expression", "build"},
    "calculus": {"types", "error", "expression", "calculus"},
    "planner": {"types", "error", "expression"},
    "reference": {"types", "error", "expression"},
}

# Libraries that belong to one place: prefix of the included path -> folders of host/.
BELONGS_TO = {
    "tao/": {"expression"},
    "Eigen/": {"reference", "bench"},
    "hwy/": {"executor", "cpu", "bench"},
    "cuda_runtime": {"cuda"},
    "cublas": {"cuda"},
    "cusolver": {"cuda"},
    "nvrtc": {"cuda"},
    "thrust/": set(),  # kernels/ alone
    "cblas.h": {"cpu", "bench"},
    "CLI/": {"cli"},
    "nlohmann/": {"cli", "bench"},
    "zlib.h": {"io"},
}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
LAYER = re.compile(r"matgrad_add_layer\((\w+)(.*?)\)", re.DOTALL)
# Targets that are a part of a folder.
PARTS = {"cuda_loader": "cuda"}


def source_violations(root, path, folder):
    """Includes of one file; `folder` is "include" for a public header."""
    is_public = folder == "include"
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        match = INCLUDE.match(line)
        if not match:
            continue
        quoted, target = match[1] == '"', match[2]
        if quoted:
            first, _, rest = target.partition("/")
            if folder == "cuda" and (root / "kernels" / target).exists():
                continue
            if first == "matgrad":
                header = rest.removesuffix(".hpp")
                if header not in PUBLIC_HEADERS.get(folder, {header}) | {"export"}:
                    yield number, f"{folder} may not include {target}"
            elif is_public or (first != folder and first not in MAY_INCLUDE[folder]):
                yield number, f"{folder} may not include {target}"
        elif is_public:
            if "/" in target or target.endswith(".h"):
                yield number, f"a public header may not include <{target}>"
        else:
            for prefix, places in BELONGS_TO.items():
                if target.startswith(prefix) and folder not in places:
                    yield number, f"{folder} may not include <{target}>"


def kernel_violations(root, path):
    """Device code is compiled without the host's folders, but for what a status is made of."""
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        match = INCLUDE.match(line)
        if match and match[1] == '"' and "/" in match[2] and path.suffix == ".cuh":
            if match[2] != "matgrad/status_kind.hpp":
                yield number, f"kernels may not include {match[2]}"


def links(path):
    """Line and folder of each layer that the targets of a CMakeLists.txt link to."""
    text = path.read_text()
    for match in LAYER.finditer(text):
        depends = re.search(r"\bDEPENDS((?:\s+\w+)+)", match[2])
        words = depends[1].split() if depends else []
        for word in words[: next((i for i, w in enumerate(words) if w.isupper()), len(words))]:
            yield text[: match.start()].count("\n") + 1, PARTS.get(word, word)


def target_violations(path, folder):
    """What the CMake target of a folder links to."""
    for line, other in links(path):
        if other != folder and other not in MAY_INCLUDE.get(folder, set()):
            yield line, f"{folder} may not link to {other}"


def unused_rows(root):
    """What the table allows and nobody needs."""
    for folder, allowed in MAY_INCLUDE.items():
        base = root / "bench" if folder == "bench" else root / "host" / folder
        seen = set()
        for path in base.glob("CMakeLists.txt"):
            seen |= {other for _, other in links(path)}
        for path in base.glob("*.[ch]pp") if folder == "bench" else base.rglob("*.[ch]pp"):
            includes = map(INCLUDE.match, path.read_text().splitlines())
            seen |= {match[2].split("/")[0] for match in includes if match and match[1] == '"'}
        for other in sorted(allowed - seen):
            yield f"{folder} may include {other} and never does"


def picture():
    """The layers, lowest last; each stands above all that it sees."""
    height = {}
    for folder, below in MAY_INCLUDE.items():  # the table is in that order
        height[folder] = 1 + max((height[other] for other in below), default=-1)
    lines = []
    for level in range(max(height.values()), -1, -1):
        for folder in (f for f in MAY_INCLUDE if height[f] == level):
            below = [other for other in MAY_INCLUDE if other in MAY_INCLUDE[folder]]
            lines.append(f"    {folder:<10}  sees  {', '.join(below) or 'the public headers'}")
        lines.append("    " + "-" * 60)
    return "\n".join(lines[:-1])


def violations(root):
    host, bench, public = root / "host", root / "bench", root / "include"
    for path in sorted([*host.rglob("*.[ch]pp"), *bench.glob("*.[ch]pp"), *public.rglob("*.hpp"),
                        *(root / "kernels").glob("*.cu*"), *host.rglob("CMakeLists.txt"),
                        *bench.glob("CMakeLists.txt")]):
        if public in path.parents:
            folder = "include"
        elif bench in path.parents:
            folder = "bench"
        elif host in path.parents:
            folder = path.relative_to(host).parts[0]
        else:
            folder = "kernels"
        if path.name == "CMakeLists.txt":
            found = target_violations(path, folder)
        elif folder == "kernels":
            found = kernel_violations(root, path)
        elif folder == "include" or folder in MAY_INCLUDE:
            found = source_violations(root, path, folder)
        else:
            found = [(1, f"host/{folder} is not in the table of layers")]
        for number, message in found:
            yield path, number, message
    document = root / "docs" / "architecture.md"
    if not document.exists():
        return
    if picture() not in document.read_text():
        yield document, 1, "the picture of the layers is not what check_layers.py --picture prints"
    for message in unused_rows(root):
        yield root / "tests" / "layers" / "check_layers.py", 1, message


def main():
    root = pathlib.Path(sys.argv[1])
    if "--picture" in sys.argv[2:]:
        print(picture())
        return 0
    found = list(violations(root))
    for path, number, message in found:
        print(f"{path.relative_to(root)}:{number}: {message}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
