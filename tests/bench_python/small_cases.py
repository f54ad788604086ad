"""Small cases with what is known of them: f by its definition, df by central differences."""

import itertools

import numpy as np

import inputs
from cases import Copies, parse_case

# formula, variable, declarations, sizes, which operands are batched, f of one problem
FUNCTIONS = [
    ("0.5*norm2(X*A')^2", "X", ["X=m,n", "A=p,n"],
     [{"m": 8, "n": 4, "p": 5}, {"m": 9, "n": 6, "p": 2}], [["X"], ["X", "A"]],
     lambda X, A: 0.5 * np.sum((X @ A.T)**2)),
    ("norm2(A*x - b)^2", "x", ["A=m,n", "x=n", "b=m"], [{"m": 8, "n": 4}],
     [["A", "x", "b"], ["x", "b"], ["b"], ["A", "b"]], lambda A, x, b: np.sum((A @ x - b)**2)),
    ("tr(A*X*B)", "X", ["A=p,m", "X=m,n", "B=n,p"], [{"m": 4, "n": 5, "p": 3}],
     [["A", "X", "B"], ["X"], ["X", "A"], ["X", "B"]], lambda A, X, B: np.trace(A @ X @ B)),
    ("tr(A*X)", "X", ["A=n,m", "X=m,n"], [{"m": 4, "n": 5}], [["A", "X"], ["X"]],
     lambda A, X: np.trace(A @ X)),
    ("tr(X*B)", "X", ["X=m,n", "B=n,m"], [{"m": 4, "n": 5}], [["X", "B"], ["X"]],
     lambda X, B: np.trace(X @ B)),
    ("logdet(X'*X)", "X", ["X=m,n"], [{"m": 8, "n": 4}, {"m": 4, "n": 4}], [["X"]],
     lambda X: np.log(np.abs(np.linalg.det(X.T @ X)))),
]
STEP = 1e-5


def all_cases(types=("float32", "float64")):
    """(case, f of one problem)"""
    for f, wrt, declare, sizes, batched, function in FUNCTIONS:
        for size, each, batch, scalar, outputs in itertools.product(
                sizes, batched, (1, 300), types, ("value", "gradient", "both")):
            name = f"{f} {size} {each} {batch} {scalar} {outputs}"
            yield parse_case({"name": name, "f": f, "wrt": [wrt], "declare": declare,
                              "sizes": size, "batched": each, "batch": batch, "type": scalar,
                              "outputs": outputs}, {"copies": 2}), function


class Known:
    """Stands for a --differentials file. The central difference of these smooth functions is good to
    about STEP^2 + eps / STEP, far below what float data is held to."""

    seed = 1

    def __init__(self, function):
        self.function = function

    def problems(self, case):
        arrays = {o.name: inputs.draw(o, case.batch, self.seed).astype(np.float64)
                  for o in case.operands}
        n = max(sum(o.dims) for o in case.operands)
        for p in sorted({0, case.batch // 2, case.batch - 1}):
            at = {o.name: arrays[o.name][p] if o.batched else arrays[o.name] for o in case.operands}
            d = inputs.direction(case.operand(case.wrt), p, self.seed)
            f = self.function(**at)
            ahead = self.function(**{**at, case.wrt: at[case.wrt] + STEP * d})
            behind = self.function(**{**at, case.wrt: at[case.wrt] - STEP * d})
            condition = 1.0
            if case.formula == "logdet(X'*X)":
                condition = np.linalg.cond(at["X"])**2
            unit = 4 * n * condition * np.finfo(case.dtype).eps + 1e-7
            scale = 1 + sum(np.sum(np.abs(a)) for a in at.values())**2
            yield {"problem": p, "f": f, "value_bound": unit * scale,
                   "df": (ahead - behind) / (2 * STEP), "bound": unit * scale * np.abs(d).max()}


def results_of(library, case):
    """{(variant, way): (value, gradient)} of all ways, as NumPy, from the second copy."""
    copies = Copies(case, Known.seed, library)
    found = {}
    for variant in library.variants:
        if variant.offers(case):
            for way, run in variant.ways(copies, None).items():
                run()
                value, gradient = run()
                found[variant.name, way] = (
                    library.download(value) if case.wants_value else None,
                    library.download(gradient) if case.wants_gradient else None)
    return found
