#!/usr/bin/env python3
"""Checks what programs are linked to, by the dynamic section of each.

usage: check_linkage.py [FILE FORBIDDEN]...    FORBIDDEN: a regular expression for library names

Prints one line for each library that a file must not need; exit status 1 if any.
"""

import re
import subprocess
import sys


def needed(path):
    """Every library the loader would bring in, the libraries of libraries included."""
    listing = subprocess.run(["ldd", path], check=True, capture_output=True, text=True).stdout
    return [line.split()[0] for line in listing.splitlines() if line.strip()]


def main():
    arguments = sys.argv[1:]
    found = 0
    for path, forbidden in zip(arguments[::2], arguments[1::2]):
        for library in needed(path):
            if re.search(forbidden, library):
                print(f"{path} needs {library}: expected nothing like {forbidden}")
                found += 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
