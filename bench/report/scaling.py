"""Curves over the batch, the size, or the threads: every series of at least four points that the
results hold."""

import math

from style import GREY, look, name_of, plt, save

SIZE = "largest dimension"
FIXED = ("function", "f", "type", "accuracy", "outputs")


def largest(case):
    return max(case["sizes"].values(), default=1)


def series(results):
    """(title, label of x, {executor: [(x, row)]})"""
    groups = {}
    for row in results.rows:
        if not row.timed:
            continue
        case = row.case
        fixed = tuple(str(case.get(key)) for key in FIXED) + (str(sorted(case["batched"])),)
        sizes = "x".join(str(v) for v in case["sizes"].values())
        title = f"{case['function']}, {case['type']}, {case['outputs']}"
        threads = case.get("threads") or 0
        over = [(("batch", sizes, threads), f"{title}, {sizes}", "problems", case["batch"]),
                (("threads", sizes, case["batch"]), f"{title}, {sizes}, batch {case['batch']}",
                 "threads", threads)]
        if row.suite == "scaling":
            over.append((("size", threads), f"{title}, fixed bytes", SIZE,
                         largest(case)))
        for key, text, label, x in over:
            if x:
                group = groups.setdefault(fixed + key, (text, label, {}))
                group[2].setdefault(row.executor, {})[x] = row
    wanted = []
    for text, label, curves in groups.values():
        points = max(len(c) for c in curves.values())
        if points >= (2 if label == "threads" else 4):
            wanted.append((text, label, {e: sorted(c.items()) for e, c in curves.items()}))
    return wanted


def heights(label, rows):
    """Time per problem over the batch, speed-up over the threads, bytes per second over the size:
    there all points are of about the same bytes."""
    if label == "threads":
        return [rows[0].seconds / row.seconds for row in rows]
    if label == SIZE:
        return [1e-9 * row.bytes / row.seconds for row in rows]
    return [1e6 * row.seconds / row.case["batch"] for row in rows]


def draw(results, folder):
    panels = series(results)
    if not panels:
        return None
    columns = min(3, len(panels))
    lines = math.ceil(len(panels) / columns)
    figure, axes = plt.subplots(lines, columns, figsize=(5 * columns, 3.9 * lines), squeeze=False)
    seen = {}
    for axis, (text, label, curves) in zip(axes.flat, panels):
        for executor, points in curves.items():
            seen[executor] = True
            x, rows = zip(*points)
            axis.plot(x, heights(label, rows), markersize=5, linewidth=1.4, **look(executor))
        axis.set(xscale="log", xlabel=label, title=text)
        axis.title.set_fontsize(9)
        if label == "threads":
            ticks = sorted({x for c in curves.values() for x, _ in c})
            axis.plot(ticks, [t / ticks[0] for t in ticks], color=GREY, linestyle=":")
            axis.set(ylabel="speed-up (dotted: ideal)", ylim=(0, 1.1 * ticks[-1] / ticks[0]))
            axis.set_xticks(ticks, [str(t) for t in ticks])
            axis.minorticks_off()
        else:
            axis.set(yscale="log", ylabel="GB/s" if label == SIZE else "us per problem")
    for axis in list(axes.flat)[len(panels):]:
        axis.set_visible(False)
    handles = [plt.Line2D([], [], label=name_of(name), **look(name)) for name in sorted(seen)]
    figure.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, 0.0),
                  ncols=min(6, len(handles)))
    figure.tight_layout()
    return save(figure, folder, "scaling")
