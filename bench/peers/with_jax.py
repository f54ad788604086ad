"""JAX: the closed forms under jit, and jit(vmap(grad(f))).

Each kind is written for one problem; vmap carries it over the batch, with None for what is shared,
so XLA sees one big product where an operand is shared. Products of floats stay in float
(`highest`), which is what matgrad does too. The first run compiles, which is not part
of any time.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import cho_solve

jax.config.update("jax_enable_x64", True)  # types are then those of the operands
jax.config.update("jax_default_matmul_precision", "highest")


def frobenius_gram(X, A):
    g = X @ (A.T @ A)
    return 0.5 * jnp.vdot(X, g), g


def frobenius_left(X, A):
    y = X @ A.T
    return 0.5 * jnp.vdot(y, y), y @ A


def least_squares(A, x, b):
    r = A @ x - b
    return r @ r, 2 * (r @ A)


def bilinear_trace(A, X, B):
    g = A.T @ B.T
    return jnp.vdot(X, g), g


def bilinear_trace_flipped(A, X, B):
    g = (B @ A).T
    return jnp.vdot(X, g), g


def linear_trace(A, X):
    return jnp.vdot(A.T, X), A.T


def log_det_gram_cholesky(X):
    factor = jnp.linalg.cholesky(X.T @ X)
    value = 2 * jnp.sum(jnp.log(jnp.diagonal(factor)))
    return value, 2 * cho_solve((factor, True), X.T).T


def log_det_gram_inverse(X):
    gram = X.T @ X
    return jnp.linalg.slogdet(gram)[1], 2 * X @ jnp.linalg.inv(gram)


def log_det_square(X):
    return 2 * jnp.linalg.slogdet(X)[1], 2 * jnp.linalg.inv(X).T


def squared_loss(x, V, u):
    """Here and below: sums over the batch, which is the first axis of what is batched."""
    r = u @ V.T - x
    return 0.5 * jnp.vdot(r, r), r.T @ u


def logistic_loss(x, w, t):
    z = -t * (x @ w)
    return jnp.sum(jax.nn.softplus(z)), (-t * jax.nn.sigmoid(z)) @ x


def softmax_loss(x, W, y):
    z = x @ W.T
    value = jnp.sum(jax.nn.logsumexp(z, axis=1)) - jnp.vdot(y, z)
    return value, (jax.nn.softmax(z, axis=1) - y).T @ x


# formula -> ways, each (operand names, function of one problem -> (value, gradient))
KINDS = {
    "0.5*norm2(X*A')^2": {"gram": ("XA", frobenius_gram), "left to right": ("XA", frobenius_left)},
    "norm2(A*x-b)^2": {"closed": ("Axb", least_squares)},
    "tr(A*X*B)": {"straight": ("AXB", bilinear_trace), "flipped": ("AXB", bilinear_trace_flipped)},
    "tr(A*X)": {"closed": ("AX", linear_trace)},
    "tr(X*A)": {"closed": ("AX", linear_trace)},
    "tr(X*B)": {"closed": ("BX", linear_trace)},
    "logdet(X'*X)": {"cholesky": ("X", log_det_gram_cholesky),
                     "inverse": ("X", log_det_gram_inverse)},
    "sum of 0.5*norm2(x-V*u)^2 by V": {"products": ("xVu", squared_loss)},
    "sum of softplus(-t*dot(x,w)) by w": {"products": ("xwt", logistic_loss)},
    "sum of logsumexp(W*x)-dot(y,W*x) by W": {"products": ("xWy", softmax_loss)},
}

# formula -> (operand names, f of one problem), for differentiation
FUNCTIONS = {
    "0.5*norm2(X*A')^2": ("XA", lambda X, A: 0.5 * jnp.sum((X @ A.T) ** 2)),
    "norm2(A*x-b)^2": ("Axb", lambda A, x, b: jnp.sum((A @ x - b) ** 2)),
    "tr(A*X*B)": ("AXB", lambda A, X, B: jnp.sum((A @ X) * B.T)),
    "tr(A*X)": ("AX", lambda A, X: jnp.sum(A.T * X)),
    "tr(X*A)": ("AX", lambda A, X: jnp.sum(A.T * X)),
    "tr(X*B)": ("BX", lambda B, X: jnp.sum(B.T * X)),
    "logdet(X'*X)": ("X", lambda X: jnp.linalg.slogdet(X.T @ X)[1]),
    "sum of 0.5*norm2(x-V*u)^2 by V": ("xVu", lambda x, V, u: 0.5 * jnp.sum((x - u @ V.T) ** 2)),
    "sum of softplus(-t*dot(x,w)) by w": ("xwt", lambda x, w, t: jnp.sum(jax.nn.softplus(-t * (x @ w)))),
    "sum of logsumexp(W*x)-dot(y,W*x) by W": ("xWy", lambda x, W, y: softmax_loss(x, W, y)[0]),
}


def printed_function(text, names, sizes):
    """A printed expression of one problem as a function of its operands."""
    code = compile(text, f"<printed: {text}>", "eval")
    return lambda *arrays: eval(code, {"np": jnp, **sizes, **dict(zip(names, arrays))})


def wanted(case, value, gradient):
    return (value if case.wants_value else None, gradient if case.wants_gradient else None)


def over_batch(case, names, function):
    """jit(vmap(function)) with shared operands left alone; a sum over the batch takes all of it at once."""
    axes = tuple(0 if case.operand(n).batched and not case.summed else None for n in names)
    if all(axis is None for axis in axes):
        return jax.jit(lambda *a: jax.tree.map(lambda r: r[None], function(*a)))
    return jax.jit(jax.vmap(function, in_axes=axes))


def runs(copies, names, function):
    compiled = over_batch(copies.case, names, function)

    def build(p):
        arrays = [p[n] for n in names]
        return {"": lambda: compiled(*arrays)}

    return copies.ways(build)[""]


class ClosedForm:
    name = "jax"
    compiles = True

    def offers(self, case):
        return not case.summed or case.kind in KINDS

    def ways(self, copies, text):
        case = copies.case
        kinds = dict(KINDS.get(case.kind, {}))
        if case.kind == "logdet(X'*X)" and len(set(case.operand("X").dims)) == 1:
            kinds["square"] = ("X", log_det_square)
        if text is not None:
            names = [o.name for o in case.operands]
            value = printed_function(text.value, names, case.free_sizes)
            gradient = printed_function(text.gradient, names, case.free_sizes)
            kinds["printed"] = (names, lambda *a: (value(*a), gradient(*a)))
        return {way: runs(copies, names, self.only_wanted(case, function))
                for way, (names, function) in kinds.items()}

    @staticmethod
    def only_wanted(case, function):
        # What is not returned is not computed: XLA removes it.
        return lambda *arrays: wanted(case, *function(*arrays))


class Gradient:
    name = "jax grad"
    compiles = True

    def offers(self, case):
        return case.wants_gradient and (not case.summed or case.kind in FUNCTIONS)

    def ways(self, copies, text):
        case = copies.case
        if text is None:
            names, f = FUNCTIONS[case.kind]
        else:
            names = [o.name for o in case.operands]
            f = printed_function(text.value, names, case.free_sizes)
        at = list(names).index(case.wrt)
        if case.wants_value:
            function = jax.value_and_grad(f, argnums=at)
        else:
            gradient = jax.grad(f, argnums=at)
            function = lambda *arrays: (None, gradient(*arrays))  # noqa: E731
        return {"grad": runs(copies, names, function)}


class Library:
    """What the runner asks of every library."""

    tool = "jax"
    by_hand = KINDS

    def __init__(self, threads, device):
        del threads  # XLA takes the processors that the runner left it
        platform = "gpu" if device == "cuda" else "cpu"
        try:
            self.place = jax.devices(platform)[0]
        except RuntimeError as problem:
            raise ImportError(f"JAX finds no {platform}: {problem}") from problem
        jax.config.update("jax_default_device", self.place)
        self.device = "cpu" if device == "cpu" else self.place.device_kind
        self.versions = {"jax": jax.__version__, "jaxlib": jax.lib.__version__
                         if hasattr(jax.lib, "__version__") else "unknown"}
        self.shortest_sample = 1e-3 if device == "cpu" else 5e-3
        self.variants = [ClosedForm(), Gradient()]

    def upload(self, array):
        return jax.device_put(array, self.place)

    @functools.cached_property
    def wait(self):
        return jax.block_until_ready

    def download(self, array):
        return None if array is None else np.asarray(array)
