"""The closed forms in NumPy, as an expert writes them.

Batched `matmul` into preallocated results, one big product where an operand is shared, Cholesky for
the logarithm of a Gram determinant. NumPy has no batched triangular solve, so the gradient of
log_det_gram takes `inv` or `solve`. Where there are several sensible ways, each is a function of
its own, and the runner measures the fastest that passes the check. NumPy runs a batch of small
matrices on one thread, so each way is also tried with the batch split over the threads (matmul and
linalg let go of the interpreter's lock).

Every kind takes a Problem and gives {name of the way: function() -> (value, gradient)}.
"""

import functools
from concurrent.futures import ThreadPoolExecutor

import numpy as np

import printed
from measure import one_sample


def t(a):
    return np.swapaxes(a, -1, -2)


def columns(a):
    return a[..., None]


def dots(a, b):
    """<a_k, b_k> of every problem k; one operand may be shared."""
    if hasattr(np, "vecdot"):
        flat = [x.reshape(*x.shape[:-2], -1) for x in (a, b)]
        return np.vecdot(*flat)
    return np.einsum("...ij,...ij->...", a, b)


def vector_dots(a, b):
    return np.vecdot(a, b) if hasattr(np, "vecdot") else np.einsum("...i,...i->...", a, b)


def product_into(out, a, b):
    """a @ b; a shared right factor makes it one product over all rows of the batch."""
    if a.ndim == 3 and b.ndim == 2 and a.flags.c_contiguous and out.flags.c_contiguous:
        np.matmul(a.reshape(-1, a.shape[-1]), b, out=out.reshape(-1, out.shape[-1]))
    else:
        np.matmul(a, b, out=out)
    return out


def frobenius(p):
    """0.5*norm2(X*A')^2: X (A'A) or (X A') A."""
    x, a = p["X"], p["A"]
    m, n = x.shape[-2:]
    g = np.zeros((p.batch, m, n), x.dtype)
    y = np.zeros((p.batch, m, a.shape[-2]), x.dtype)

    def through_gram():
        product_into(g, x, t(a) @ a)
        value = 0.5 * dots(x, g) if p.case.wants_value else None
        return value, g

    def left_to_right():
        product_into(y, x, t(a))
        value = 0.5 * dots(y, y) if p.case.wants_value else None
        if p.case.wants_gradient:
            product_into(g, y, a)
        return value, g

    return {"gram": through_gram, "left to right": left_to_right}


def least_squares(p):
    """norm2(A*x - b)^2: 2 A'(A x - b)."""
    a, x, b = p["A"], p["x"], p["b"]
    g = np.zeros((p.batch, a.shape[-1]), a.dtype)
    two = a.dtype.type(2)

    def finish(residual, gradient):
        value = vector_dots(residual, residual) if p.case.wants_value else None
        if p.case.wants_gradient:
            np.multiply(gradient(residual), two, out=g)
        return value, g

    def shared():
        # One product over the batch; ridge of the book-keeping: A x is one vector if x is shared.
        return finish(x @ a.T - b, lambda r: r @ a)

    def matmul():
        residual = np.matmul(a, columns(x))[..., 0] - b
        return finish(residual, lambda r: np.matmul(r[..., None, :], a)[..., 0, :])

    def einsum():
        residual = np.einsum("...ij,...j->...i", a, x) - b
        return finish(residual, lambda r: np.einsum("...ij,...i->...j", a, r))

    def matvec():
        return finish(np.matvec(a, x) - b, lambda r: np.vecmat(r, a))

    if not p.batched("A"):
        return {"shared": shared}
    ways = {"matmul": matmul, "einsum": einsum}
    if hasattr(np, "matvec"):
        ways["matvec"] = matvec
    return ways


def bilinear_trace(p):
    """tr(A*X*B): A'B', which is the transpose of B A."""
    a, x, b = p["A"], p["X"], p["B"]
    g = np.zeros((p.batch, a.shape[-1], b.shape[-2]), a.dtype)

    def finish():
        return (dots(x, g) if p.case.wants_value else None), g

    def straight():
        np.matmul(t(a), t(b), out=g)
        return finish()

    def flipped():
        np.copyto(g, t(b @ a))
        return finish()

    def once():
        gradient = a.T @ b.T
        if p.case.wants_gradient:
            np.copyto(g, gradient)
        value = x.reshape(p.batch, -1) @ gradient.reshape(-1) if p.case.wants_value else None
        return value, g

    if p.all_shared("A", "B") and p.batched("X"):
        return {"once": once}
    return {"straight": straight, "flipped": flipped}


def linear_trace(p, factor):
    """tr(A*X) or tr(X*A): A'."""
    a, x = p[factor], p["X"]
    g = np.zeros((p.batch, *x.shape[-2:]), a.dtype)

    def strided():
        value = np.einsum("...ji,...ij->...", a, x) if p.case.wants_value else None
        if p.case.wants_gradient:
            np.copyto(g, t(a))
        return value, g

    def through_copy():
        np.copyto(g, t(a))
        return (dots(x, g) if p.case.wants_value else None), g

    return {"strided": strided, "through a copy": through_copy}


def log_det_gram(p):
    """logdet(X'*X): 2 X inv(X'X); 2 inv(X)' if X is square."""
    x = p["X"]
    m, n = x.shape[-2:]
    g = np.zeros((p.batch, m, n), x.dtype)
    gram = np.zeros((*x.shape[:-2], n, n), x.dtype)
    two = x.dtype.type(2)

    def value_of(s):
        factor = np.linalg.cholesky(s)
        return 2 * np.sum(np.log(np.diagonal(factor, axis1=-2, axis2=-1)), axis=-1)

    def inverse():
        np.matmul(t(x), x, out=gram)
        value = value_of(gram) if p.case.wants_value else None
        if p.case.wants_gradient:
            inv = np.linalg.inv(gram)
            np.multiply(inv, two, out=inv)
            np.matmul(x, inv, out=g)
        return value, g

    def solve():
        np.matmul(t(x), x, out=gram)
        value = np.linalg.slogdet(gram)[1] if p.case.wants_value else None
        if p.case.wants_gradient:
            np.multiply(t(np.linalg.solve(gram, t(x))), two, out=g)
        return value, g

    def square():
        value = 2 * np.linalg.slogdet(x)[1] if p.case.wants_value else None
        if p.case.wants_gradient:
            np.multiply(t(np.linalg.inv(x)), two, out=g)
        return value, g

    ways = {"inverse": inverse, "solve": solve}
    if m == n:
        ways["square"] = square
    return ways


def squared_loss(p):
    """The sum of 0.5*norm2(x - V*u)^2: R'U of R = U V' - X, the rows of all problems."""
    x, v, u = p["x"], p["V"], p["u"]
    g = np.zeros(p.gradient_shape, x.dtype)
    r = np.zeros_like(x)

    def products():
        np.matmul(u, v.T, out=r)
        np.subtract(r, x, out=r)
        if p.case.wants_gradient:
            np.matmul(r.T, u, out=g[0])
        return (0.5 * np.vdot(r, r) if p.case.wants_value else None), g

    return {"products": products}


def logistic_loss(p):
    """The sum of softplus(-t*dot(x,w)): X'(-t .* sigmoid(z)) of z = -t .* X w."""
    x, w, t_ = p["x"], p["w"], p["t"]
    g = np.zeros(p.gradient_shape, x.dtype)

    def products():
        z = -t_ * (x @ w)
        if p.case.wants_gradient:
            np.matmul(-t_ * (1 / (1 + np.exp(-z))), x, out=g[0])
        return (np.sum(np.logaddexp(0, z)) if p.case.wants_value else None), g

    return {"products": products}


def softmax_loss(p):
    """The sum of logsumexp(W*x) - dot(y, W*x): (P - Y)'X with P the softmax of the rows of X W'."""
    x, w, y = p["x"], p["W"], p["y"]
    g = np.zeros(p.gradient_shape, x.dtype)

    def products():
        z = x @ w.T
        top = np.max(z, axis=1, keepdims=True)
        e = np.exp(z - top)
        total = np.sum(e, axis=1, keepdims=True)
        value = np.sum(np.log(total) + top) - np.vdot(y, z) if p.case.wants_value else None
        if p.case.wants_gradient:
            np.matmul((e / total - y).T, x, out=g[0])
        return value, g

    return {"products": products}


KINDS = {
    "0.5*norm2(X*A')^2": frobenius,
    "norm2(A*x-b)^2": least_squares,
    "tr(A*X*B)": bilinear_trace,
    "tr(A*X)": lambda p: linear_trace(p, "A"),
    "tr(X*A)": lambda p: linear_trace(p, "A"),
    "tr(X*B)": lambda p: linear_trace(p, "B"),
    "logdet(X'*X)": log_det_gram,
    "sum of 0.5*norm2(x-V*u)^2 by V": squared_loss,
    "sum of softplus(-t*dot(x,w)) by w": logistic_loss,
    "sum of logsumexp(W*x)-dot(y,W*x) by W": softmax_loss,
}


def from_printed(p, text):
    """What `matgrad derive --format json` prints as NumPy, rewritten for a batch."""
    ranks = {o.name: len(o.dims) for o in p.case.operands}
    sizes = p.case.free_sizes
    g = np.zeros(p.gradient_shape, p.case.dtype)
    value = printed.batched(text.value, ranks, sizes) if p.case.wants_value else None
    gradient = printed.batched(text.gradient, ranks, sizes) if p.case.wants_gradient else None

    def as_printed():
        v = value(p.arrays, p.case.dtype) if value else None
        if gradient:
            np.copyto(g, gradient(p.arrays, p.case.dtype))
        return v, g

    return {"printed": as_printed}


class ClosedForm:
    """NumPy has this one variant."""

    name = "numpy"

    def __init__(self, threads):
        self.threads = threads

    def offers(self, case):
        return not case.summed or case.kind in KINDS

    def ways(self, copies, text):
        by_hand = KINDS.get(copies.case.kind)

        make = by_hand or (lambda p: from_printed(p, text))
        # Sums over the batch are large products, which NumPy shares among the threads itself.
        threaded = self.threads > 1 and copies.case.batch >= 64 * self.threads and not copies.case.summed
        kept = None
        if copies.case.operations + copies.case.bytes > EXPENSIVE and copies.case.batch > 1000:
            kept = promising(make, copies.problems[0])

        def build(p):
            ways = {}
            if threaded:
                ways = {f"{name}, {self.threads} threads": run
                        for name, run in split_over_threads(p, make, self.threads, kept).items()}
            if kept is None or not threaded:
                ways.update((n, run) for n, run in make(p).items() if kept is None or n in kept)
            return ways

        return copies.ways(build)


EXPENSIVE = 3e8  # operations and bytes


def promising(make, problem):
    """The name of the fastest way on a small part of a large batch, where trying all would take long:
    the batch is then split over the threads, if there are any."""
    ways = make(problem.part(0, max(64, problem.batch // 64)))
    times = {name: min(one_sample(run, lambda result: None) for _ in range(3))
             for name, run in ways.items()}
    return {min(times, key=times.get)}


class Parts:
    """Results in parts, joined when they are looked at."""

    def __init__(self, pieces):
        self.pieces = pieces

    def whole(self):
        if any(piece is None for piece in self.pieces):
            return None
        return np.concatenate([np.atleast_1d(piece) for piece in self.pieces])


def split_over_threads(p, make, threads, kept=None):
    """The same ways with the batch in as many parts as threads; who splits a batch consumes it so."""
    edges = [p.batch * k // threads for k in range(threads + 1)]
    parts = [make(p.part(low, high)) for low, high in zip(edges, edges[1:])]

    def joined(name):
        def run():
            results = list(pool(threads).map(lambda part: part[name](), parts))
            return Parts([r[0] for r in results]), Parts([r[1] for r in results])
        return run

    return {name: joined(name) for name in parts[0] if kept is None or name in kept}


@functools.cache
def pool(threads):
    return ThreadPoolExecutor(threads)


class Library:
    """What the runner asks of every library."""

    tool = "numpy"
    device = "cpu"
    by_hand = KINDS
    shortest_sample = 1e-3

    def __init__(self, threads, device):
        if device != "cpu":
            raise ImportError("NumPy computes on the CPU")
        self.versions = {"numpy": np.__version__, "blas": blas_version()}
        self.variants = [ClosedForm(threads)]

    def upload(self, array):
        return array

    def download(self, array):
        array = array.whole() if isinstance(array, Parts) else array
        return None if array is None else np.atleast_1d(array)

    def wait(self, result):
        del result  # NumPy returns when it is done


def blas_version():
    try:
        blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
        return f"{blas['name']} {blas['version']}"
    except (TypeError, KeyError):
        return "unknown"
