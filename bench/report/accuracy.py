"""The figure of error against condition number, from the record of bench/accuracy.

    python3 bench/report/accuracy.py accuracy.json DIR     # draws DIR/accuracy.svg, prints the tables
"""

import json
import sys

import numpy as np

from accuracy_table import failed, rows_of, section
from style import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, plt, save

FUNCTION = "logdet(X'*X)"
LOOKS = {"matgrad robust": (BLUE, "o", "-"), "matgrad fast": (BLUE, "D", "--"),
         "numpy": (ORANGE, "^", "-"), "numpy qr": (GREEN, "s", "-"),
         "jax grad": (SKY, "v", "-"), "pytorch grad": (PURPLE, "P", "-")}
EPS = {"float32": 2.0**-24, "float64": 2.0**-53}  # the unit roundoff
TOP = 200  # of the axis of errors


def draw_reference(axis, eps, condition):
    """What the rounding of X explains, and what a Gram matrix makes of it."""
    for factor, power, style, text in ((20, 1, "-", "20 eps k"), (1, 1, ":", "eps k"), (1, 2, ":", "eps k$^2$")):
        line = factor * eps * condition**power
        axis.plot(condition, line, color=GREY, linewidth=1, linestyle=style, zorder=1)
        at = np.nonzero(line <= TOP)[0][-1]
        side = "left" if at == len(line) - 1 else "right"
        axis.annotate(text, (condition[at], line[at]), xytext=(5, 5) if side == "left" else (-5, 0), ha=side,
                      va="center", textcoords="offset points", color="#555555", fontsize=9)


def draw_contender(axis, name, rows):
    colour, marker, style = LOOKS.get(name, (BLACK, ".", "-."))
    ours = name == "matgrad robust"
    answered = [row for row in rows if row["gradient"]["largest"] is not None]
    condition = [row["condition"] for row in answered]
    largest = [row["gradient"]["largest"] for row in answered]
    axis.plot(condition, largest, color=colour, linestyle=style, linewidth=2.2 if ours else 1.2,
              zorder=3 if ours else 2)
    for whole in (True, False):
        part = [i for i, row in enumerate(answered) if (failed(row) == 0) == whole]
        axis.plot([condition[i] for i in part], [largest[i] for i in part], linestyle="", marker=marker,
                  color=colour, markersize=8 if ours else 6, markeredgewidth=0.4 if whole else 1.2,
                  markeredgecolor=BLACK if whole else colour, zorder=4 if ours else 3,
                  markerfacecolor=colour if whole else "white")
    # The legend shows the line with its marker.
    axis.plot([], [], color=colour, linestyle=style, marker=marker, label=name, linewidth=2.2 if ours else 1.2)
    if ours and answered and len(answered) < len(rows):
        status = rows[len(answered)]["status"]
        axis.annotate(max(status, key=status.get) + "\nbeyond", (condition[-1], largest[-1]), xytext=(10, -4),
                      textcoords="offset points", color=colour, fontsize=9, va="top")


def draw(record, folder):
    types = list(dict.fromkeys(row["type"] for row in record["rows"]))
    figure, axes = plt.subplots(1, len(types), figsize=(11, 5), squeeze=False)
    for axis, scalar in zip(axes[0], types):
        contenders = rows_of(record, FUNCTION, scalar)
        condition = np.array([row["condition"] for row in next(iter(contenders.values()))])
        draw_reference(axis, EPS[scalar], condition)
        for name, rows in contenders.items():
            draw_contender(axis, name, rows)
        axis.set(xscale="log", yscale="log", xlabel="condition number k of X", title=scalar,
                 ylim=(EPS[scalar] / 10, TOP))
        axis.axhline(1, color=BLACK, linewidth=0.8)
    axes[0][0].set_ylabel("relative error of the gradient, the largest")
    axes[0][-1].legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
    sizes = record["sizes"]
    figure.suptitle(f"2*X*inv(X'*X), X {sizes['m']}x{sizes['n']}, {record['problems']} problems each; "
                    "at 1 nothing is right")
    figure.text(0.5, -0.03, "Hollow: some of the problems failed, the error is of the others. A line ends where all "
                "fail.", ha="center", fontsize=9, color="#555555")
    return save(figure, folder, "accuracy")


def main(path, folder):
    with open(path, encoding="utf-8") as file:
        record = json.load(file)
    draw(record, folder)
    print("\n".join(section(record)))


if __name__ == "__main__":
    main(*sys.argv[1:])
