"""Every case against the roof: operations per byte, and operations per second."""

import numpy as np

from style import BLACK, FUNCTIONS, GREY, plt, save


PANELS = ("float32", "float32, computed in double", "float64")


def panel_of(pair):
    """By the type that most of its operations are of: `robust` float is held to the peak of double."""
    scalar, ours = pair.case["type"], pair.ours
    in_double = 2 * (ours.double_operations or 0) > (ours.operations or 0)
    return "float32, computed in double" if scalar == "float32" and in_double else scalar


def draw(results, folder):
    pairs = [p for p in results.pairs() if p.ours is not None]
    panels = {name: [p for p in pairs if panel_of(p) == name] for name in PANELS}
    panels = {name: own for name, own in panels.items() if own}
    if not panels:
        return None
    functions = sorted({p.case["function"] for p in pairs})
    looks = {name: FUNCTIONS[i % len(FUNCTIONS)] for i, name in enumerate(functions)}
    figure, axes = plt.subplots(1, len(panels), figsize=(6.2 * len(panels), 5.6), sharex=True,
                                sharey=True, squeeze=False)
    for axis, (name, own) in zip(axes[0], panels.items()):
        computed = "float64" if name.endswith("double") else name
        draw_type(axis, name, own, (results.ceilings or {}).get(computed), looks)
    axes[0][0].set_ylabel("GFLOP/s")
    handles = [plt.Line2D([], [], linestyle="", marker=m, color=c, markeredgecolor=BLACK,
                          markeredgewidth=0.5, label=name) for name, (c, m) in looks.items()]
    handles.append(plt.Line2D([], [], linestyle="", marker="_", color=GREY, markersize=9,
                              markeredgewidth=2, label="best peer, same case"))
    figure.legend(handles=handles, loc="upper center", ncols=min(5, len(handles)),
                  bbox_to_anchor=(0.5, 0.02))
    figure.suptitle("Every case of matgrad against the roof of the type that it computes in", y=0.98)
    return save(figure, folder, "roofline")


def draw_type(axis, scalar, pairs, ceiling, looks):
    shown = [p for p in pairs if p.ours.operations and p.ours.bytes]
    intensity = [p.ours.operations / p.ours.bytes for p in shown] or [1]
    low, high = min(intensity) / 2, max(intensity) * 2
    if ceiling:
        x = np.geomspace(low, high, 400)
        copy, peak = ceiling["copy_bytes_per_s"], ceiling["multiply_add_flops_per_s"]
        axis.plot(x, np.minimum(x * copy, peak) / 1e9, color=BLACK, linewidth=1.5)
        axis.annotate(f"{peak / 1e9:.3g} GFLOP/s", (high, peak / 1e9), ha="right", va="bottom",
                      fontsize=9)
        at = np.sqrt(low * min(high, peak / copy))
        axis.annotate(f"{copy / 1e9:.3g} GB/s", (at, at * copy / 1e9), xytext=(-8, 8), ha="right",
                      textcoords="offset points", va="bottom", fontsize=9)
    for pair, x in zip(shown, intensity):
        colour, marker = looks[pair.case["function"]]
        y = pair.ours.operations / pair.ours.seconds / 1e9
        if pair.best_peer:
            peer = pair.ours.operations / pair.best_peer.seconds / 1e9
            axis.plot([x, x], [peer, y], color=GREY, linewidth=0.7, zorder=2)
            axis.plot(x, peer, marker="_", color=GREY, markersize=8, markeredgewidth=1.6, zorder=2)
        axis.plot(x, y, marker=marker, color=colour, markeredgecolor=BLACK, markeredgewidth=0.5,
                  linestyle="", markersize=7, zorder=3)
    axis.set(xscale="log", yscale="log", xlabel="operations per byte of operands and results")
    without = len(pairs) - len(shown)
    note = f"; {without} without operations not shown" if without else ""
    axis.set_title(f"{scalar}, {len(shown)} cases{note}")
