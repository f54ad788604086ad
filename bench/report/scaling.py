"""Curves over the batch, the size, or the threads: every series of at least four points that the
results hold."""

import math

from style import look, plt, save

FIXED = ("function", "f", "type", "accuracy", "outputs")


def entries(case):
    return math.prod(case["sizes"].values()) if case["sizes"] else 1


def largest(case):
    return max(case["sizes"].values(), default=1)


def series(results):
    """(title, label of x, {executor: [(x, seconds per problem)]})"""
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
            over.append((("size", threads), f"{title}, fixed bytes", "largest dimension",
                         largest(case)))
        for key, text, label, x in over:
            if x:
                group = groups.setdefault(fixed + key, (text, label, {}))
                group[2].setdefault(row.executor, {})[x] = row.seconds / case["batch"]
    wanted = []
    for text, label, curves in groups.values():
        points = max(len(c) for c in curves.values())
        if points >= (2 if label == "threads" else 4):
            wanted.append((text, label, {e: sorted(c.items()) for e, c in curves.items()}))
    return wanted


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
            axis.plot([x for x, _ in points], [1e6 * y for _, y in points], markersize=5,
                      linewidth=1.4, **look(executor))
        axis.set(xscale="log", yscale="log", xlabel=label, ylabel="us per problem")
        axis.set_title(text, fontsize=9)
        if label == "threads":
            ticks = sorted({x for c in curves.values() for x, _ in c})
            axis.set_xticks(ticks, [str(t) for t in ticks])
            axis.minorticks_off()
    for axis in list(axes.flat)[len(panels):]:
        axis.set_visible(False)
    handles = [plt.Line2D([], [], label=name, **look(name)) for name in sorted(seen)]
    figure.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, 0.0),
                  ncols=min(6, len(handles)))
    figure.tight_layout()
    return save(figure, folder, "scaling")
