"""CuPy: the closed forms on a GPU, written as in NumPy with batched matmul and cuSOLVER's batched
Cholesky behind `cupy.linalg`."""

import numpy as np

try:
    import cupy as cp
except ImportError:  # the tests run the closed forms on NumPy
    cp = None


def t(xp, a):
    return xp.swapaxes(a, -1, -2)


def dots(xp, a, b):
    return xp.sum(a * b, axis=(-2, -1))


def frobenius_gram(xp, case, X, A):
    g = xp.matmul(X, xp.matmul(t(xp, A), A))
    return (0.5 * dots(xp, X, g) if case.wants_value else None), g


def frobenius_left(xp, case, X, A):
    y = xp.matmul(X, t(xp, A))
    value = 0.5 * dots(xp, y, y) if case.wants_value else None
    return value, xp.matmul(y, A) if case.wants_gradient else None


def least_squares(xp, case, A, x, b):
    if A.ndim == 2:
        r = xp.matmul(x, A.T) - b
        g = xp.matmul(r, A)
    else:
        r = xp.matmul(A, x[..., None])[..., 0] - b
        g = xp.matmul(r[..., None, :], A)[..., 0, :] if case.wants_gradient else None
    value = xp.sum(r * r, axis=-1) if case.wants_value else None
    return value, 2 * g if case.wants_gradient else None


def bilinear_trace(xp, case, A, X, B):
    g = xp.matmul(t(xp, A), t(xp, B))
    return (dots(xp, X, g) if case.wants_value else None), g


def linear_trace(xp, case, A, X):
    g = t(xp, A)
    return (dots(xp, X, g) if case.wants_value else None), g


def log_det_gram(xp, case, X):
    gram = xp.matmul(t(xp, X), X)
    value = None
    if case.wants_value:
        diagonal = xp.diagonal(xp.linalg.cholesky(gram), axis1=-2, axis2=-1)
        value = 2 * xp.sum(xp.log(diagonal), axis=-1)
    return value, 2 * xp.matmul(X, xp.linalg.inv(gram)) if case.wants_gradient else None


def log_det_square(xp, case, X):
    value = 2 * xp.linalg.slogdet(X)[1] if case.wants_value else None
    return value, 2 * t(xp, xp.linalg.inv(X)) if case.wants_gradient else None


KINDS = {
    "0.5*norm2(X*A')^2": {"gram": ("XA", frobenius_gram), "left to right": ("XA", frobenius_left)},
    "norm2(A*x-b)^2": {"closed": ("Axb", least_squares)},
    "tr(A*X*B)": {"closed": ("AXB", bilinear_trace)},
    "tr(A*X)": {"closed": ("AX", linear_trace)},
    "tr(X*A)": {"closed": ("AX", linear_trace)},
    "tr(X*B)": {"closed": ("BX", linear_trace)},
    "logdet(X'*X)": {"closed": ("X", log_det_gram)},
}


def ways_of(case):
    kinds = dict(KINDS[case.kind])
    if case.kind == "logdet(X'*X)" and len(set(case.operand("X").dims)) == 1:
        kinds["square"] = ("X", log_det_square)
    return kinds


def run_one(xp, case, function, arrays):
    """Results as matgrad leaves them: one dense gradient per problem, only what was asked for."""
    value, gradient = function(xp, case, *arrays)
    if not case.wants_gradient:
        return value, None
    shape = (case.batch, *case.operand(case.wrt).dims)
    if gradient.shape != shape or not gradient.flags.c_contiguous:
        gradient = xp.array(xp.broadcast_to(gradient, shape), order="C", copy=True)
    return value, gradient


class ClosedForm:
    name = "cupy"

    def __init__(self, xp):
        self.xp = xp

    def offers(self, case):
        return case.kind in KINDS

    def ways(self, copies, text):
        del text
        case = copies.case
        result = {}
        for way, (names, function) in ways_of(case).items():
            def build(p, function=function, names=names):
                arrays = [p[n] for n in names]
                return {"": lambda: run_one(self.xp, case, function, arrays)}

            result[way] = copies.ways(build)[""]
        return result


class Library:
    """What the runner asks of every library."""

    tool = "cupy"
    by_hand = KINDS
    shortest_sample = 5e-3

    def __init__(self, threads, device):
        del threads
        if cp is None:
            raise ImportError("No module named 'cupy'")
        if device != "cuda":
            raise ImportError("CuPy computes on a GPU")
        properties = cp.cuda.runtime.getDeviceProperties(0)
        self.device = properties["name"].decode()
        self.versions = {"cupy": cp.__version__,
                         "cuda": str(cp.cuda.runtime.runtimeGetVersion())}
        self.variants = [ClosedForm(cp)]

    def upload(self, array):
        return cp.asarray(array)

    def download(self, array):
        return None if array is None else np.atleast_1d(cp.asnumpy(array))

    def wait(self, result):
        del result
        cp.cuda.get_current_stream().synchronize()
