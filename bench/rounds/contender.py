"""A contender: a process that answers requests, a line of JSON each (bench/serving.hpp)."""

import json
import os
import selectors
import subprocess
import time


class Gone(Exception):
    """The process has ended, or is ended since it did not answer in time. Says why in one line."""


class Refused(Exception):
    """The process answered that it cannot."""


class Process:
    def __init__(self, command, log):
        """What the process says beside its answers goes to the end of the file `log`."""
        self.log = log
        self.rest = b""
        with open(log, "ab") as errors:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.process.stdout, selectors.EVENT_READ)

    @property
    def pid(self):
        return self.process.pid

    def request(self, what, patience):
        """The answer; after `patience` seconds without one the process is ended. Errors: Gone, Refused."""
        try:
            self.process.stdin.write(json.dumps(what).encode() + b"\n")
            self.process.stdin.flush()
        except OSError:
            raise self.gone() from None
        answer = json.loads(self.line(time.monotonic() + patience, patience))
        if "error" in answer and "rows" not in answer:
            raise Refused(answer["error"])
        return answer

    def line(self, end, patience):
        while b"\n" not in self.rest:
            left = end - time.monotonic()
            if left <= 0 or not self.selector.select(left):
                self.end()
                raise Gone(f"no answer within {patience:g} s")
            piece = os.read(self.process.stdout.fileno(), 1 << 16)
            if not piece:
                raise self.gone()
            self.rest += piece
        line, _, self.rest = self.rest.partition(b"\n")
        return line

    def gone(self):
        """Why the process ended by itself: the last line that it left, or its status."""
        try:
            status = self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.end()
            return Gone("closed its output")
        self.close()
        if status < 0:
            return Gone(f"ended by signal {-status}")
        with open(self.log, encoding="utf-8", errors="replace") as file:
            lines = [line.strip() for line in file if line.strip()]
        return Gone(lines[-1] if status == 3 and lines else f"ended with status {status}")

    def end(self):
        self.process.kill()
        self.process.wait()
        self.close()

    def close(self):
        self.selector.close()
        for pipe in (self.process.stdin, self.process.stdout):
            try:
                pipe.close()
            except OSError:  # what was not sent yet has no reader
                pass


class Contender:
    """A process that is started again, a few times, after it was lost; then it is absent."""

    MOST_STARTS = 3
    START = 120  # seconds until a library is there

    def __init__(self, name, command, folder, patience):
        self.name = name
        self.command = command
        self.log = os.path.join(folder, name + ".log")
        open(self.log, "wb").close()
        self.patience = patience
        self.starts = 0
        self.process = None
        self.about = None
        self.lost = []  # why it was lost, once for each time

    @property
    def absent(self):
        """Why, or None."""
        if self.about is None and self.lost:
            return self.lost[-1]  # it was never there
        if len(self.lost) >= self.MOST_STARTS:
            return f"lost {len(self.lost)} times, last: {self.lost[-1]}"
        return None

    def start(self):
        """Errors: Gone."""
        self.process = Process(self.command, self.log)
        self.about = self.ask({"do": "about"}, self.START)

    def ask(self, what, patience=None):
        """Starts the process if it is not there. Errors: Gone, Refused."""
        if self.absent:
            raise Gone(self.absent)
        if self.process is None:
            self.start()
        try:
            return self.process.request(what, patience or self.patience)
        except Gone as problem:
            self.process = None
            self.lost.append(str(problem))
            raise

    def close(self):
        if self.process is not None:
            self.process.end()
            self.process = None
