"""How many times faster than each peer, case by case, the worst first."""

import matplotlib.ticker

from results import geometric_mean
from style import BLACK, GREY, VERMILION, look, plt, save

STEP = 0.09  # between the marks of one case, so that equal ones are told apart


def draw(results, folder):
    pairs = [p for p in results.pairs() if p.ratio is not None]
    if not pairs:
        return None
    executors = sorted({row.executor for pair in pairs for row in pair.peers})
    height = 1.6 + 0.24 * len(pairs)
    figure, axis = plt.subplots(figsize=(9.5, height))
    for y, pair in enumerate(pairs):
        draw_pair(axis, y, pair, executors)
    axis.axvline(1, color=BLACK, linewidth=1.2)
    axis.set(xscale="log", yticks=range(len(pairs)), ylim=(len(pairs) - 0.4, -0.6))
    axis.set_yticklabels([p.name + ("" if p.complete else " *") for p in pairs], fontsize=8,
                         family="DejaVu Sans Mono")
    axis.xaxis.set_major_locator(matplotlib.ticker.LogLocator(subs=(1, 2, 5), numticks=30))
    axis.xaxis.set_minor_locator(matplotlib.ticker.NullLocator())
    axis.xaxis.set_major_formatter(matplotlib.ticker.FuncFormatter(lambda v, _: f"{v:g}"))
    axis.set_xlabel("time of the peer / time of matgrad: left of 1 the peer is faster; bars: the interval of the "
                    "ratio\nnumbers: to the best peer; a star: a peer that offers the case has no time in it")
    handles = [plt.Line2D([], [], linestyle="", markersize=7, label=name, **look(name)) for name in executors]
    axis.set_title(title_of(pairs), loc="right", pad=30)
    axis.legend(handles=handles, loc="lower right", bbox_to_anchor=(1, 1.0), ncols=len(handles),
                borderaxespad=0.3, handletextpad=0.2, columnspacing=1.2)
    return save(figure, folder, "ratios")


def draw_pair(axis, y, pair, executors):
    fastest = {}
    for row in pair.peers:
        fastest.setdefault(row.executor, row)
    for executor, row in fastest.items():
        best = row is pair.best_peer
        shift = STEP * (executors.index(executor) - (len(executors) - 1) / 2)
        ratio = pair.ratio if best else row.seconds / pair.ours.seconds
        axis.plot(ratio, y + shift, linestyle="", zorder=3, markersize=7 if best else 4.5,
                  alpha=1 if best else 0.75, **look(executor))
        if best and pair.interval:
            axis.plot(pair.interval[:2], [y + shift] * 2, color=BLACK, linewidth=1.2, zorder=4)
    axis.plot([1, pair.ratio], [y, y], color=GREY, linewidth=1.2, zorder=2)
    axis.annotate(f"{pair.ratio:.2f}", (1, y), xycoords=("axes fraction", "data"), xytext=(5, 0),
                  textcoords="offset points", va="center", fontsize=8, family="DejaVu Sans Mono",
                  color=VERMILION if pair.ratio < 1 else BLACK)


def title_of(pairs):
    complete = [p for p in pairs if p.complete]
    if not complete:
        return "Against the best peer of each case (large marks)"
    losses = sum(p.ratio < 1 for p in complete)
    return (f"Against the best peer of each case (large marks): geometric mean "
            f"{geometric_mean(p.ratio for p in complete):.2f}, minimum {complete[0].ratio:.2f}, {losses} of "
            f"{len(complete)} below 1")
