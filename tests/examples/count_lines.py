#!/usr/bin/env python3
"""usage: count_lines.py MOST PROGRAM...: exit status 1 if more than MOST lines of a program touch matgrad, or none.

A line touches matgrad if it names it, has to do with plans, operands or functions of it, or is within the parentheses
of a statement that such a line begins. Comments do not count.
"""

import re
import sys

TOUCHES = re.compile(r'matgrad|\.(plan|run|linearize|apply)\(|\boperands\b|"(value|(gradient|hvp) \w+)"')


def touching(text):
    """The lines of a program that touch matgrad."""
    found = []
    depth = 0
    for line in text.splitlines():
        code = re.sub(r"//.*", "", line)
        if not (depth > 0 or TOUCHES.search(code)):
            continue
        found.append(line.strip())
        words = re.sub(r'"[^"]*"', "", code)
        # A statement goes on where a bracket is open, or where no semicolon ends it.
        depth += sum(map(words.count, "([{")) - sum(map(words.count, ")]}"))
    return found


def main(most, programs):
    failed = False
    for program in programs:
        with open(program, encoding="utf-8") as source:
            lines = touching(source.read())
        failed |= not 0 < len(lines) <= most
        print(f"{program}: {len(lines)} lines touch matgrad, expected 1 to {most}")
        print(*("    " + line for line in lines), sep="\n")
    return failed


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
