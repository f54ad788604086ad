#!/usr/bin/env python3
"""complete.py FILE: types the beginnings of commands and a tab into bash, which has read the completion FILE."""
import os
import pty
import re
import select
import sys
import tempfile
import time

# What is typed before the tab, and what the line is then.
LINES = [
    ("matgrad der", "matgrad derive "),
    ("matgrad he", "matgrad help "),
    ("matgrad help ev", "matgrad help eval "),
    ("matgrad derive @log_det_g", "matgrad derive @log_det_gram "),
    ("matgrad derive @log_det_gram --st", "matgrad derive @log_det_gram --steps "),
    ("matgrad derive 'tr(A * X)' --format la", "matgrad derive 'tr(A * X)' --format latex "),
    ("matgrad eval @frobenius --reduce me", "matgrad eval @frobenius --reduce mean "),
    ("matgrad eval @frobenius --explain=pa", "matgrad eval @frobenius --explain=passes "),
    ("matgrad eval @frobenius X=unus", "matgrad eval @frobenius X=unusual.npy "),
    ("matgrad eval @frobenius --grad X=unus", "matgrad eval @frobenius --grad X=unusual.npy "),
    ("matgrad eval @frobenius --value unus", "matgrad eval @frobenius --value unusual.npy "),
    ("matgrad check @frobenius --device cuda:a", "matgrad check @frobenius --device cuda:all "),
    ("matgrad bench --suite sm", "matgrad bench --suite smoke "),
    ("matgrad bench --suite unus", "matgrad bench --suite unusual.npy "),
    ("matgrad completion ", "matgrad completion bash "),
    ("matgrad derive --wrt", "matgrad derive --wrt "),
]
SECONDS = 120


class Bash:
    def __init__(self, folder: str):
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.environ.update(TERM="dumb", PS1="", COLUMNS="400")
            os.environ.pop("BASH_ENV", None)
            os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])

    def type(self, text: str) -> None:
        os.write(self.terminal, text.encode())

    def read_until(self, pattern: str) -> re.Match:
        end = time.monotonic() + SECONDS
        seen = ""
        while time.monotonic() < end:
            if select.select([self.terminal], [], [], 1)[0]:
                seen += os.read(self.terminal, 4096).decode(errors="replace")
                found = re.search(pattern, seen)
                if found:
                    return found
        sys.exit(f"complete.py: no {pattern} within {SECONDS} s: {seen!r}")

    def close(self) -> None:
        os.close(self.terminal)
        os.waitpid(self.pid, 0)


def main(script: str) -> None:
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        open(os.path.join(folder, "unusual.npy"), "w").close()
        bash = Bash(folder)
        # Control-O shows the line between marks that nobody types.
        bash.type("bind -x '\"\\C-o\": printf \"<%s>\\n\" \"{$READLINE_LINE}\"'; bind 'set bell-style none'\n")
        bash.type(f"source '{script}'; printf 'rea%s\\n' dy\n")
        bash.read_until("ready")
        for typed, expected in LINES:
            bash.type(typed + "\t\x0f")
            line = bash.read_until(r"<\{(.*)\}>").group(1)
            bash.type("\x15")
            if line != expected:
                wrong.append(f"{typed!r} became {line!r}, expected {expected!r}")
        bash.type("exit\n")
        bash.close()
    if wrong:
        sys.exit("\n".join(wrong))


main(os.path.abspath(sys.argv[1]))
