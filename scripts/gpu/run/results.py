"""The three files of a run. Each is written beside its place and renamed, so that it is whole at any
moment, whenever this process is killed."""

import io
import json
import os
import tarfile

from table import summary

MOST_LOG = 512 << 10  # of a log that is kept: its beginning and its end
MOST_JSON = 4 << 20  # of a program's results


class Part:
    """What came of one part."""

    def __init__(self, name, result="passed", note="", **data):
        self.name = name
        self.result = result  # passed, failed, skipped, late
        self.note = note
        self.seconds = 0.0
        self.failures = data.pop("failures", [])  # lines, each a failure
        self.data = data

    def as_json(self):
        return {"part": self.name, "result": self.result, "seconds": round(self.seconds, 2),
                "note": self.note, "failures": self.failures, **self.data}


class Results:
    def __init__(self, out, work, about):
        self.out = out
        self.work = work
        self.about = about  # what heads results.json
        self.parts = []
        self.running = None  # what there is of the part that runs
        self.finished = False  # every part has had its turn
        self.write()

    def show(self, part):
        """What there is of a part that has begun, in case it is not seen to its end."""
        part.result = "running"
        self.running = part
        self.write(logs=bool(part.note))

    def add(self, part):
        self.running = None
        self.parts.append(part)
        try:
            self.write()
        except (TypeError, KeyError, ValueError, AttributeError) as problem:
            # A program's JSON that is none of ours, as far as a part has not noticed.
            part.data = {}
            part.result = "failed"
            part.failures.append(f"results that cannot be shown: {type(problem).__name__}: {problem}")
            self.write()

    @property
    def failed(self):
        return [part for part in self.parts if part.result in ("failed", "late")]

    def as_json(self):
        return {**self.about, "finished": self.finished,
                "result": "failed" if self.failed else "passed",
                "parts": [part.as_json() for part in [*self.parts, self.running] if part]}

    def write(self, logs=True):
        content = self.as_json()
        if logs:
            self.replace("logs.tar.gz", packed(self.work))
        self.replace("results.json", (json.dumps(content, indent=1) + "\n").encode())
        self.replace("summary.txt", (summary(content) + "\n").encode())

    def replace(self, name, content):
        partial = os.path.join(self.out, name + ".partial")
        with open(partial, "wb") as file:
            file.write(content)
        os.replace(partial, os.path.join(self.out, name))


def packed(folder):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=6) as archive:
        for name in sorted(os.listdir(folder)):
            path = os.path.join(folder, name)
            if not os.path.isfile(path):
                continue
            content = beginning_and_end(path)
            entry = tarfile.TarInfo(os.path.join("logs", name))
            entry.size = len(content)
            entry.mtime = os.path.getmtime(path)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def beginning_and_end(path):
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        if size <= MOST_LOG:
            return file.read()
        head = file.read(MOST_LOG // 2)
        file.seek(size - MOST_LOG // 2)
        return head + b"\n[... %d bytes left out ...]\n" % (size - MOST_LOG) + file.read()


def read_json(path):
    """Of a program that may have crashed: None where there is nothing whole."""
    try:
        if os.path.getsize(path) > MOST_JSON:
            return None
        with open(path, encoding="utf-8") as file:
            # NaN and infinity are no JSON, and no reader of results.json need know them.
            return json.load(file, parse_constant=lambda name: None)
    except (OSError, ValueError):
        return None
