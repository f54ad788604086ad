#!/usr/bin/env python3
"""Runs the peers of one library on the cases of a `matgrad bench --json` file.

    run.py --peer numpy --cases matgrad.json --differentials differentials.json --json numpy.json

Every case is drawn from the seed, run once to warm up, checked against the differentials, and then
timed; a result that fails the check gets no time. Where a library offers several ways to write a
closed form, each is tried once and the fastest that passes is measured. The results file is
rewritten after every row, so that what was measured survives an interruption. When the budget is over
the program ends, even if a call has not returned: its row and those after it say so.
"""

import argparse
import datetime
import json
import os
import sys
import threading
import time

from process import fix_threads, keep_freed_memory, processor
from ready import make_ready, new_row, one_line, text_of

STARTED = time.monotonic()
GRACE = 2.0  # seconds beyond the budget for a row to end by itself


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer", required=True, choices=["numpy", "torch", "jax", "cupy"])
    parser.add_argument("--cases", required=True, help="results of matgrad bench --json")
    parser.add_argument("--differentials", required=True)
    parser.add_argument("--json", required=True, help="where the results go")
    parser.add_argument("--matgrad", help="the command, for functions that no peer has by hand")
    parser.add_argument("--seconds", type=float, default=0.3, help="of repeats, for each row")
    parser.add_argument("--budget", type=float, default=float("inf"),
                        help="seconds for everything, from the start of this program; rows that do not "
                             "fit are listed, not run")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--filter", default="", help="only cases whose name contains this")
    parser.add_argument("--without", default=None, metavar="WORD",
                        help="no executor whose name contains this: `compile` takes seconds a case")
    return parser.parse_args()


def spoken(word):
    """A word of the command as a record keeps it: where this machine has its folders is left out."""
    return os.path.basename(word) if os.path.isabs(word) else word


USED_UP = "not run: the time was used up"


class Run:
    def __init__(self, options, library, differentials, suite, cases):
        self.options = options
        self.library = library
        self.differentials = differentials
        self.end = STARTED + options.budget
        self.device = library.device if library.device != "cpu" else processor()
        self.rows = []
        self.lock = threading.RLock()  # of the rows and their file
        self.suite = suite
        self.cases = cases
        self.planned = [(case, variant) for case in cases for variant in library.variants
                        if variant.offers(case)]  # rows come in this order

    @property
    def rows_left(self):
        return len(self.planned) - len(self.rows)

    def seconds(self):
        """For the next row: what was asked for, or half of its share of what is left (drawing the
        inputs, warming up and checking take the other half)."""
        share = 0.5 * (self.end - time.monotonic()) / max(1, self.rows_left)
        return max(0.0, min(self.options.seconds, share))

    def add(self, case, variant, **fields):
        row = new_row(case, variant, **fields)
        with self.lock:
            self.rows.append(row)
            self.write()
        shown = (f"{row['seconds'] * 1e6:12.1f} us   resid {row['residual']:.1e}   {row['way']}"
                 if row["ok"] else f"{'FAIL' if row['residual'] is not None else '-':>12s}   "
                                   f"{row['error']}")
        print(f"{case.name:48s} {variant.name:18s} {shown}", flush=True)

    def write(self):
        content = {"tool": self.library.tool, "device": self.device,
                   "versions": self.library.versions, "commit": None,
                   "command": " ".join(["bench/peers/run.py", *map(spoken, sys.argv[1:])]),
                   "date": datetime.datetime.now(datetime.timezone.utc).strftime(
                       "%Y-%m-%dT%H:%M:%SZ"),
                   "threads": self.options.threads, "suite": self.suite, "ceilings": None,
                   "rows": self.rows}
        partial = self.options.json + ".partial"
        with open(partial, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=1)
        os.replace(partial, self.options.json)

    def stop(self):
        """The row that is being measured, and all that come after it, get no time."""
        with self.lock:
            error = "stopped: it took longer than the time that was left"
            for case, variant in self.planned[len(self.rows):]:
                self.add(case, variant, error=error)
                error = USED_UP

    def all(self):
        with self.lock:
            self.write()
        for case in self.cases:
            self.case(case)

    def case(self, case):
        from cases import Copies

        variants = [v for v in self.library.variants if v.offers(case)]
        if time.monotonic() > self.end:
            for variant in variants:
                self.add(case, variant, error=USED_UP)
            return
        try:
            text = text_of(case, self.library, self.options.matgrad)
            copies = Copies(case, self.differentials.seed, self.library)
        except Exception as problem:  # out of memory, a word that is not supported
            for variant in variants:
                self.add(case, variant, error=one_line(problem))
            return
        for variant in variants:
            if time.monotonic() > self.end:
                self.add(case, variant, error=USED_UP)
                continue
            try:
                self.variant(case, variant, copies, text)
            except Exception as problem:
                self.add(case, variant, error=one_line(problem))

    def variant(self, case, variant, copies, text):
        ready = make_ready(self.library, self.differentials, variant, copies, text,
                           lambda: time.monotonic() < self.end)
        if ready.error:
            self.add(case, variant, **ready.fields())
        else:
            self.add(case, variant, ok=True, **ready.fields(), **ready.measure(self.seconds()))


class Watch:
    """Ends the program some time after its budget, whatever it is doing then."""

    def __init__(self, options):
        self.peer = options.peer
        self.run = None
        left = options.budget + GRACE - (time.monotonic() - STARTED)
        if left < threading.TIMEOUT_MAX:
            timer = threading.Timer(max(0.0, left), self.end)
            timer.daemon = True
            timer.start()

    def end(self):
        if self.run is None:
            print(f"{self.peer}: the time was used up before the library was ready",
                  file=sys.stderr, flush=True)
            os._exit(3)
        with self.run.lock:  # kept: no other row is written
            self.run.stop()
            conclude(self.run)
            os._exit(0)


def conclude(run):
    failed = sum(not row["ok"] for row in run.rows)
    print(f"{run.options.peer}: {len(run.rows)} rows, {failed} without a time", flush=True)


def main():
    options = arguments()
    keep_freed_memory()
    watch = Watch(options)
    fix_threads(options.threads)
    try:
        from cases import read_cases
        from residual import Differentials

        module = __import__(f"with_{options.peer}")
        library = module.Library(options.threads, options.device)
        library.variants = [variant for variant in library.variants
                            if not options.without or options.without not in variant.name]
    except ImportError as problem:
        print(f"{options.peer} is absent: {problem}", file=sys.stderr)
        return 3
    suite, cases = read_cases(options.cases)
    # A case that fixes the threads is compared with peers of as many only.
    cases = [case for case in cases if options.filter in case.name
             and case.entry.get("threads", options.threads) in (0, options.threads)]
    run = Run(options, library, Differentials(options.differentials), suite, cases)
    watch.run = run
    run.all()
    conclude(run)
    return 0


if __name__ == "__main__":
    sys.exit(main())
