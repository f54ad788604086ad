"""Rewrites the NumPy that matgrad prints for one problem so that it works on a whole batch.

`matgrad derive F --wrt X --format json` prints value and gradient as NumPy on 2-D matrices and 1-D
vectors. Here every array has the batch axis in front, or, where it is shared, none; `A @ B.T`,
`np.outer`, `np.linalg.inv` and the others become the calls that broadcast over that axis. The
formula itself stays matgrad's.
"""

import ast
import json
import subprocess
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Text:
    value: str
    gradient: str


def derive(command, case):
    """Value and gradient of a case as NumPy, from `matgrad derive`."""
    call = [command, "derive", case.f, "--wrt", case.wrt, "--format", "json"]
    for declaration in case.declare:
        call += ["--declare", declaration]
    answer = json.loads(subprocess.run(call, check=True, capture_output=True, text=True).stdout)
    return Text(answer["expression"]["numpy"], answer["gradients"][0]["numpy"])


class Unsupported(Exception):
    """A word of the printed NumPy that has no form for a batch here."""


def t(a):
    return np.swapaxes(a, -1, -2)


def wide(scalar, rank):
    """A scalar per problem, to be combined with something of a rank."""
    if isinstance(scalar, (int, float)):
        return scalar  # as a number it leaves float alone
    scalar = np.asarray(scalar)
    return scalar.reshape(scalar.shape + (1,) * rank)


def dot(a, b, rank):
    return np.einsum("...i,...i->..." if rank == 1 else "...ij,...ij->...", a, b)


def outer(a, b):
    return a[..., :, None] * b[..., None, :]


def from_left(matrix, vector):
    return np.matmul(matrix, vector[..., None])[..., 0]


def from_right(vector, matrix):
    return np.matmul(vector[..., None, :], matrix)[..., 0, :]


def total(a, rank):
    return np.sum(a, axis=tuple(range(-rank, 0))) if rank else a


def log_sum_exp(a, rank):
    axes = tuple(range(-rank, 0))
    top = np.max(a, axis=axes, keepdims=True)
    return np.log(np.sum(np.exp(a - top), axis=axes)) + np.reshape(top, top.shape[:a.ndim - rank])


# No operand begins with an underscore.
WORDS = {"_" + f.__name__: f for f in (t, wide, dot, outer, from_left, from_right, total, log_sum_exp)}
ENTRYWISE = {"exp", "log", "sqrt", "abs", "sign", "sin", "cos", "tanh", "heaviside", "maximum",
             "logaddexp", "power"}
SAME_SHAPE = {"np.linalg.inv": 2, "np.tril": 2, "np.triu": 2, "np.linalg.matrix_power": 2}
ORDER = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}


class Rewriter:
    """Gives (source, rank) of an expression; rank 0, 1 or 2 without the batch axis."""

    def __init__(self, ranks):
        self.ranks = ranks

    def visit(self, node):
        handler = getattr(self, type(node).__name__, None)
        if handler is None:
            raise Unsupported(ast.unparse(node))
        return handler(node)

    def Constant(self, node):
        return repr(node.value), 0

    def Name(self, node):
        return node.id, self.ranks[node.id]

    def UnaryOp(self, node):
        if not isinstance(node.op, ast.USub):
            raise Unsupported(ast.unparse(node))
        source, rank = self.visit(node.operand)
        return f"(-{source})", rank

    def BinOp(self, node):
        (left, i), (right, j) = self.visit(node.left), self.visit(node.right)
        if isinstance(node.op, ast.MatMult):
            return self.product(left, i, right, j)
        if i != j:
            if 0 not in (i, j):
                raise Unsupported(ast.unparse(node))
            if i == 0 and not isinstance(node.left, ast.Constant):
                left = f"_wide({left}, {j})"
            if j == 0 and not isinstance(node.right, ast.Constant):
                right = f"_wide({right}, {i})"
        return f"({left} {ORDER[type(node.op)]} {right})", max(i, j)

    def product(self, left, i, right, j):
        if (i, j) == (2, 2):
            return f"({left} @ {right})", 2
        if (i, j) == (2, 1):
            return f"_from_left({left}, {right})", 1
        if (i, j) == (1, 2):
            return f"_from_right({left}, {right})", 1
        if (i, j) == (1, 1):
            return f"_dot({left}, {right}, 1)", 0
        raise Unsupported(f"{left} @ {right}")

    def Attribute(self, node):
        if node.attr != "T":
            raise Unsupported(ast.unparse(node))
        source, rank = self.visit(node.value)
        return (f"_t({source})", 2) if rank == 2 else (source, rank)

    def Subscript(self, node):
        """np.linalg.slogdet(A)[1], or X.shape[0]."""
        text = ast.unparse(node)
        if isinstance(node.value, ast.Attribute) and node.value.attr == "shape":
            source, rank = self.visit(node.value.value)
            return f"{source}.shape[{node.slice.value - rank}]", 0
        if text.startswith("np.linalg.slogdet(") and node.slice.value == 1:
            source, _ = self.visit(node.value.args[0])
            return f"np.linalg.slogdet({source})[1]", 0
        raise Unsupported(text)

    def Call(self, node):
        name = ast.unparse(node.func)
        if name in ("np.eye", "np.ones"):
            return self.constant_matrix(name, node.args[0])
        (source, rank), rest = self.visit(node.args[0]), node.args[1:]
        axis = next((k.value.value for k in node.keywords if k.arg == "axis"), None)
        if name in SAME_SHAPE:
            more = "".join(", " + self.visit(a)[0] for a in rest)
            return f"{name}({source}{more})", 2
        if name == "np.linalg.det":
            return f"{name}({source})", 0
        if name == "np.trace":
            return f"np.trace({source}, axis1=-2, axis2=-1)", 0
        if name == "np.linalg.norm":
            return f"np.sqrt(_dot({source}, {source}, {rank}))", 0
        if name == "np.logaddexp.reduce":
            return f"_log_sum_exp({source}, {rank})", 0
        if name == "np.sum":
            if axis is None:
                return f"_total({source}, {rank})", 0
            return f"np.sum({source}, axis={axis - 2})", 1
        if name in ("np.outer", "np.vdot"):
            other, _ = self.visit(rest[0])
            if name == "np.outer":
                return f"_outer({source}, {other})", 2
            return f"_dot({source}, {other}, {rank})", 0
        if name == "np.diag":
            if rank == 2:
                return f"np.diagonal({source}, axis1=-2, axis2=-1)", 1
            return f"({source}[..., None] * np.eye({source}.shape[-1], dtype=_dtype))", 2
        if name.removeprefix("np.") in ENTRYWISE:
            others = [self.visit(a) for a in rest]
            return (f"{name}({', '.join([source] + [o[0] for o in others])})",
                    max([rank] + [o[1] for o in others]))
        raise Unsupported(name)

    def constant_matrix(self, name, size):
        if isinstance(size, ast.Tuple):
            sizes = ", ".join(self.visit(s)[0] for s in size.elts)
            return f"{name}(({sizes},), dtype=_dtype)", len(size.elts)
        source, _ = self.visit(size)
        return f"{name}({source}, dtype=_dtype)", 2 if name == "np.eye" else 1


def batched(text, ranks, sizes=None):
    """The function (arrays, dtype) -> result of a printed expression, for batched arrays.

    `ranks` holds the rank of every operand, `sizes` those of dimension names that stand free.
    """
    known = dict(ranks)
    known.update((name, 0) for name in sizes or {})
    source, _ = Rewriter(known).visit(ast.parse(text, mode="eval").body)
    words = {"np": np, **WORDS, **(sizes or {})}
    names = list(ranks)
    function = eval(f"lambda {', '.join(names)}, _dtype: {source}", words)  # matgrad's own text

    def run(arrays, dtype):
        return function(*(arrays[name] for name in names), dtype)

    run.source = source
    return run
