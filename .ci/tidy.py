#!/usr/bin/env python3
"""clang-tidy over sources named on standard input, as a build folder compiles them; a warning is an error.

usage: git ls-files '*.cpp' | tidy.py BUILD

A source that was clean before is left out while it, what it includes, its command and the checks are what they were:
~/.cache/matgrad-tidy has an empty file for each.
"""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path.cwd()
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "matgrad-tidy"


def included(build):
    """Object -> the files that it was made of, by ninja."""
    lines = subprocess.run(["ninja", "-C", build, "-t", "deps"], capture_output=True, text=True, check=True).stdout
    files, current = {}, []
    for line in lines.splitlines():
        if line.startswith("    "):
            current.append(line.strip())
        elif line.endswith("(VALID)"):
            current = files.setdefault(line.partition(":")[0], [])
        else:
            current = []
    return files


def key_of(entry, files, build, checks):
    """What the verdict depends on; None where ninja does not know what the object was made of."""
    made = re.search(r" -o (\S+)", entry["command"])
    if made is None or made[1] not in files:
        return None
    key = hashlib.sha256(checks + entry["command"].replace(str(ROOT), ".").encode())
    for name in sorted(files[made[1]]):
        path = pathlib.Path(os.path.normpath(ROOT / build / name))
        own = path.is_relative_to(ROOT)
        key.update(str(path.relative_to(ROOT) if own else path).encode())
        key.update(path.read_bytes() if own else str(path.stat().st_size).encode())
    return key.hexdigest()


def main():
    build = sys.argv[1]
    commands = {entry["file"]: entry for entry in json.loads(pathlib.Path(build, "compile_commands.json").read_text())}
    version = subprocess.run(["clang-tidy", "--version"], capture_output=True, check=True).stdout
    checks = version + pathlib.Path(".clang-tidy").read_bytes()
    files = included(build)
    CACHE.mkdir(parents=True, exist_ok=True)

    def is_clean(source):
        key = key_of(commands[str(ROOT / source)], files, build, checks)
        if key is not None and (CACHE / key).exists():
            return True
        words = ["clang-tidy", "-p", build, "--quiet", "--warnings-as-errors=*", source]
        run = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if run.returncode != 0:
            print(run.stdout, end="", flush=True)
        elif key is not None:
            (CACHE / key).touch()
        return run.returncode == 0

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        if not all(list(pool.map(is_clean, sys.stdin.read().split()))):
            sys.exit(1)


main()
