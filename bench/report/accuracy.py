"""Error against condition number, from the file of bench/peers/accuracy.py."""

import json

import numpy as np

from style import BLACK, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILION, BLUE, plt, save

LOOKS = {
    "matgrad robust": (BLUE, "o", "-"), "matgrad fast": (BLUE, "o", "--"),
    "numpy inverse": (ORANGE, "^", "-"), "numpy qr": (GREEN, "s", "-"),
    "jax cholesky": (SKY, "v", "-"), "jax grad": (SKY, "v", "--"),
    "pytorch cholesky": (PURPLE, "P", "-"), "pytorch grad": (PURPLE, "P", "--"),
    "cupy inverse": (VERMILION, "h", "-"),
}


def draw(path, folder):
    with open(path, encoding="utf-8") as file:
        content = json.load(file)
    condition = np.array(content["conditions"])
    figure, axis = plt.subplots(figsize=(8, 5.2))
    eps = np.finfo(np.float32).eps
    for power, text in ((1, "eps cond"), (2, "eps cond$^2$")):
        line = eps * condition**power
        axis.plot(condition, line, color=GREY, linewidth=1, linestyle=":")
        inside = np.nonzero(line <= 0.3)[0][-1]
        axis.annotate(text, (condition[inside], line[inside]), xytext=(-6, 6), ha="right",
                      textcoords="offset points", color="#555555", fontsize=9)
    for name, errors in content["series"].items():
        colour, marker, line = LOOKS.get(name, (BLACK, ".", "-."))
        median = np.array([e["median"] if e["median"] is not None else np.nan for e in errors])
        axis.plot(condition, median, color=colour, marker=marker, linestyle=line, label=name,
                  markersize=11 if name.startswith("matgrad") else 6, linewidth=2.2
                  if name.startswith("matgrad") else 1.3, markeredgecolor=BLACK, markeredgewidth=0.4,
                  markerfacecolor=colour if line == "-" else "white")
    axis.axhline(1, color=BLACK, linewidth=0.8)
    axis.set(xscale="log", yscale="log", xlabel="condition number of X",
             ylabel="relative error of the gradient (median)",
             title=f"2*X*inv(X'*X), X {content['rows']}x{content['cols']} float32, "
                   f"{content['problems']} problems each; above 1 nothing is right")
    axis.set_ylim(top=30)
    axis.text(0.01, -0.17, "A line ends where half of the problems fail. NumPy's qr computes in "
              "double inside.", transform=axis.transAxes, fontsize=9, color="#555555")
    axis.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
    return save(figure, folder, "accuracy")
