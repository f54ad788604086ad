"""The Markdown page: what was measured, the worst cases first, failures, then everything."""

from statistics import median

import confidence
import machine
from results import geometric_mean, time_text

FIGURES = {
    "ratios": "The ratio to every peer, case by case",
    "roofline": "Every case against the roof",
    "accuracy": "Accuracy against condition number",
    "scaling": "Scaling",
    "crossover": "Which executor is the fastest, by size and batch",
}


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]


def residual(row):
    """A residual beside its bound, as the share of the bound that it uses."""
    share = row.share_of_residual_bound
    return "" if share is None else f"{share:.2g}"


def head_of(results):
    first = results.matgrad
    lines = [f"# Benchmark: {first.get('suite') or 'suite'} on {first['device']}", ""]
    rows = []
    for file in results.files:
        versions = ", ".join(f"{k} {v}" for k, v in (file.get("versions") or {}).items())
        executors = dict.fromkeys(row["executor"] for row in file["rows"])
        tool = file["tool"] if file is first else f"{file['tool']}: {', '.join(executors)}"
        rows.append([tool, file["device"], file.get("threads", ""), versions,
                     (file.get("commit") or "")[:12], file.get("date", "")])
    lines += table(["tool", "device", "threads", "versions", "commit", "date"], rows) + [""]
    lines += ["Commands, in this order:", ""]
    lines += [f"    {command}" for command in dict.fromkeys(file["command"] for file in results.files)] + [""]
    return lines + machine.ceilings(results) + machine.load(results) + [""]


def summary(results, absent):
    pairs = results.pairs()
    lines = ["## Summary", "", *headline(pairs)]
    failed = [r for r in results.rows if r.failed]
    lines.append(f"Results that failed the check: {sum(r.ours for r in failed)} of matgrad, "
                 f"{sum(not r.ours for r in failed)} of peers.")
    lines += ["", *by_peer(results, absent)]
    if absent:
        lines += ["Peers that are absent here:", ""]
        lines += [f"- {name}: {reason}" for name, reason in absent.items()] + [""]
    return lines


def headline(pairs):
    """Of the rows in which nobody is missing; the others flatter whoever had time."""
    compared = [p for p in pairs if p.complete]
    partly = [p for p in pairs if p.ratio is not None and not p.complete]
    lines = []
    if compared:
        mean = geometric_mean(p.ratio for p in compared)
        bounds = confidence.of_the_mean([p.rounds for p in compared])
        sure = f" (95%: {bounds[0]:.2f} to {bounds[1]:.2f})" if bounds else ""
        counts = [sum(p.verdict == word for p in compared) for word in ("behind", "even")]
        lines.append(
            f"In {len(compared)} cases every installed peer that offers the case has a time. Against the best peer "
            f"of each matgrad is {mean:.2f} times as fast in the geometric mean{sure}; the minimum is "
            f"{compared[0].ratio:.2f} (`{compared[0].name}`); the peer is faster in {counts[0]}"
            + (f", and {counts[1]} are even: the rounds do not tell who is faster." if counts[1] else "."))
    if partly:
        missing = sorted({name for p in partly for name in p.unreached})
        lines.append(f"Left out of that mean: {len(partly)} cases in which {', '.join(missing)} had no time; "
                     "they are marked with a star.")
    return lines


def losses(results):
    """Where a peer is ahead, the worst first."""
    behind = [p for p in results.pairs() if p.ratio is not None and p.verdict == "behind"]
    lines = ["## Where a peer is faster", ""]
    if not behind:
        return [*lines, "In no case.", ""]
    rows = [[case_of(p), ratio_of(p), p.best_peer.executor + (f" ({p.best_peer.way})" if p.best_peer.way else ""),
             timed(p.ours), timed(p.best_peer), of_bound(p.ours)] for p in behind]
    return lines + table(["case", "ratio", "best peer", "our time", "its time", "ours of bound"], rows) + [""]


def case_of(pair):
    return f"`{pair.name}`" + ("" if pair.complete or pair.ratio is None else " *")


def ratio_of(pair):
    if pair.ratio is None:
        return ""
    if pair.interval is None:
        return f"{pair.ratio:.2f}"
    return f"{pair.ratio:.2f} [{pair.interval[0]:.2f}, {pair.interval[1]:.2f}]"


def of_bound(row):
    return f"{row.percent_of_bound:.0f}%" if row and row.percent_of_bound else ""


def by_peer(results, absent):
    """The ratio to each peer alone; one that is absent has a line too."""
    ratios, counts = {}, {}
    for pair in results.pairs():
        for row in pair.peers:
            if pair.ours is not None:
                ratios.setdefault(row.executor, []).append(row.seconds / pair.ours.seconds)
    for row in results.rows:
        if not row.ours:
            count = counts.setdefault(row.executor, [0, 0, 0])
            count[0] += row.timed
            count[1] += row.failed
            count[2] += not row.timed and not row.failed
    if not counts and not absent:
        return []
    rows = [[name, 0, "", "", "absent", ""] for name in absent
            if not name.endswith("in part") and name not in counts]
    for name, (timed, failed, without) in counts.items():
        values = ratios.get(name, [])
        rows.append([name, timed, failed, without,
                     f"{geometric_mean(values):.2f}" if values else "",
                     f"{min(values):.2f}" if values else ""])
    return table(["peer", "timed", "FAIL", "not run", "geometric mean of its time / ours",
                  "minimum"], rows) + [""]


def cases(results):
    lines = ["## All cases, the worst first", "",
             "`ratio` is the time of the best peer over matgrad's: below 1 the peer is faster. Brackets hold "
             f"the median ratio's interval{machine.confidence_text(results)}. A star: a peer that offers the case "
             "has no time in it. "
             "`of bound` is the least time that bytes and operations allow over the time taken. "
             "`enqueue` is what the host takes of it on a GPU. "
             "`check` is the largest residual over its bound, matgrad's and the peer's. "
             "`(1)`: one repeat only. `busy`: other processes had over a tenth of the processors. Times are "
             "medians, of the rounds where there are any; brackets hold the quartiles.", ""]
    rows = []
    for pair in results.pairs():
        ours, peer = pair.ours, pair.best_peer
        rows.append([
            case_of(pair) + (" busy" if ours and (ours.others or 0) > 0.1 else ""), ratio_of(pair),
            ours.executor if ours else "none",
            timed(ours), time_text(ours.enqueue_seconds) if ours else "",
            of_bound(ours),
            f"{peer.executor}" + (f" ({peer.way})" if peer and peer.way else "") if peer else "",
            timed(peer), " / ".join(residual(r) or "-" for r in (ours, peer) if r)])
    return lines + table(["case", "ratio", "executor", "time", "enqueue",
                          "of bound", "best peer", "its time",
                          "check"], rows) + [""]


def beside_the_time(results):
    """What no time of a case holds, by executor: making plans, and the host's part on a GPU."""
    plans, enqueues = {}, {}
    for row in results.rows:
        for seconds, kept in ((row.plan_seconds, plans), (row.enqueue_seconds, enqueues)):
            if seconds is not None:
                kept.setdefault(row.executor, []).append(seconds)
    if not plans and not enqueues:
        return []
    lines = ["## Beside the time of a case", "",
             "`plan` is the first run's making of a plan or compiling, once for a case. `enqueue` is "
             "the host's part of a call on a GPU that has nothing else to do.", ""]
    rows = []
    for name in dict.fromkeys([*plans, *enqueues]):
        made, enqueued = plans.get(name, []), enqueues.get(name, [])
        rows.append([name, *(time_text(f(made)) if made else "" for f in (median, max)),
                     *(time_text(f(enqueued)) if enqueued else "" for f in (median, max))])
    return lines + table(["executor", "plan, median", "largest", "enqueue, median", "largest"],
                         rows) + [""]


def timed(row):
    if row is None:
        return ""
    if row.once:
        return f"{time_text(row.seconds)} (1)"
    return f"{time_text(row.seconds)} [{time_text(row.low)}, {time_text(row.high)}]"


def failures(results):
    failed = [r for r in results.rows if r.failed]
    lines = ["## Failures", ""]
    if failed:
        lines += table(["case", "executor", "FAIL"],
                       [[f"`{r.name}`", r.executor, r.error] for r in failed])
    else:
        lines.append("No result failed its check.")
    other = [r for r in results.rows if not r.ok and not r.failed]
    if other:
        lines += ["", "Without a time for other reasons:", ""]
        grouped = {}
        for row in other:
            grouped.setdefault((row.executor, row.error), []).append(row.name)
        lines += [f"- {executor}: {error} ({len(names)}: "
                  + ", ".join(f"`{n}`" for n in names[:4]) + (", ..." if len(names) > 4 else "")
                  + ")" for (executor, error), names in grouped.items()]
    for file in results.files:
        names = file.get("left_out") or []
        if names:
            lines += ["", f"Rows of {file['tool']} for which no time was left: {len(names)}, "
                      + ", ".join(f"`{n}`" for n in names) + "."]
    return lines + [""]


def conditions():
    return """## How it was measured

Both sides compute the same cases from the same seed, hold their results to the same differential check
(bench/README.md), and read as many copies of their operands in turn, so that these do not come from the
last-level cache; a peer takes at most 1,000 copies of a tiny case. Peers run with as many threads as matgrad.
A row goes through all contenders in rounds before the next row begins, so a ratio compares times of the same
minute (records without rounds: one tool after the other). The first runs and all compilation are left out,
and a GPU is kept busy for 0.1 s before it is measured, since the clock of an idle one is low. matgrad
computes Gram matrices and factors of float data in double unless a case says `fast`; the peers compute float
data in float, as their users do, so a ratio in float compares more accurate work with less: `check` shows
both residuals. NumPy, JAX and PyTorch closed forms are written in several ways where there are several (named
in brackets), and the fastest that passes is timed; NumPy's batch is also split over threads by hand.
Functions other than the four use the NumPy text that `matgrad derive` prints, rewritten for a batch
(`printed`). The memory of results: matgrad and NumPy write into results that exist, JAX and PyTorch allocate
theirs, from memory that the C library is told to keep and to back by large pages.
""".splitlines()


def write(path, results, figures, absent, accuracy=()):
    """`accuracy`: lines that stand below the figure of accuracy, or without it."""
    lines = head_of(results) + summary(results, absent) + losses(results)
    if "ratios" in figures:
        lines += [f"![{FIGURES['ratios']}](ratios.svg)", ""]
    lines += cases(results) + beside_the_time(results) + failures(results)
    for name in figures:
        if name != "ratios":
            lines += [f"## {FIGURES[name]}", "", f"![{FIGURES[name]}]({name}.svg)", ""]
            lines += accuracy if name == "accuracy" else []
    if accuracy and "accuracy" not in figures:
        lines += [f"## {FIGURES['accuracy']}", "", *accuracy]
    missing = [name for name in FIGURES if name not in figures]
    if missing:
        lines += ["Figures for which these results hold nothing: " + ", ".join(missing) + ".", ""]
    lines += conditions()
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines).rstrip() + "\n")
