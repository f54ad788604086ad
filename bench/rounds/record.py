"""The results files of a run, one for each contender, whole after every row."""

import json
import os
import statistics


def spoken(word):
    """A word of a command as a record keeps it: where this machine has its folders is left out."""
    return os.path.basename(word) if os.path.isabs(word) else word


def file_of(folder, contender):
    return os.path.join(folder, contender.name + ".json")


def write(path, content):
    partial = path + ".partial"
    with open(partial, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=1)
        file.write("\n")
    os.replace(partial, path)


def over_all(ceilings, choose):
    return {scalar: {name: choose([one[scalar][name] for one in ceilings]) for name in rates}
            for scalar, rates in ceilings[0].items()}


class Record:
    def __init__(self, folder, command, suite, names, date):
        self.folder = folder
        self.command = " ".join(map(spoken, command))
        self.suite = suite
        self.place = {name: k for k, name in enumerate(names)}  # rows come in the order of the suite
        self.date = date
        self.rows = {}  # contender -> rows
        self.ceilings = []

    def add(self, rows):
        for contender, own in rows.items():
            kept = self.rows.setdefault(contender, [])
            kept += own
            kept.sort(key=lambda row: self.place[row["case"]["name"]])

    def write(self, ours, left_out, load):
        for contender, rows in self.rows.items():
            about = {key: value for key, value in (contender.about or {"tool": contender.name}).items()
                     if key != "cases"}
            content = {**about, "command": self.command, "date": self.date, "suite": self.suite,
                       "rows": rows, "left_out": []}
            content["ceilings"] = None
            if contender is ours:
                content.update(self.of_the_machine(), left_out=left_out, load=load.content())
            write(file_of(self.folder, contender), content)

    def of_the_machine(self):
        """The median of what was measured between rows, and the least and the most."""
        if not self.ceilings:
            return {}
        return {"ceilings": over_all(self.ceilings, statistics.median),
                "ceilings_least": over_all(self.ceilings, min),
                "ceilings_most": over_all(self.ceilings, max)}
