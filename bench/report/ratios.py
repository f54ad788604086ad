"""How many times faster than each peer, case by case, the worst first."""

import matplotlib.ticker

from results import geometric_mean
from style import BLACK, GREY, look, plt, save


def draw(results, folder):
    pairs = [p for p in results.pairs() if p.ratio is not None]
    if not pairs:
        return None
    height = 1.6 + 0.21 * len(pairs)
    figure, axis = plt.subplots(figsize=(9.5, height))
    seen = {}
    for y, pair in enumerate(pairs):
        fastest = {}
        for row in pair.peers:
            fastest.setdefault(row.executor, row)
        for executor, row in fastest.items():
            seen[executor] = True
            axis.plot(row.seconds / pair.ours.seconds, y, linestyle="", zorder=3,
                      markersize=7 if row is pair.best_peer else 4.5,
                      alpha=1 if row is pair.best_peer else 0.75, **look(executor))
        axis.plot([1, pair.ratio], [y, y], color=GREY, linewidth=1.2, zorder=2)
    axis.axvline(1, color=BLACK, linewidth=1.2)
    axis.set(xscale="log", yticks=range(len(pairs)), ylim=(len(pairs) - 0.4, -0.6))
    axis.set_yticklabels([p.name for p in pairs], fontsize=8, family="DejaVu Sans Mono")
    axis.xaxis.set_major_locator(matplotlib.ticker.LogLocator(subs=(1, 2, 5), numticks=30))
    axis.xaxis.set_minor_locator(matplotlib.ticker.NullLocator())
    axis.xaxis.set_major_formatter(matplotlib.ticker.FuncFormatter(lambda v, _: f"{v:g}"))
    axis.set_xlabel("time of the peer / time of matgrad: left of 1 the peer is faster")
    handles = [plt.Line2D([], [], linestyle="", markersize=7, label=name, **look(name))
               for name in sorted(seen)]
    mean = geometric_mean(p.ratio for p in pairs)
    losses = sum(p.ratio < 1 for p in pairs)
    axis.set_title(f"Against the best peer of each case (large marks): geometric mean {mean:.2f}, "
                   f"minimum {pairs[0].ratio:.2f}, {losses} of {len(pairs)} below 1",
                   loc="right", pad=30)
    axis.legend(handles=handles, loc="lower right", bbox_to_anchor=(1, 1.0), ncols=len(handles),
                borderaxespad=0.3, handletextpad=0.2, columnspacing=1.2)
    return save(figure, folder, "ratios")
