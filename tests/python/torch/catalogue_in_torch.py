"""The functions of the catalogue written by hand in PyTorch, and operands that fit their structure.

Operands of a structure are made from free numbers inside what is differentiated, because a promise of structure is
trusted: a finite difference would leave the symmetric or orthogonal matrices.
"""

import torch

import matgrad

torch.set_num_threads(1)  # matrices of a few entries

SIZES = {"m": 4, "n": 3, "p": 2, "k": 3, "1": 1}


def mv(A, x):
    """A*x of a batch."""
    return (A @ x[..., None])[..., 0]


def dot(x, y):
    """x'*y of a batch."""
    return (x * y).sum(-1)


def square(A):
    """norm2(A)^2 of a batch of matrices."""
    return (A * A).sum((-2, -1))


def trace(A):
    """tr(A) of a batch."""
    return A.diagonal(dim1=-2, dim2=-1).sum(-1)


BY_HAND = {
    "frobenius": lambda X, A: 0.5 * square(X @ A.mT),
    "least_squares": lambda A, x, b: dot(mv(A, x) - b, mv(A, x) - b),
    "bilinear_trace": lambda A, X, B: trace(A @ X @ B),
    "log_det_gram": lambda X: torch.logdet(X.mT @ X),
    "weighted_least_squares": lambda w, A, x, b: dot(w, (mv(A, x) - b) ** 2),
    "ridge": lambda A, x, b, t: dot(mv(A, x) - b, mv(A, x) - b) + t * dot(x, x),
    "matrix_least_squares": lambda A, X, B: square(A @ X - B),
    "logistic": lambda y, A, x: torch.nn.functional.softplus(-y * mv(A, x)).sum(-1),
    "softmax_cross_entropy": lambda W, x, y: torch.logsumexp(mv(W, x), -1) - dot(y, mv(W, x)),
    "poisson": lambda A, x, y: torch.exp(mv(A, x)).sum(-1) - dot(y, mv(A, x)),
    "gaussian_nll": lambda P, S: -torch.logdet(P) + trace(S @ P),
    "graphical_ridge": lambda P, S, t: -torch.logdet(P) + trace(S @ P) + t * square(P),
    "quadratic_form": lambda x, A: dot(x, mv(A, x)),
    "quadratic": lambda x, A, b: 0.5 * dot(x, mv(A, x)) - dot(b, x),
    "mahalanobis": lambda x, c, S: dot(x - c, torch.linalg.solve(S, (x - c)[..., None])[..., 0]),
    "rayleigh_quotient": lambda x, A: dot(x, mv(A, x)) / dot(x, x),
    "a_optimality": lambda X: trace(torch.linalg.inv(X.mT @ X)),
    "matrix_factorization": lambda U, V, A: square(U @ V.mT - A),
    "procrustes": lambda A, Q, B: square(A @ Q - B),
    "log_sum_exp": lambda A, x, b: torch.logsumexp(mv(A, x) + b, -1),
    "log_barrier": lambda b, A, x: -torch.log(b - mv(A, x)).sum(-1),
    "smooth_l1": lambda A, x, b, t: torch.sqrt((mv(A, x) - b) ** 2 + t[..., None]).sum(-1),
    "perceptron_layer": lambda W, x, b, y: ((torch.tanh(mv(W, x) + b) - y) ** 2).sum(-1),
}
ENTRIES = {entry.name: entry for entry in matgrad.catalogue()}
# Those of different structure, cheap to cross with everything.
HANDFUL = ("log_det_gram", "least_squares", "bilinear_trace", "frobenius", "logistic", "log_sum_exp")


def shaped(free, structure):
    """A matrix of the structure from free numbers."""
    if structure == "spd":
        return free @ free.mT + torch.eye(free.shape[-1], dtype=free.dtype)
    if structure == "sym":
        return (free + free.mT) / 2
    if structure == "orth":
        skew, eye = free - free.mT, torch.eye(free.shape[-1], dtype=free.dtype)
        return torch.linalg.solve(eye + skew, eye - skew)
    if structure == "positive":
        return free * free + 2
    assert structure == "", structure
    return free


class Problem:
    """One function of the catalogue: matgrad's, the one by hand, and free numbers for its operands."""

    def __init__(self, name, **options):
        import matgrad.torch

        self.name = name
        self.function = matgrad.torch.function("@" + name, **options)
        declared = {}
        for declaration in ENTRIES[name].declarations.split():
            operand, _, rest = declaration.partition("=")
            sizes, _, structure = rest.partition(":")
            shape = tuple(SIZES[size] for size in sizes.split(","))
            declared[operand] = (() if shape == (1,) else shape, structure)
        if "t" in declared:
            declared["t"] = ((), "positive")
        if name == "weighted_least_squares":
            declared["w"] = (declared["w"][0], "positive")
        if name == "log_barrier":
            declared["b"] = (declared["b"][0], "positive")
        self.names = self.function.operands
        self.shapes = tuple(declared[operand][0] for operand in self.names)
        self.structures = tuple(declared[operand][1] for operand in self.names)

    def free(self, batch=(), shared=(), dtype=torch.float64, requires_grad=True, seed=0):
        """Free numbers for each operand; those named in `shared` have no batch axes."""
        generator = torch.Generator().manual_seed(seed)
        made = []
        for operand, shape in zip(self.names, self.shapes, strict=True):
            front = () if operand in shared else tuple(batch)
            scale = 0.3 if self.name in ("log_barrier", "poisson") else 1.0
            value = scale * torch.randn((*front, *shape), dtype=dtype, generator=generator)
            made.append(value.requires_grad_(requires_grad))
        return tuple(made)

    def operands(self, free):
        """The operands that free numbers stand for."""
        return tuple(shaped(value, structure) for value, structure in zip(free, self.structures, strict=True))

    def ours(self, *free):
        """The value by matgrad."""
        return self.function(*self.operands(free))

    def by_hand(self, *free):
        """The value by hand, each operand by its name."""
        return BY_HAND[self.name](**dict(zip(self.names, self.operands(free), strict=True)))


def some_shared(problem):
    """Every second operand, so that some are shared and some are not."""
    return problem.names[1::2]


def assert_close(found, expected, rtol=1e-9):
    """Trees of tensors; in double, relative to the largest entry."""
    found, expected = (torch.utils._pytree.tree_leaves(tree) for tree in (found, expected))
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.shape == theirs.shape
        scale = float(theirs.detach().abs().max()) if theirs.numel() else 1.0
        torch.testing.assert_close(ours, theirs, rtol=rtol, atol=rtol * max(scale, 1.0))


class CountedCalls(torch.utils._python_dispatch.TorchDispatchMode):
    """Counts calls of the operator, and keeps their keys and the shapes of their operands."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func is torch.ops.matgrad.run.default:
            self.calls.append((args[1], [tuple(operand.shape) for operand in args[0]], args[2]))
        return func(*args, **(kwargs or {}))
