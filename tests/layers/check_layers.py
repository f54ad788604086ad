#!/usr/bin/env python3
"""Checks that includes follow the road: a folder of host/, and bench/, sees only what stands below it.

usage: check_layers.py ROOT    prints one line per violation, FILE:LINE: what; exit status 1 if any.
"""

import pathlib
import re
import sys

# Folder -> the other folders it may include. Everybody may include the public headers.
MAY_INCLUDE = {
    "expression": set(),
    "calculus": {"expression"},
    "program": set(),
    "planner": {"expression", "program"},
    "reference": {"expression"},
    "check": {"expression", "calculus", "reference"},
    "cpu": {"program"},
    "cuda": {"program"},
    "io": set(),
    "api": {"expression", "calculus", "program", "planner", "check", "cpu", "cuda"},
    "bench": {"reference", "check", "cpu", "cuda", "api"},
    "cli": {"expression", "reference", "check", "cpu", "io", "api", "bench"},
}

# Libraries that belong to one place: prefix of the included path -> folders of host/.
BELONGS_TO = {
    "tao/": {"expression"},
    "Eigen/": {"reference", "bench"},
    "hwy/": {"cpu", "bench"},
    "cuda_runtime": {"cuda"},
    "cublas": {"cuda"},
    "cusolver": {"cuda"},
    "nvrtc": {"cuda"},
    "thrust/": set(),  # kernels/ alone
    "cblas.h": {"cpu", "bench"},
    "CLI/": {"cli"},
    "nlohmann/": {"cli", "bench"},
}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def violations(root):
    host = root / "host"
    bench = root / "bench"
    public = root / "include"
    for path in sorted([*host.rglob("*.[ch]pp"), *bench.glob("*.[ch]pp"), *public.rglob("*.hpp")]):
        is_public = public in path.parents
        if is_public:
            folder = "include"
        elif bench in path.parents:
            folder = "bench"
        else:
            folder = path.relative_to(host).parts[0]
        if not is_public and folder not in MAY_INCLUDE:
            yield path, 1, f"host/{folder} is not in the table of layers"
            continue
        for number, line in enumerate(path.read_text().splitlines(), start=1):
            match = INCLUDE.match(line)
            if not match:
                continue
            quoted, target = match[1] == '"', match[2]
            if quoted:
                first = target.split("/")[0]
                if folder == "cuda" and (root / "kernels" / target).exists():
                    continue
                if first == "matgrad" or (first == folder and not is_public):
                    continue
                if is_public or first not in MAY_INCLUDE.get(folder, set()):
                    yield path, number, f"{folder} may not include {target}"
            elif is_public:
                if "/" in target or target.endswith(".h"):
                    yield path, number, f"a public header may not include <{target}>"
            else:
                for prefix, places in BELONGS_TO.items():
                    if target.startswith(prefix) and folder not in places:
                        yield path, number, f"{folder} may not include <{target}>"


def main():
    root = pathlib.Path(sys.argv[1])
    found = list(violations(root))
    for path, number, message in found:
        print(f"{path.relative_to(root)}:{number}: {message}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
