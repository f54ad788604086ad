"""Which executor is the fastest, by size and batch, and how far matgrad is ahead or behind."""

import math

from style import BLACK, VERMILION, look, name_of, plt, save

APART = 2.5  # between two cases of one place, on the axis of sizes


def size_of(case):
    """Entries of the largest operand: what grows with the problem."""
    sizes = {d.split("=")[0]: d.split("=")[1].split(":")[0] for d in case["declare"]}
    counts = [math.prod(int(s) if s.isdigit() else case["sizes"][s] for s in shape.split(","))
              for shape in sizes.values()]
    return max(counts)


def place_of(case):
    """Size and batch, to a quarter of a decade: what is closer would lie on top of each other."""
    return tuple(10**(round(4 * math.log10(count)) / 4) for count in (size_of(case), case["batch"]))


def panels_of(results):
    """{panel: {(size, batch): [pair]}}, panels of at least two places."""
    panels = {}
    for pair in results.pairs():
        case = pair.case
        if pair.ratio is None or case["accuracy"] != "robust" or case["outputs"] == "value":
            continue
        shared = sorted({d.split("=")[0] for d in case["declare"]} - set(case["batched"]))
        key = (case["function"], case["type"], ", shared " + " ".join(shared) if shared else "")
        places = panels.setdefault(key, {})
        places.setdefault(place_of(case), []).append(pair)
    return {key: places for key, places in sorted(panels.items()) if len(places) >= 2}


def draw(results, folder):
    panels = panels_of(results)
    if not panels:
        return None
    columns = min(4, len(panels))
    lines = math.ceil(len(panels) / columns)
    figure, axes = plt.subplots(lines, columns, figsize=(4.4 * columns, 3.8 * lines), squeeze=False)
    seen = set()
    for axis, ((function, scalar, shared), places) in zip(axes.flat, panels.items()):
        draw_panel(axis, places, seen)
        axis.set_title(f"{function}, {scalar}{shared}", fontsize=9)
    for axis in list(axes.flat)[len(panels):]:
        axis.set_visible(False)
    handles = [plt.Line2D([], [], linestyle="", markersize=9, label=name_of(name), **look(name))
               for name in sorted(seen)]
    figure.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, 0.0),
                  ncols=min(6, len(handles)))
    figure.suptitle("The fastest executor. Numbers: time of the best peer / time of matgrad; red, below 1: the peer "
                    "is faster", y=1.0)
    figure.tight_layout()
    return save(figure, folder, "crossover")


def draw_panel(axis, places, seen):
    for (size, batch), pairs in places.items():
        for k, pair in enumerate(sorted(pairs, key=lambda p: p.name)):
            fastest = pair.ours if pair.ratio >= 1 else pair.best_peer
            seen.add(fastest.executor)
            at = (size * APART**(k - (len(pairs) - 1) / 2), batch)
            axis.plot(*at, linestyle="", markersize=11, **look(fastest.executor))
            label = f"{pair.ratio:.2g}" + (f"\n{what_differs(pair, pairs)}" if len(pairs) > 1 else "")
            # One above, the next below: numbers side by side would run into each other.
            above = k % 2 == 0
            axis.annotate(label, at, xytext=(0, 9 if above else -9), textcoords="offset points", ha="center",
                          va="bottom" if above else "top", fontsize=8,
                          color=VERMILION if pair.ratio < 1 else BLACK)
    axis.set(xscale="log", yscale="log", xlabel="entries of the largest operand", ylabel="problems")
    axis.margins(0.25)


def what_differs(pair, pairs):
    """The sizes of a case, or its outputs where the sizes of all are alike."""
    texts = ["x".join(str(v) for v in p.case["sizes"].values()) for p in pairs]
    own = "x".join(str(v) for v in pair.case["sizes"].values())
    return own if len(set(texts)) == len(pairs) else pair.case["outputs"]
