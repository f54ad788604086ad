"""What the tests of run.sh share: a run over a tree of made-up programs. The last word of the command line is
run.sh."""

import json
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import time
import unittest

RUN = sys.argv.pop()
sys.path.append(str(pathlib.Path(RUN).with_name("run")))

from fake_programs import write_tree

MOST_LINES = 40
SLACK = 2  # seconds that a busy machine takes to start and end programs
# Parts that the fake tree has programs for.
WITH_PROGRAMS = ("tests", "bench", "cublas")


class RunTest(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory(prefix="run-test.")
        self.addCleanup(self.temporary.cleanup)
        self.folder = pathlib.Path(self.temporary.name)
        self.out = self.folder / "out"
        # What a run that is killed leaves behind goes with the folder.
        self.env = {**os.environ, "TMPDIR": str(self.folder)}

    def command(self, *options):
        return ["bash", RUN, "--simulated", str(self.folder / "build"), "--out", str(self.out),
                *options]

    def run_over(self, *options, only=WITH_PROGRAMS, **tree):
        """Runs over a fake tree. Returns the process and the parts by name."""
        write_tree(self.folder / "build", **tree)
        words = ["--only", *only] if only else []
        begun = time.monotonic()
        result = subprocess.run(self.command(*words, *options), capture_output=True, text=True,
                                env=self.env, timeout=60, check=False)
        self.seconds = time.monotonic() - begun
        return result, {part["part"]: part for part in self.whole_results()["parts"]}

    def whole_results(self):
        """The three files, each read to its end."""
        content = json.loads((self.out / "results.json").read_text(encoding="utf-8"))
        with tarfile.open(self.out / "logs.tar.gz") as archive:
            for member in archive:
                archive.extractfile(member).read()
        summary = (self.out / "summary.txt").read_text(encoding="utf-8")
        self.assertTrue(summary.endswith("failed\n"), summary)
        self.assertLessEqual(len(summary.splitlines()), MOST_LINES)
        return content
