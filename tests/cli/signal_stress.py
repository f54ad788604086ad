#!/usr/bin/env python3
"""Sends signals at random moments to runs of `matgrad eval` that write several results, and counts what
is left: files that are no result, results that are neither old nor new, sets that are partly both.

usage: signal_stress.py MATGRAD COUNT [SEED]     prints the counts; exit status 1 if one is not 0
"""

import array
import collections
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

SIGNALS = [signal.SIGHUP, signal.SIGPIPE, signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGXCPU]
RESULTS = ["G.npy", "v.npy", "s.npy"]
BATCH, ROWS, COLS = 6000, 8, 4
# Ended by the signal itself before the command watched for it, or as it says; or done before it came.
STATUSES = {0, 130, 141}


def write_operand(path):
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({BATCH}, {ROWS}, {COLS}), }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    numbers = random.Random(1)
    data = array.array("d", (numbers.uniform(-1, 1) for _ in range(BATCH * ROWS * COLS)))
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + data.tobytes())


def command(matgrad, memory):
    return [matgrad, "eval", "logdet(X'*X)", "--wrt", "X", "X=X.npy", "--grad", "G.npy", "--value", "v.npy",
            "--status", "s.npy", "--memory", memory, "--device", "cpu"]


def contents(folder):
    return [(folder / name).read_bytes() if (folder / name).exists() else None for name in RESULTS]


class Stress:
    def __init__(self, matgrad, folder, seed):
        self.matgrad = matgrad
        self.folder = folder
        self.random = random.Random(seed)
        self.counts = collections.Counter(leftovers=0, half_written=0, half_sets=0, wrong_statuses=0)
        write_operand(folder / "X.npy")
        self.seconds = {}
        for memory in ("64K", "256M"):
            start = time.monotonic()
            subprocess.run(command(matgrad, memory), cwd=folder, check=True, stdout=subprocess.DEVNULL)
            self.seconds[memory] = time.monotonic() - start
        self.new = contents(folder)

    def prepare(self, has_old):
        for name in RESULTS:
            (self.folder / name).unlink(missing_ok=True)
            if has_old:
                (self.folder / name).write_bytes(b"an older result, " + name.encode())
        return contents(self.folder)

    def send_one(self):
        old = self.prepare(self.random.random() < 0.7)
        memory = self.random.choice(list(self.seconds))
        sent = self.random.choice(SIGNALS)
        moment = self.random.uniform(0, 1.1 * self.seconds[memory])
        # A pipe's reader and its default for SIGPIPE are as in a shell.
        process = subprocess.Popen(command(self.matgrad, memory), cwd=self.folder, restore_signals=True,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(moment)
        process.send_signal(sent)
        status = process.wait(timeout=60)
        self.count(old, status, sent)

    def count(self, old, status, sent):
        found = contents(self.folder)
        expected = set(RESULTS) | {"X.npy"}
        left = [name for name in os.listdir(self.folder) if name not in expected]
        for name in left:
            (self.folder / name).unlink()
        is_new = [a == b for a, b in zip(found, self.new)]
        is_old = [a == b for a, b in zip(found, old)]
        self.counts["leftovers"] += len(left)
        self.counts["half_written"] += sum(not a and not b for a, b in zip(is_new, is_old))
        self.counts["half_sets"] += not (all(is_new) or all(is_old))
        self.counts["wrong_statuses"] += status not in STATUSES | {-sent} or (status == 0 and not all(is_new))
        self.counts["sent " + sent.name] += 1
        self.counts["done before" if all(is_new) else "ended by it"] += 1


def main():
    matgrad, count = os.path.abspath(sys.argv[1]), int(sys.argv[2])
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    with tempfile.TemporaryDirectory(prefix="matgrad-stress-") as folder:
        stress = Stress(matgrad, pathlib.Path(folder), seed)
        for _ in range(count):
            stress.send_one()
    counts = stress.counts
    print(f"{count} signals, seed {seed}: " + ", ".join(f"{n} {name}" for name, n in sorted(counts.items())))
    bad = ("leftovers", "half_written", "half_sets", "wrong_statuses")
    return 1 if any(counts[name] for name in bad) or counts["ended by it"] == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
