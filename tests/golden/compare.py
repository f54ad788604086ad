#!/usr/bin/env python3
"""Compares the texts that golden_texts writes with those that are kept, heading by heading.

usage: compare.py GOLDEN_TEXTS FOLDER    prints each change as a diff; exit status 1 if there is any.
"""

import difflib
import pathlib
import subprocess
import sys
import tempfile

SHOWN = 20  # changed cases


def cases(path):
    """Heading -> lines, in order."""
    found = {}
    lines = found.setdefault("", [])
    if path.exists():
        for line in path.read_text().splitlines():
            if line.startswith("==== "):
                lines = found.setdefault(line[5:], [])
            else:
                lines.append(line)
    return found


def changes(kept, made):
    """Each change between two folders, as text."""
    names = {path.name for path in [*kept.glob("*.*"), *made.glob("*.*")]}
    for name in sorted(names):
        before, after = cases(kept / name), cases(made / name)
        for heading in dict.fromkeys([*before, *after]):
            old, new = before.get(heading, []), after.get(heading, [])
            if old != new:
                diff = difflib.unified_diff(old, new, "kept", "now", lineterm="", n=1)
                yield f"{name}: '{heading}' changed\n" + "\n".join(diff)


def main():
    program, kept = sys.argv[1], pathlib.Path(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([program, folder], check=True)
        found = list(changes(kept, pathlib.Path(folder)))
    for change in found[:SHOWN]:
        print(change)
    if found:
        print(f"{len(found)} texts changed: if that is meant, build the target golden_update and commit them")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
