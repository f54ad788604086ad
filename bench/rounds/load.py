"""What else the machine does while it is measured, from /proc."""

import os
import time

TICKS = os.sysconf("SC_CLK_TCK")
BUSY_SHARE = 0.05  # of the processors, taken by others on the average
BUSY_MOMENT = 0.25  # ... between two samples
MOMENTS = 0.1  # of the samples may be so


def processors_of(text):
    """Ticks of all processors that somebody used, the host of a virtual machine among them, and all ticks,
    from the text of /proc/stat."""
    fields = [int(word) for word in text.split("\n", 1)[0].split()[1:9]]
    idle = fields[3] + fields[4]
    return sum(fields) - idle, sum(fields)


def ticks_of(text):
    """Ticks that a process and the children it waited for have used, from the text of /proc/PID/stat."""
    fields = text.rsplit(")", 1)[1].split()
    return sum(int(fields[k]) for k in (11, 12, 13, 14))


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def own_ticks(pids):
    total = 0
    for pid in pids:
        try:
            total += ticks_of(read(f"/proc/{pid}/stat"))
        except (FileNotFoundError, ProcessLookupError):
            pass  # ended: what it used is with its parent
    return total


class Load:
    def __init__(self, start):
        self.start = start
        self.samples = []
        self.before = None

    def sample(self, pids, where):
        """Load average, and the share of all processors that went to none of `pids` since the last sample."""
        used, all_ = processors_of(read("/proc/stat"))
        own = own_ticks(pids)
        share = None
        if self.before is not None and all_ > self.before[1]:
            # A contender that ended in between leaves its ticks to us.
            others = (used - self.before[0]) - (own - self.before[2])
            share = min(1.0, max(0.0, others / (all_ - self.before[1])))
        self.before = used, all_, own
        self.samples.append({"at": round(time.monotonic() - self.start, 2), "where": where,
                             "load_average": float(read("/proc/loadavg").split()[0]),
                             "others": None if share is None else round(share, 4)})
        return share

    def content(self):
        """For a results file: bench/README.md."""
        shares = [s["others"] for s in self.samples if s["others"] is not None]
        return {"cores": os.cpu_count(), "samples": self.samples,
                "others": sum(shares) / len(shares) if shares else None,
                "busy": is_busy(shares)}


def is_busy(shares):
    """Whether others took so much that no number should be quoted."""
    if not shares:
        return False
    moments = sum(share > BUSY_MOMENT for share in shares)
    return sum(shares) / len(shares) > BUSY_SHARE or moments > MOMENTS * len(shares)
