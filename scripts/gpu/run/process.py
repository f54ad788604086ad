"""Commands with a limit: whatever they do, they end, and what they started ends with them."""

import ctypes
import os
import shutil
import signal
import subprocess
import time

POLL = 0.02
KILL_AFTER = 2  # seconds between being asked to end and being killed
GIVE_UP_AFTER = 1  # seconds more, for a process that is killed to be gone: one within the driver may stay
LEAST = 1  # seconds a command is begun with
MOST_LOG_BYTES = 64 << 20  # of one command: more is a program gone wrong


LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1


def die_with_parent():
    """Of a process about itself: it is asked to end when the one that started it is killed."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def dying_with_this():
    """The same for a process that this one is about to start, which may find this one gone already."""
    parent = os.getpid()

    def prepare():
        die_with_parent()
        if os.getppid() != parent:
            os._exit(1)

    return prepare


# timeout(1) that is told to end while it makes its child ends without it. So the child asks to be killed with its
# parent, and then looks whether that is still there.
FAITHFUL = ["setpriv", "--pdeathsig", "KILL", "sh", "-c",
            'read -r parent </proc/$PPID/comm && [ "$parent" = timeout ] || exit 143; exec "$@"', "sh"]


class Job:
    """One command in a process group of its own, its output in files."""

    def __init__(self, command, log, env=None, cwd=None, limit=60.0, stall=None, stdout=None):
        self.command = [str(word) for word in command]
        self.log = log
        self.stdout = stdout  # a file for it alone; with the log otherwise
        self.env = env
        self.cwd = cwd
        self.limit = limit
        self.stall = stall  # seconds without a byte of output after which it counts as hanging
        self.status = None
        self.why = ""  # it was ended, or never begun
        self.seconds = 0.0
        self.popen = None

    def start(self, end=None):
        """`end`: of the part it belongs to, which no command outlives."""
        self.begun = time.monotonic()
        self.limit = max(LEAST, self.limit if end is None else min(self.limit, end - self.begun))
        self.most = self.begun + self.limit + KILL_AFTER + GIVE_UP_AFTER
        self.heard = self.begun
        self.bytes = 0
        # timeout(1) leads the group: it ends all of it at the limit, or when it is itself asked to end.
        words = ["timeout", f"--kill-after={KILL_AFTER}", f"{self.limit:.2f}",
                 *(FAITHFUL if shutil.which("setpriv") else []), *self.command]
        with open(self.log, "ab") as log:
            log.write((" ".join(self.command) + "\n").encode())
            log.flush()
            stdout = open(self.stdout, "wb") if self.stdout else log
            try:
                self.popen = subprocess.Popen(
                    words, stdin=subprocess.DEVNULL, stdout=stdout, stderr=log, env=self.env,
                    cwd=self.cwd, preexec_fn=dying_with_this())
            finally:
                if stdout is not log:
                    stdout.close()

    def is_over(self):
        # Being asked to end may have found that it has ended: nobody can wait for it then.
        if self.popen.returncode is not None or os.waitid(
                os.P_PID, self.popen.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            self.kill()  # what it left behind
            self.finish()
            return True
        now = time.monotonic()
        size = sum(os.path.getsize(f) for f in (self.log, self.stdout) if f and os.path.exists(f))
        if size != self.bytes:
            self.bytes, self.heard = size, now
        if now > self.most:
            self.kill()
            self.why = self.why or "could not be killed"
            self.finish()
            return True
        if not self.why:
            if size > MOST_LOG_BYTES:
                self.end(f"ended: more than {MOST_LOG_BYTES >> 20} MiB of output")
            elif self.stall and now - self.heard > self.stall:
                self.end(f"ended: no output for {self.stall:.0f} s")
        return False

    def end(self, why):
        self.why = why
        self.popen.terminate()
        self.most = min(self.most, time.monotonic() + KILL_AFTER + GIVE_UP_AFTER)

    def kill(self):
        """All of its group, whose leader timeout(1) makes itself."""
        try:
            os.killpg(self.popen.pid, signal.SIGKILL)
        except ProcessLookupError:
            self.popen.kill()

    def finish(self):
        self.status = self.popen.poll()
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
        try:
            with open(file or self.log, encoding="utf-8", errors="replace") as text:
                if not file:
                    text.readline()
                return text.read()
        except FileNotFoundError:  # it was never begun
            return ""


def run(job, end=None):
    run_all([job], 1, end)
    return job


def run_all(jobs, slots, end=None, finished=None):
    """Runs jobs, `slots` at a time, until `end` of the monotonic clock; one without time by then is not
    begun. `finished(job)` is called after each that was. Whatever interrupts this ends those that run."""
    waiting, running = list(jobs), []
    try:
        while waiting or running:
            while waiting and len(running) < slots:
                job = waiting.pop(0)
                if end is not None and end - time.monotonic() < LEAST:
                    job.why = "not run: out of time"
                    continue
                job.start(end)
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
        while running:
            running = [job for job in running if not job.is_over()]
            time.sleep(POLL)
