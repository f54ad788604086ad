"""One look for all figures: the colours of Okabe and Ito, which the colour-blind can tell apart,
and a marker of its own for every executor, so that nothing rests on colour alone."""

import os

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, VERMILION, PURPLE = "#F0E442", "#0072B2", "#D55E00", "#CC79A7"
GREY = "#888888"

# executor -> colour, marker, filled
EXECUTORS = {
    "cpu": (BLUE, "o", True),
    "cuda library": (VERMILION, "s", True),
    "cuda library, graph": (VERMILION, "s", False),
    "cuda": (GREEN, "D", True),
    "cuda, graph": (GREEN, "D", False),
    "numpy": (ORANGE, "^", True),
    "jax": (SKY, "v", True),
    "jax grad": (SKY, "v", False),
    "pytorch": (PURPLE, "P", True),
    "pytorch compile": (PURPLE, "X", True),
    "pytorch, graph": (PURPLE, "p", False),
    "pytorch grad": (PURPLE, "P", False),
    "cupy": (YELLOW, "h", True),
    "eigen": (BLACK, "p", True),
    "libxsmm": (GREY, "*", True),
    "mkl": (VERMILION, "<", True),
    "cublas": (BLACK, "d", True),
    "cublas, graph": (BLACK, "d", False),
    "mathdx": (SKY, "X", True),
    "mathdx, graph": (SKY, "X", False),
}
# What figures call the executors of matgrad, which results files name by where they compute.
OUR_NAMES = {"cpu": "matgrad", "cuda": "matgrad", "cuda, graph": "matgrad, graph",
             "cuda library": "matgrad, library", "cuda library, graph": "matgrad, library, graph"}
# Of the functions of a suite: a colour comes twice, a marker once.
FUNCTIONS = [(BLUE, "o"), (ORANGE, "^"), (GREEN, "s"), (VERMILION, "D"), (PURPLE, "P"), (SKY, "v"),
             (BLACK, "X"), (YELLOW, "h"), (BLUE, "<"), (ORANGE, "*"), (GREEN, "p"), (VERMILION, ">"),
             (PURPLE, "d"), (SKY, "8"), (BLACK, "H")]

plt.rcParams.update({
    "font.size": 10, "axes.titlesize": 11, "axes.labelsize": 10, "legend.fontsize": 9,
    "axes.grid": True, "grid.color": "#dddddd", "grid.linewidth": 0.6, "axes.axisbelow": True,
    "axes.spines.top": False, "axes.spines.right": False, "figure.dpi": 100, "savefig.dpi": 150,
    "svg.fonttype": "none", "svg.hashsalt": "matgrad", "legend.frameon": False,
    "font.family": "DejaVu Sans",
})


def name_of(executor):
    return OUR_NAMES.get(executor, executor)


def look(executor):
    """The keywords of `plot` for an executor."""
    colour, marker, filled = EXECUTORS.get(executor, (GREY, "o", False))
    return {"color": colour, "marker": marker, "markeredgecolor": colour if not filled else BLACK,
            "markerfacecolor": colour if filled else "white",
            "markeredgewidth": 1.4 if not filled else 0.5}


def save(figure, folder, name):
    """NAME.png and NAME.svg; the same results give the same bytes."""
    os.makedirs(folder, exist_ok=True)
    figure.savefig(os.path.join(folder, name + ".png"), bbox_inches="tight")
    figure.savefig(os.path.join(folder, name + ".svg"), bbox_inches="tight",
                   metadata={"Date": None})
    plt.close(figure)
    return name
