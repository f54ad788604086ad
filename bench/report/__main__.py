"""One Markdown page and its figures from results files.

    python3 bench/report --out DIR matgrad.json numpy.json ...
"""

import argparse
import json
import os
import sys

import accuracy_table
import page
from results import Results


def main():
    parser = argparse.ArgumentParser(prog="bench/report", description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", help="results of matgrad bench and of the peers")
    parser.add_argument("--out", required=True, help="the folder of report.md and its figures")
    parser.add_argument("--accuracy", help="the record of bench/accuracy")
    parser.add_argument("--absent", help="a file {peer: why it is absent}")
    options = parser.parse_args()
    results = Results(options.files)
    absent = {}
    if options.absent:
        with open(options.absent, encoding="utf-8") as file:
            absent = json.load(file)
    record = None
    if options.accuracy:
        with open(options.accuracy, encoding="utf-8") as file:
            record = json.load(file)
    os.makedirs(options.out, exist_ok=True)
    figures = []
    try:
        import accuracy
        import crossover
        import ratios
        import roofline
        import scaling
    except ImportError as problem:
        print(f"report: no figures, {problem}", file=sys.stderr)
    else:
        for draw in (ratios.draw, roofline.draw, scaling.draw, crossover.draw):
            name = draw(results, options.out)
            if name:
                figures.append(name)
        if record:
            figures.insert(min(2, len(figures)), accuracy.draw(record, options.out))
    tables = accuracy_table.section(record) if record else []
    page.write(os.path.join(options.out, "report.md"), results, figures, absent, tables)
    return 0


if __name__ == "__main__":
    sys.exit(main())
