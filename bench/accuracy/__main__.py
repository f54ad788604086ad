"""Error of value and gradient against the condition number of X, beside NumPy, JAX and PyTorch.

    python3 bench/accuracy --matgrad build/release/bin/matgrad --json accuracy.json
    python3 bench/accuracy --check accuracy.json

The first measures, writes a record and then checks it as the second does: does `matgrad robust` keep its promise?
Exit status 1 if it does not. Peers that cannot be imported are left out, and named. bench/report draws the record.
"""

import argparse
import datetime
import json
import os
import statistics
import sys

import numpy as np

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "peers"))

import exact  # noqa: E402
import promise  # noqa: E402
from contenders import all_contenders  # noqa: E402
from run import processor, spoken  # noqa: E402

REACH = {"float32": 8, "float64": 16}  # the last power of ten


def arguments():
    parser = argparse.ArgumentParser(prog="bench/accuracy", description=__doc__.splitlines()[0])
    parser.add_argument("--matgrad", help="the command, built")
    parser.add_argument("--json", help="where the record goes")
    parser.add_argument("--check", metavar="RECORD", help="only check this record")
    parser.add_argument("--rows", type=int, default=16)
    parser.add_argument("--cols", type=int, default=8)
    parser.add_argument("--problems", type=int, default=24, help="for each type and condition number")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only every Nth power of ten")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    options = parser.parse_args()
    if not options.check and not (options.matgrad and options.json):
        parser.error("either --check, or --matgrad and --json")
    return options


def spread(errors):
    """Median and largest, to three digits; None for what is not finite or not there."""
    def number(value):
        return float(f"{value:.3g}") if value < float("inf") else None
    if not errors:
        return {"median": None, "largest": None}
    return {"median": number(statistics.median(errors)), "largest": number(max(errors))}


def row_of(common, right, value, gradient, status):
    """Errors are those of the problems that did not fail."""
    answered = [k for k, text in enumerate(status) if text == "success"]
    counts = {text: status.count(text) for text in sorted(set(status))}
    return {**common, "problems": len(status), "status": counts,
            "value": spread([exact.relative_error(value[k], right[k][0]) for k in answered]),
            "gradient": spread([exact.relative_error(gradient[k], right[k][1]) for k in answered])}


def measure(options):
    contenders, absent, versions, commit = all_contenders(options.matgrad, options.device)
    for name, reason in absent.items():
        print(f"bench/accuracy: {name} is left out: {reason}", file=sys.stderr)
    rows = []
    rng = np.random.default_rng(options.seed)
    np.seterr(all="ignore")  # overflow and 0/0 in a peer are its errors below
    for scalar, reach in REACH.items():
        conditions = [10.0**power for power in range(0, reach + 1, options.every)]
        count = options.problems
        x = np.array([exact.draw(rng, options.rows, options.cols, condition, scalar)
                      for condition in conditions for _ in range(count)])
        for function, truth in exact.FUNCTIONS.items():
            right = [truth(exact.exact(problem)) for problem in x]
            for contender in contenders:
                value, gradient, status = contender(function, x)
                for i, condition in enumerate(conditions):
                    part = slice(i * count, (i + 1) * count)
                    common = {"function": function, "type": scalar, "executor": contender.name,
                              "condition": condition}
                    rows.append(row_of(common, right[part], value[part], gradient[part], status[part]))
    return {"tool": "bench/accuracy", "device": processor() if options.device == "cpu" else options.device,
            "versions": versions, "commit": commit,
            "command": " ".join(["bench/accuracy", *map(spoken, sys.argv[1:])]),
            "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "sizes": {"m": options.rows, "n": options.cols}, "problems": options.problems,
            "seed": options.seed, "digits": exact.DIGITS, "absent": absent, "rows": rows}


def write(record, path):
    """One line for each row."""
    head = json.dumps({**record, "rows": []}, indent=1).removesuffix("[]\n}")
    with open(path, "w", encoding="utf-8") as file:
        file.write(head + "[\n" + ",\n".join("  " + json.dumps(row) for row in record["rows"]) + "\n]}\n")


def main():
    options = arguments()
    if options.check:
        with open(options.check, encoding="utf-8") as file:
            record = json.load(file)
    else:
        record = measure(options)
        write(record, options.json)
    found = promise.violations(record)
    for line in found:
        print(f"bench/accuracy: {line}", file=sys.stderr)
    if not found:
        print("robust keeps its promise in every row")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
