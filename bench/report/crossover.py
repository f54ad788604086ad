"""Which executor is the fastest, by size and batch."""

import math

from style import BLACK, look, plt, save


def size_of(case):
    """Entries of the variable's matrix, or of the largest one: what grows with the problem."""
    sizes = {d.split("=")[0]: d.split("=")[1].split(":")[0] for d in case["declare"]}
    counts = [math.prod(int(s) if s.isdigit() else case["sizes"][s] for s in shape.split(","))
              for shape in sizes.values()]
    return max(counts)


def draw(results, folder):
    places = {}
    for pair in results.pairs():
        case = pair.case
        if case["accuracy"] != "robust" or case["outputs"] == "value":
            continue
        shared = sorted(set(d.split("=")[0] for d in case["declare"]) - set(case["batched"]))
        key = (case["function"], case["type"], ", shared " + " ".join(shared) if shared else "")
        place = (size_of(case), case["batch"])
        cells = places.setdefault(key, {})
        if place not in cells or case["outputs"] == "both":  # one case a place
            times = {row.executor: row.seconds for row in results.rows
                     if row.timed and row.name == pair.name}
            if len(times) > 1:  # alone, nothing is the fastest
                cells[place] = times
    panels = {key: cells for key, cells in sorted(places.items()) if len(cells) >= 2}
    if not panels:
        return None
    columns = min(4, len(panels))
    lines = math.ceil(len(panels) / columns)
    figure, axes = plt.subplots(lines, columns, figsize=(4.2 * columns, 3.6 * lines), squeeze=False)
    seen = {}
    for axis, ((function, scalar, shared), cells) in zip(axes.flat, panels.items()):
        draw_panel(axis, cells, seen)
        axis.set_title(f"{function}, {scalar}{shared}", fontsize=9)
    for axis in list(axes.flat)[len(panels):]:
        axis.set_visible(False)
    handles = [plt.Line2D([], [], linestyle="", markersize=9, label=name, **look(name))
               for name in sorted(seen)]
    figure.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, 0.0),
                  ncols=min(6, len(handles)))
    figure.suptitle("The fastest executor, peers included, and how many times faster than the next",
                    y=1.0)
    figure.tight_layout()
    return save(figure, folder, "crossover")


def draw_panel(axis, cells, seen):
    for (size, batch), times in cells.items():
        order = sorted(times, key=times.get)
        seen[order[0]] = True
        axis.plot(size, batch, linestyle="", markersize=11, **look(order[0]))
        if len(order) > 1:
            axis.annotate(f"{times[order[1]] / times[order[0]]:.1f}", (size, batch),
                          xytext=(8, 5), textcoords="offset points", fontsize=8, color=BLACK)
    axis.set(xscale="log", yscale="log", xlabel="entries of the largest operand", ylabel="problems")
    axis.margins(0.18)
