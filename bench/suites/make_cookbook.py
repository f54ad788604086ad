#!/usr/bin/env python3
"""Writes cookbook.json, the suite of every row of tests/data/cookbook.tsv at a small and a middle size.

usage: make_cookbook.py TABLE > cookbook.json
"""

import csv
import json
import sys

SMALL = {"m": 12, "n": 8, "p": 6, "q": 4}
MIDDLE = {"m": 96, "n": 64, "p": 48, "q": 32}


def dimensions(declarations):
    """Names of dimensions, in order of appearance: `X=m,n:spd` has m and n."""
    names = []
    for declaration in declarations:
        for name in declaration.split("=")[1].split(":")[0].split(","):
            if name.isalpha() and name not in names:
                names.append(name)
    return names


def main():
    with open(sys.argv[1], encoding="utf-8") as table:
        rows = list(csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE))
    print('{"name": "cookbook",')
    print(' "about": "every row of the table of known gradients, at a small and a middle size",')
    print(' "seconds": 0.25,')
    print(' "cases": [')
    lines = []
    for row in rows:
        declare = row["declarations"].split()
        names = dimensions(declare)
        for sizes, batch in ((SMALL, 1000), (MIDDLE, 50)):
            equation = row["equation"]
            function = equation if equation.startswith("seed") else f"cookbook_{equation}"
            lines.append(json.dumps({
                "function": function, "f": row["f"], "wrt": [row["wrt"]], "declare": declare,
                "sizes": {name: sizes[name] for name in names}, "batch": batch}))
    print("  " + ",\n  ".join(lines) + "]}")


if __name__ == "__main__":
    main()
