"""The run: parts one after the other within a deadline. See run.sh for the options."""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from datetime import datetime, timezone
from pathlib import Path

import machine
import process
import programs
from parts import PARTS, TITLES
from results import Part, Results
from table import part_line, summary

RESERVE = 4  # seconds to write results and end, of less than 40 s a tenth
LEAST = 3  # seconds a part is begun with, likewise


class Stopped(BaseException):
    """By a signal."""


class Run:
    """What a part is given."""

    def __init__(self, options):
        self.started = time.monotonic() - (time.time() - options.started if options.started else 0)
        self.deadline = options.deadline
        self.small = options.small
        self.programs = options.programs
        # The simulated GPU is slow: what its times are made of is a few small rows.
        self.suite = self.programs.bench / "suites" / (
            "smoke.json" if self.programs.simulated else "gpu.json")
        self.seconds = "0.005" if self.programs.simulated else "0.02" if self.small else "0.15"
        self.cores = len(os.sched_getaffinity(0))
        self.work = options.work
        self.holder = None
        self.end = self.started + self.deadline  # of the part that runs, for its commands
        # Python's libraries find theirs: only our own programs get our folders.
        self.python_env = dict(os.environ)
        self.own_env = {"MATGRAD_CACHE": self.file("kernels"), **os.environ,
                        "MATGRAD_TEST_DATA": str(self.programs.data)}
        if self.programs.libraries:
            machine.set_folders(self.own_env, [str(self.programs.libraries)] +
                                machine.folders_of(self.own_env))
        self.results = Results(options.out, self.work, {
            "command": " ".join(["run.sh", *options.words]),
            "commit": options.commit or self.programs.commit,
            "date": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "simulated": self.programs.simulated, "deadline": self.deadline,
            "machine": {}})

    def log(self, name):
        return os.path.join(self.work, name + ".log")

    def file(self, name):
        return os.path.join(self.work, name)

    @property
    def left(self):
        return self.deadline - self.share(RESERVE) - (time.monotonic() - self.started)

    def share(self, seconds):
        return min(seconds, 0.1 * self.deadline)

    def part(self, name):
        """The part of that name that has been, or None."""
        return next((part for part in self.results.parts if part.name == name), None)

    def close(self):
        if self.holder:
            self.holder.stdin.close()
            self.holder.kill()
            try:
                self.holder.wait(2)
            except subprocess.TimeoutExpired:
                pass  # within the driver; nothing ends it
        shutil.rmtree(self.work, ignore_errors=True)


def say(text):
    """A reader of the output who is gone costs no result."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Parser(argparse.ArgumentParser):
    def error(self, message):
        print(f"run.sh: {message}; see run.sh --help", file=sys.stderr)
        sys.exit(2)


def seconds(text):
    try:
        number = float(text)
    except ValueError:
        number = 0
    if not 2 <= number < float("inf"):
        raise argparse.ArgumentTypeError(f"found {text}, expected at least 2 seconds")
    return number


def is_writable(folder):
    """Also as far as a few logs need."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(1 << 20))
        return True
    except OSError:
        return False


def work_folder(out):
    """In the first place that takes anything."""
    folder = next((f for f in (os.environ.get("TMPDIR"), "/tmp", out) if f and is_writable(f)), None)
    return folder and tempfile.mkdtemp(prefix="matgrad-run.", dir=folder)


def arguments():
    parser = Parser(prog="run.sh", add_help=False)
    parser.add_argument("--started", type=float, help=argparse.SUPPRESS)
    parser.add_argument("--out", default=os.environ.get("OUT"))
    parser.add_argument("--deadline", type=seconds, default=540)
    parser.add_argument("--only", nargs="+", choices=[p.name for p in PARTS], metavar="PART")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--build", type=Path)
    parser.add_argument("--simulated", type=Path)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--commit", default="")
    words = sys.argv[1:]
    if words[:1] == ["--started"]:
        words = words[2:]
    options = parser.parse_args()
    options.words = words
    if options.list:
        return options
    if not options.out:
        parser.error("--out DIR, or OUT in the environment: where do results go?")
    if options.build and options.simulated:
        parser.error("--build and --simulated exclude each other")
    folder = options.build or options.simulated
    if folder and not folder.is_dir():
        parser.error(f"{folder} is no folder")
    if folder:
        of = programs.of_simulated if options.simulated else programs.of_build
        options.programs = of(folder.resolve())
    else:
        options.programs = programs.of_bundle(Path(__file__).resolve().parents[1])
    try:
        os.makedirs(options.out, exist_ok=True)
    except OSError as problem:
        parser.error(f"--out {options.out}: {problem.strerror}")
    if not is_writable(options.out):
        parser.error(f"--out {options.out}: cannot be written to")
    options.work = work_folder(options.out)
    return options


def do(run, entry, limit):
    """One part; whatever goes wrong is its own."""
    begun = time.monotonic()
    run.end = begun + limit - min(1, limit / 4)
    run.results.show(Part(entry.name))
    stopped = None
    try:
        part = entry.function(run, limit)
    except machine.NoGpu as none:
        part = Part(entry.name, "failed", f"no GPU: {none}")
        stopped = none
    except Stopped as stop:
        part = Part(entry.name, "failed", f"stopped: {stop}")
        stopped = stop
    except Exception as problem:  # a mistake of this script costs a part, not the run
        with open(run.log(entry.name + ".traceback"), "w", encoding="utf-8") as log:
            traceback.print_exc(file=log)
        part = Part(entry.name, "failed", f"{type(problem).__name__}: {problem}"[:200])
    part.seconds = time.monotonic() - begun
    lost = entry.name != "machine" and not stopped and part.result != "passed" and machine.why_lost(run)
    if lost:
        run.results.about["ended"] = f"GPU lost during {entry.name}: {lost}"
        part.result = "failed"
    run.results.add(part)
    say(part_line(part.as_json()))
    if stopped:
        raise stopped
    return not lost


def carry_out(run, wanted):
    """Every wanted part. The limit of one grows by what those before it have left over."""
    for index, entry in enumerate(wanted):
        later = sum(p.limit for p in wanted[index + 1:])
        limit = min(max(entry.limit, run.left - later), run.left)
        if limit < max(run.share(LEAST), 1.5 * process.LEAST):
            part = Part(entry.name, "late", f"no time left of {run.deadline:.0f} s")
            run.results.add(part)
            say(part_line(part.as_json()))
            continue
        if not do(run, entry, limit) or (entry.name == "machine" and run.results.failed):
            return


def main():
    process.die_with_parent()
    options = arguments()
    if options.list:
        for entry in PARTS:
            say(f"{entry.name:10s} {entry.limit:4d} s  {TITLES[entry.name]}")
        return 0

    def stop(number, frame):
        del frame
        for other in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(other, signal.SIG_IGN)
        raise Stopped(signal.Signals(number).name)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, stop)
    run = Run(options)
    wanted = [entry for entry in PARTS if entry.name == "machine" or not options.only or
              entry.name in options.only]
    status = 0
    try:
        carry_out(run, wanted)
        run.results.finished = True
    except Stopped:
        pass
    except machine.NoGpu:
        status = 3
    finally:
        run.results.write()
        say(summary(run.results.as_json()))
        run.close()
    if status == 0 and run.results.failed:
        status = 1
    if status == 3:
        print(f"run.sh: {run.results.parts[-1].note}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
