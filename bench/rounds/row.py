"""One row through all contenders, in rounds."""

import statistics
import time
from dataclasses import dataclass

from contender import Gone, Refused
from order import turns


@dataclass
class Pace:
    seconds: float  # of a turn: one contender in one round
    rounds: int = 5
    least_rounds: int = 3
    row_seconds: float = 15  # no further round is begun after it, but for the least
    slow: float = 3  # seconds of a turn, after which its contender sits out the further rounds


@dataclass
class Entry:
    """An executor of a contender in this row."""

    contender: object
    row: dict
    times: list
    is_slow: bool = False


def measure_row(name, ours, peers, pace):
    """{contender: rows of its results file}; empty where matgrad does not offer the case."""
    rows = {}
    reply = prepare(ours, {"case": name}, rows)
    if reply is None or not reply["rows"]:
        return rows
    first = reply["rows"][0]
    for peer in peers:
        if peer.absent:
            continue
        if available_memory() < 2 * first["bytes"] * first["copies"]:  # a peer may take copies of its own
            rows[peer] = [without_time(peer, first["case"], "not run: the memory does not hold it beside the others")]
        else:
            prepare(peer, {"case": name, "row": first, "problems": reply["problems"]}, rows)
    entries = [Entry(contender, row, []) for contender, own in rows.items() for row in own if row["ok"]]
    in_rounds(entries, pace)
    for entry in entries:
        finish(entry.row, entry.times)
    for contender in rows:
        quietly(contender, {"do": "release"})
    return rows


def prepare(contender, request, rows):
    """The answer; where there is none a row without executors says why."""
    try:
        reply = contender.ask({"do": "prepare", **request})
    except (Gone, Refused) as problem:
        case = request["row"]["case"] if "row" in request else {"name": request["case"]}
        rows[contender] = [{**without_time(contender, case, ""), **why_not(problem)}]
        return None
    if reply["rows"]:
        rows[contender] = reply["rows"]
    return reply


def without_time(contender, case, error):
    """A row of a contender that was not asked, or did not say which executors it has."""
    return {"case": case, "executor": contender.name, "ok": False, "error": error, "seconds": None, "residual": None}


def available_memory():
    with open("/proc/meminfo", encoding="utf-8") as file:
        fields = dict(line.split(":") for line in file)
    return 1024 * int(fields["MemAvailable"].split()[0])


def in_rounds(entries, pace):
    start = time.monotonic()
    for round_ in range(pace.rounds):
        if round_ >= pace.least_rounds and time.monotonic() - start > pace.row_seconds:
            return
        for entry in turns(entries, round_):
            if entry.row["ok"] and not entry.is_slow:
                one_turn(entry, pace)


def one_turn(entry, pace):
    start = time.monotonic()
    try:
        entry.times.append(entry.contender.ask(
            {"do": "measure", "executor": entry.row["executor"], "seconds": pace.seconds}))
    except (Gone, Refused) as problem:
        entry.row.update(ok=False, **why_not(problem))
    entry.is_slow = time.monotonic() - start > pace.slow


def why_not(problem):
    """Fields of a row: `lost` where it says nothing of what the contender can do."""
    return {"error": str(problem), "residual": None, "lost": isinstance(problem, Gone)}


def quietly(contender, request):
    try:
        contender.ask(request)
    except (Gone, Refused):
        pass  # it says so in the next row


def finish(row, times):
    """Fills the time of a row from those of its rounds: the median of their medians, and the quartiles of these."""
    if not row["ok"]:
        return
    rounds = [time["seconds"] for time in times]
    low, middle, high = quartiles(rounds)
    enqueues = [time["enqueue_seconds"] for time in times if time.get("enqueue_seconds") is not None]
    row.update(seconds=middle, low=low, high=high, rounds=rounds,
               repeats=sum(time["repeats"] for time in times),
               once=all(time.get("once") or time["repeats"] == 1 for time in times) and len(times) == 1,
               enqueue_seconds=statistics.median(enqueues) if enqueues else None,
               gb_per_s=row["bytes"] / middle / 1e9, gflop_per_s=row["operations"] / middle / 1e9)
    if row.get("bound_seconds"):
        row["percent_of_bound"] = 100 * row["bound_seconds"] / middle


def quartiles(values):
    if len(values) == 1:
        return values * 3
    return statistics.quantiles(values, n=4, method="inclusive")
