#!/usr/bin/env python3
"""check_snippets.py SNIPPETS SOURCE PROGRAM...: every snippet of a document is compiled somewhere.

Each file of the folder SNIPPETS is included by a test, or part of a whole program that a test builds (its name begins
with a PROGRAM), or its lines stand in this order in a file of examples/ of the tree SOURCE.
"""
import sys
from pathlib import Path


def has_lines(text: str, lines: list) -> bool:
    """The lines follow one another in the text, however they are indented."""
    rows = [row.strip() for row in text.splitlines() if row.strip()]
    return any(rows[i:i + len(lines)] == lines for i in range(len(rows)))


def main(snippets: Path, source: Path, programs: list) -> None:
    tests = "".join(path.read_text() for path in (source / "tests/documents").glob("*.cpp"))
    examples = [path.read_text() for path in (source / "examples").glob("*.?pp")]
    files = sorted(snippets.glob("*.inc"))
    for path in files:
        lines = [line.strip() for line in path.read_text().splitlines() if line.strip()]
        is_in_program = path.name.startswith(tuple(programs))
        if not is_in_program and f'"{path.name}"' not in tests and not any(
                has_lines(example, lines) for example in examples):
            sys.exit(f"{path.name}: no test compiles this snippet:\n" + "\n".join(lines))
    if not files:
        sys.exit(f"{snippets}: no snippet was found")


main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
