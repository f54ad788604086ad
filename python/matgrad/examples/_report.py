"""What the examples share around their loops: arguments, progress, a plot, a summary in text."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any


class CannotRun(Exception):
    """Something that the example needs is not here; the text says what."""


class Report:
    """Progress on the terminal, and the files NAME.png and NAME.txt.

    small   a size that takes a second or two was asked for
    folder  where the files go
    """

    def __init__(self, name: str, folder: Path, small: bool = False):
        self.name = name
        self.folder = Path(folder)
        self.small = small
        self._lines: list[str] = []
        self._begin = time.perf_counter()
        self._last = -1.0

    def progress(self, text: str, every: float = 0.25) -> None:
        """Prints a line with the seconds so far, unless the last one was less than `every` seconds ago."""
        now = time.perf_counter() - self._begin
        if now - self._last >= every:
            self._last = now
            print(f"  {now:6.1f} s  {text}", flush=True)

    def say(self, text: str) -> None:
        """Prints a line and keeps it for the summary."""
        self._lines.append(text)
        print(text, flush=True)

    def plot(self, draw: Callable[[Any], None]) -> None:
        """Saves NAME.png: `draw` is given the axes of matplotlib to draw in."""
        try:
            from matplotlib.figure import Figure
        except ImportError:
            self.say("no plot: matplotlib is not installed")
            return
        figure = Figure(figsize=(7, 4.5), layout="constrained")
        axes = figure.add_subplot()
        draw(axes)
        path = self.folder / f"{self.name}.png"
        figure.savefig(path, dpi=120)
        self.say(f"plot: {path}")

    def finish(self, reached: bool, answer: str) -> bool:
        """The last line of the summary: whether `answer` was reached."""
        seconds = time.perf_counter() - self._begin
        self.say(f"{seconds:.1f} s in all")
        self.say(f"{'reached' if reached else 'NOT REACHED'}: {answer}")
        (self.folder / f"{self.name}.txt").write_text("\n".join(self._lines) + "\n")
        return reached


def main(name: str, run: Callable[[Report], bool], text: str, arguments: Sequence[str] | None = None) -> int:
    """Runs an example from the command line; the exit status.

    text   the docstring of the example
    """
    parser = argparse.ArgumentParser(prog=f"python -m matgrad.examples.{name}", description=text.partition("\n")[0])
    parser.add_argument("--small", action="store_true", help="a size that takes a second or two")
    parser.add_argument("--out", type=Path, default=Path(), metavar="DIR", help=f"for {name}.png and {name}.txt")
    options = parser.parse_args(arguments)
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        return 0 if run(Report(name, options.out, options.small)) else 1
    except (CannotRun, OSError) as problem:
        print(f"{name}: {problem}", file=sys.stderr)
        return 2
