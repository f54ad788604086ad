#!/usr/bin/env python3
"""A contender for tests of bench/rounds: takes the place of matgrad_cpp_peers, and of Python with serve.py.

FAKES names a folder: NAME.json there says what contender NAME does ({"seconds": of a call, "sleeps": in a
call, "hangs": rows, "dies": rows, "offers_not": rows, "wrong": row, "absent": why, "cases": rows}), and what it
is asked for is added to `asked`.
"""

import json
import os
import signal
import sys
import time

FOLDER = os.environ["FAKES"]
NAME = sys.argv[sys.argv.index("--serve" if "--serve" in sys.argv else "--peer") + 1]
CEILINGS = {"copy_bytes_per_s": 10e9, "read_bytes_per_s": 9e9, "multiply_add_flops_per_s": 100e9}


def case_of(name):
    return {"name": name, "function": "f", "type": "float32", "accuracy": "robust", "outputs": "both",
            "declare": ["X=n,n"], "sizes": {"n": 4}, "batched": ["X"], "batch": 10}


class Fake:
    def __init__(self):
        with open(os.path.join(FOLDER, NAME + ".json"), encoding="utf-8") as file:
            self.does = json.load(file)
        self.case = None

    def prepare(self, request):
        self.case = request["row"]["case"]["name"] if "row" in request else request["case"]
        wrong = self.does.get("wrong") == self.case
        row = {"case": case_of(self.case), "executor": "cpu" if NAME == "matgrad" else NAME, "ok": not wrong,
               "error": "residual 2" if wrong else None, "seconds": None, "bytes": 100, "operations": 100,
               "bound_seconds": 1e-6, "residual": 2.0 if wrong else 0.1, "residual_bound": 1.0, "copies": 1}
        return {"rows": [] if self.case in self.does.get("offers_not", []) else [row], "problems": []}

    def measure(self, request):
        if self.case in self.does.get("hangs", []):
            time.sleep(3600)
        if self.case in self.does.get("dies", []):
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(self.does.get("sleeps", 0))
        seconds = self.does["seconds"]
        return {"seconds": seconds, "low": seconds, "high": seconds, "repeats": 7, "enqueue_seconds": None}

    def answer(self, request):
        what = request["do"]
        with open(os.path.join(FOLDER, "asked"), "a", encoding="utf-8") as file:
            print(json.dumps([NAME, what, self.case if what == "measure" else None]), file=file)
        if what == "about":
            return {"tool": NAME, "device": "d", "versions": {}, "commit": "c", "threads": 1, "suite": "s",
                    "cases": self.does.get("cases", [])}
        if what == "ceilings":
            return {"float32": CEILINGS, "float64": CEILINGS}
        return getattr(self, what)(request) if what in ("prepare", "measure") else {}


def main():
    fake = Fake()
    if "absent" in fake.does:
        print(fake.does["absent"], file=sys.stderr)
        sys.exit(3)
    for line in sys.stdin:
        print(json.dumps(fake.answer(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
