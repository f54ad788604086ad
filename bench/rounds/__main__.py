#!/usr/bin/env python3
"""Measures a suite row by row through all contenders: in each row every contender in every round, so that a
ratio compares times of the same minute.

    python3 bench/rounds --out DIR --cpp build/release/bin/matgrad_cpp_peers --suite core \\
        --peer eigen --peer numpy --matgrad build/release/bin/matgrad

writes DIR/matgrad.json and DIR/PEER.json (bench/README.md) and DIR/absent.json. Within the budget as many rows
are measured as fit, spread over the suite, always with all peers. A peer that does not answer in time is
ended, and started anew for the next row; the third time it is absent.

Exit status: 0; 1 if a result of matgrad failed its check or matgrad was lost; 2 for a wrong call.
"""

import argparse
import datetime
import os
import sys
import time

import load
import order
import record
import row
from contender import Contender, Gone, Refused

IN_CPP = ("eigen", "libxsmm", "mkl", "cublas", "mathdx")
IN_PYTHON = ("numpy", "jax", "torch", "cupy")
FRESH = 15  # seconds after which the ceilings are measured again
BENCH = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def arguments():
    parser = argparse.ArgumentParser(prog="bench/rounds", description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True, help="the folder of the results")
    parser.add_argument("--cpp", required=True, help="matgrad_cpp_peers")
    parser.add_argument("--matgrad", help="the command, for functions that no peer has by hand")
    parser.add_argument("--python", default=sys.executable, help="that has the libraries of the Python peers")
    parser.add_argument("--peer", action="append", default=[], choices=[*IN_CPP, *IN_PYTHON])
    parser.add_argument("--suite", default="core")
    parser.add_argument("--filter", default="", help="only rows whose name contains this")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--seconds", type=float, default=0.06, help="of a turn: one contender in one round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--budget", type=float, default=float("inf"), help="seconds; no row is begun after it")
    parser.add_argument("--patience", type=float, default=90, help="seconds for an answer")
    return parser.parse_args()


def command_of(name, options):
    same = ["--device", options.device, "--threads", str(options.threads)]
    if name in IN_PYTHON:
        command = [options.python, os.path.join(BENCH, "peers", "serve.py"), "--peer", name, *same]
        return command + (["--matgrad", options.matgrad] if options.matgrad else [])
    return [options.cpp, "--serve", name, "--suite", options.suite, *same]


class Run:
    def __init__(self, options):
        self.options = options
        self.start = time.monotonic()
        self.load = load.Load(self.start)
        make = lambda name: Contender(name, command_of(name, options), options.out, options.patience)
        self.ours = make("matgrad")
        self.peers = [make(name) for name in options.peer]
        self.pace = row.Pace(options.seconds, options.rounds, min(3, options.rounds))
        self.longest = 0.0  # seconds of a row so far
        self.ceilings_at = 0.0
        self.failed = False

    def passed(self):
        return time.monotonic() - self.start

    def sample(self, where):
        processes = [c.process.pid for c in (self.ours, *self.peers) if c.process is not None]
        return self.load.sample([os.getpid(), *processes], where)

    def all(self):
        """Errors: Gone, Refused, of matgrad."""
        self.sample("start")
        time.sleep(0.5)  # what others do while nothing is measured
        self.sample("before")
        self.ours.start()
        for peer in self.peers:
            self.begin(peer)
        names = [name for name in self.ours.about["cases"] if self.options.filter in name]
        self.record = record.Record(self.options.out, ["bench/rounds", *sys.argv[1:]],
                                    self.ours.about["suite"], names, now())
        left_out = []
        for k in order.spread(len(names)):
            # A row has to fit, as far as the rows before it tell.
            if self.passed() + 0.5 * self.longest > self.options.budget or self.ours.absent:
                left_out.append(names[k])
            else:
                self.row(names[k])
                self.record.write(self.ours, left_out, self.load)
        left_out.sort(key=names.index)
        self.record.write(self.ours, left_out, self.load)
        if left_out:
            print(f"{len(left_out)} of {len(names)} rows left out, no time left", flush=True)

    def begin(self, peer):
        try:
            peer.start()
        except (Gone, Refused) as problem:
            print(f"{peer.name} is absent: {problem}", flush=True)

    def row(self, name):
        begun = self.passed()
        self.renew_ceilings()
        rows = row.measure_row(name, self.ours, self.peers, self.pace)
        others = self.sample(name)
        for own in rows.values():
            for one in own:
                one["others"] = others
        self.record.add(rows)
        self.failed |= any(not one["ok"] for one in rows.get(self.ours, []))
        self.longest = max(self.longest, self.passed() - begun)
        print(f"{self.passed():6.0f} s  {line_of(name, rows)}", flush=True)

    def renew_ceilings(self):
        """They take a second, on a GPU many: there they are measured once."""
        first = not self.record.ceilings
        if first or (self.options.device == "cpu" and self.passed() - self.ceilings_at > FRESH):
            self.record.ceilings.append(self.ours.ask({"do": "ceilings"}))
            self.ceilings_at = self.passed()

    def absent(self):
        """{peer: why, in one line}"""
        return {peer.name + ("" if peer.about is None else ", in part"): peer.absent or peer.lost[-1]
                for peer in self.peers if peer.lost}

    def close(self):
        for contender in (self.ours, *self.peers):
            contender.close()


def line_of(name, rows):
    """A row for people: the time of each executor."""
    times = [f"{one['executor']} " + (f"{one['seconds'] * 1e6:.1f} us" if one["ok"] else f"({one['error']})")
             for own in rows.values() for one in own]
    return f"{name}: {', '.join(times) or 'not offered'}"


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def main():
    options = arguments()
    os.makedirs(options.out, exist_ok=True)
    run = Run(options)
    try:
        run.all()
    except (Gone, Refused) as problem:
        print(f"bench/rounds: matgrad: {problem}", file=sys.stderr)
        run.failed = True
    finally:
        run.close()
    record.write(os.path.join(options.out, "absent.json"), run.absent())
    if run.load.content()["busy"]:
        print("bench/rounds: other processes were busy on this machine: do not quote these results", flush=True)
    return 1 if run.failed else 0


if __name__ == "__main__":
    sys.exit(main())
