"""Commands with a limit: whatever they do, they end, and what they started ends with them."""

import ctypes
import os
import signal
import subprocess
import time

POLL = 0.05
KILL_AFTER = 3  # seconds between being asked to end and being killed
MOST_LOG_BYTES = 64 << 20  # of one command: more is a program gone wrong


LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1


def die_with_parent():
    """Of the child before its program: it is asked to end when this process is killed."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Job:
    """One command in a process group of its own, its output in files."""

    def __init__(self, command, log, env=None, cwd=None, limit=60.0, stall=None, stdout=None):
        self.command = [str(word) for word in command]
        self.log = log
        self.stdout = stdout  # a file for it alone; with the log otherwise
        self.env = env
        self.cwd = cwd
        self.limit = max(1.0, limit)
        self.stall = stall  # seconds without a byte of output after which it counts as hanging
        self.status = None
        self.why = ""  # it was ended
        self.seconds = 0.0
        self.popen = None

    def start(self):
        self.begun = time.monotonic()
        self.heard = self.begun
        self.bytes = 0
        # timeout(1) leads the group: it ends all of it at the limit, or when it is itself asked to end.
        words = ["timeout", f"--kill-after={KILL_AFTER}", f"{self.limit:.2f}", *self.command]
        with open(self.log, "ab") as log:
            log.write((" ".join(self.command) + "\n").encode())
            log.flush()
            stdout = open(self.stdout, "wb") if self.stdout else log
            try:
                self.popen = subprocess.Popen(
                    words, stdin=subprocess.DEVNULL, stdout=stdout, stderr=log, env=self.env,
                    cwd=self.cwd, preexec_fn=die_with_parent)
            finally:
                if stdout is not log:
                    stdout.close()

    def is_over(self):
        if self.popen.poll() is not None:
            self.finish()
            return True
        now = time.monotonic()
        size = sum(os.path.getsize(f) for f in (self.log, self.stdout) if f and os.path.exists(f))
        if size != self.bytes:
            self.bytes, self.heard = size, now
        if not self.why:
            if size > MOST_LOG_BYTES:
                self.end(f"ended: more than {MOST_LOG_BYTES >> 20} MiB of output")
            elif self.stall and now - self.heard > self.stall:
                self.end(f"ended: no output for {self.stall:.0f} s")
        elif now - self.begun > self.limit + KILL_AFTER + 5:
            self.popen.kill()
        return False

    def end(self, why):
        self.why = why
        self.popen.terminate()

    def finish(self):
        self.status = self.popen.returncode
        self.seconds = time.monotonic() - self.begun
        if not self.why and self.seconds >= self.limit - 0.01 and self.status in (124, 137, -9):
            self.why = f"ended: out of time, {self.limit:.0f} s"
        if self.bytes > MOST_LOG_BYTES:
            for file in (self.log, self.stdout):
                if file and os.path.exists(file) and os.path.getsize(file) > MOST_LOG_BYTES:
                    os.truncate(file, MOST_LOG_BYTES)

    @property
    def outcome(self):
        """"" if it succeeded."""
        if self.why:
            return self.why
        # timeout(1) tells of a signal as the shell does.
        number = -self.status if self.status < 0 else self.status - 128
        if number in set(signal.Signals):
            return f"crashed: {signal.Signals(number).name}"
        return f"exit status {self.status}" if self.status else ""

    def output(self, file=None):
        """The text of its log, without the line of the command."""
        with open(file or self.log, encoding="utf-8", errors="replace") as text:
            if not file:
                text.readline()
            return text.read()


def run(job):
    run_all([job], 1)
    return job


def run_all(jobs, slots, finished=None):
    """Runs jobs, `slots` at a time. `finished(job)` is called after each. Whatever interrupts this ends
    those that run."""
    waiting, running = list(jobs), []
    try:
        while waiting or running:
            while waiting and len(running) < slots:
                job = waiting.pop(0)
                job.start()
                running.append(job)
            for job in [job for job in running if job.is_over()]:
                running.remove(job)
                if finished:
                    finished(job)
            if running:
                time.sleep(POLL)
    finally:
        for job in running:
            job.end("stopped")
        for job in running:
            try:
                job.popen.wait(KILL_AFTER + 2)
            except subprocess.TimeoutExpired:
                job.popen.kill()
                job.popen.wait()
            job.finish()
