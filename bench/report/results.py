"""Results files of `matgrad bench` and of the peers, read and joined by case."""

import json
import math
from dataclasses import dataclass

import confidence

OUR_EXECUTORS = ("cpu", "cuda")


@dataclass(frozen=True)
class Row:
    tool: str
    device: str
    suite: str
    data: dict

    def __getattr__(self, key):
        if key.startswith("__"):
            raise AttributeError(key)
        return self.data.get(key)

    @property
    def name(self):
        return self.data["case"]["name"]

    @property
    def ours(self):
        """True for matgrad's executors, false for peers, those in C++ among them."""
        return self.tool == "matgrad" and self.executor.split()[0] in OUR_EXECUTORS

    @property
    def timed(self):
        return bool(self.ok) and self.seconds is not None and self.seconds > 0

    @property
    def failed(self):
        """A wrong result; a row that was not run or is not offered has not failed."""
        return not self.ok and self.residual is not None

    @property
    def unreached(self):
        """No time, and nothing is known of what it would be: it was not run, or lost on the way. A row that
        failed, or that a peer says it cannot do, is no such row."""
        error = self.error or ""
        return not self.timed and not self.failed and (
            bool(self.lost) or error.startswith(("not run:", "not run ", "stopped:")))

    @property
    def share_of_residual_bound(self):
        if not self.residual_bound or self.residual is None:
            return None
        return self.residual / self.residual_bound

    @property
    def once(self):
        return bool(self.data.get("once")) or self.repeats == 1


@dataclass
class Pair:
    """One case: matgrad's fastest executor against the fastest peer."""

    name: str
    case: dict
    ours: Row  # None where no executor of ours has a time
    peers: list  # timed rows, the fastest first
    unreached: tuple = ()  # peers that offer the case and have no time

    @property
    def best_peer(self):
        return self.peers[0] if self.peers else None

    @property
    def ratio(self):
        """How many times faster than the best peer, the median of the rounds; below 1 the peer is faster."""
        rounds = self.rounds
        return confidence.median(rounds) if rounds else None

    @property
    def complete(self):
        """Every installed peer that offers the case has a time."""
        return self.ratio is not None and not self.unreached

    @property
    def rounds(self):
        """The ratio in each round, of times of the same minute; that of the medians where there were no rounds."""
        if self.ours is None or not self.peers:
            return []
        ours, peer = self.ours.rounds or [self.ours.seconds], self.peers[0].rounds or [self.peers[0].seconds]
        if len(ours) > 1 and len(peer) == 1:  # it was too slow for more
            ours = [self.ours.seconds]
        return [b / a for a, b in zip(ours, peer)]

    @property
    def interval(self):
        """(low, high, confidence) of the ratio; None without rounds."""
        rounds = self.rounds
        return confidence.of_the_median(rounds) if len(rounds) > 1 else None

    @property
    def verdict(self):
        """"ahead", "behind", or "even" where the rounds do not tell."""
        low, high = self.interval[:2] if self.interval else (self.ratio, self.ratio)
        return "ahead" if low > 1 else "behind" if high < 1 else "even"


class Results:
    def __init__(self, paths):
        self.files = []
        self.rows = []
        for path in paths:
            with open(path, encoding="utf-8") as file:
                content = json.load(file)
            self.files.append(content)
            self.rows += [Row(content["tool"], content.get("device") or "unknown",
                              content.get("suite") or "", row) for row in content["rows"]]

    @property
    def matgrad(self):
        return next((f for f in self.files if f["tool"] == "matgrad"), self.files[0])

    @property
    def ceilings(self):
        return next((f["ceilings"] for f in self.files if f.get("ceilings")), {})

    @property
    def load(self):
        """What else the machine did; None where that was not recorded."""
        return self.matgrad.get("load")

    def left_out(self):
        """{case: peers} of rows that peers had no time for, and that their files name without a row."""
        found = {}
        for file in self.files:
            for entry in file.get("left_out") or []:
                name, _, executor = entry.partition(" (")
                if executor and file["tool"] != "matgrad":
                    found.setdefault(name, []).append(executor.rstrip(")"))
        return found

    def pairs(self):
        """Every case, the smallest ratio first, then the cases that have none."""
        left_out = self.left_out()
        by_case = {}
        for row in self.rows:
            by_case.setdefault(row.name, []).append(row)
        pairs = []
        for name, rows in by_case.items():
            timed = sorted((r for r in rows if r.timed), key=lambda r: r.seconds)
            ours = next((r for r in timed if r.ours), None)
            case = next((r.case for r in rows if "f" in r.case), rows[0].case)
            unreached = [r.executor for r in rows if not r.ours and r.unreached]
            pairs.append(Pair(name, case, ours, [r for r in timed if not r.ours],
                              (*unreached, *left_out.get(name, []))))
        return sorted(pairs, key=lambda p: math.inf if p.ratio is None else p.ratio)


def geometric_mean(values):
    values = list(values)
    return math.exp(sum(math.log(v) for v in values) / len(values)) if values else math.nan


def time_text(seconds):
    if seconds is None:
        return ""
    for factor, unit in ((1, "s"), (1e3, "ms"), (1e6, "us")):
        if seconds * factor >= 1 or unit == "us":
            return f"{seconds * factor:.3g} {unit}"
    return ""
