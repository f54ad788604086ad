#!/usr/bin/env python3
"""usage: snippets.py DOCUMENT.md OUT.cpp OUT.txt: the C++ of a document as one program, and what it has to print.

The blocks are the body of main, one after the other, their includes before it. A line of std::cout ends with what
it prints, in a comment.
"""

import pathlib
import re
import sys


def main(document, program, output):
    text = pathlib.Path(document).read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"^```cpp\n(.*?)^```", text, re.DOTALL | re.MULTILINE))
    if not code:
        sys.exit(f"{document}: no C++")
    includes = re.findall(r"^#include .*", code, re.MULTILINE)
    body = re.sub(r"^#include .*\n", "", code, flags=re.MULTILINE)
    printed = re.findall(r'^\s*std::cout .*"\\n";(?:  // (.*))?$', body, re.MULTILINE)
    if not printed or "" in printed:
        sys.exit(f"{document}: each line of std::cout has to say what it prints")
    pathlib.Path(program).write_text("\n".join([*includes, "int main() {", body, "}\n"]), encoding="utf-8")
    pathlib.Path(output).write_text("".join(line + "\n" for line in printed), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
