"""The functions of the catalogue written by hand in PyTorch, and operands that fit their structure.

Operands of a structure are made from free numbers inside what is differentiated, because a promise of structure is
trusted: a finite difference would leave the symmetric or orthogonal matrices.
"""

import torch

import matgrad
from operands import POSITIVE

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


def quadratic(x, S):
    """x'*inv(S)*x of a batch."""
    return dot(x, mv(torch.linalg.inv(S), x))


def in_rows(x):
    """A number for each problem, as a row of one entry."""
    return x[..., None]


def in_matrix(x):
    """A number for each problem, as a matrix of one entry."""
    return x[..., None, None]


def eye_like(A):
    """The identity beside A."""
    return torch.eye(A.shape[-1], dtype=A.dtype)


def gaussian(K, S):
    """0.5*(logdet(K) + tr(inv(K)*S)) of a batch."""
    return 0.5 * (torch.linalg.slogdet(K)[1] + trace(torch.linalg.inv(K) @ S))


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
    "mahalanobis": lambda x, c, S: quadratic(x - c, S),
    "rayleigh_quotient": lambda x, A: dot(x, mv(A, x)) / dot(x, x),
    "a_optimality": lambda X: trace(torch.linalg.inv(X.mT @ X)),
    "matrix_factorization": lambda U, V, A: square(U @ V.mT - A),
    "procrustes": lambda A, Q, B: square(A @ Q - B),
    "log_sum_exp": lambda A, x, b: torch.logsumexp(mv(A, x) + b, -1),
    "log_barrier": lambda b, A, x: -torch.log(b - mv(A, x)).sum(-1),
    "smooth_l1": lambda A, x, b, t: torch.sqrt((mv(A, x) - b) ** 2 + t[..., None]).sum(-1),
    "probit": lambda y, A, x: -torch.special.log_ndtr(y * mv(A, x)).sum(-1),
    "multinomial_logistic": lambda X, W, Y: torch.logsumexp(X @ W, -1).sum(-1) - (Y * (X @ W)).sum((-2, -1)),
    "gamma_regression": lambda A, x, y: (mv(A, x) + y * torch.exp(-mv(A, x))).sum(-1),
    "negative_binomial": lambda A, x, y, r: (
        -(
            torch.distributions.NegativeBinomial(
                in_rows(r), logits=mv(A, x) - torch.log(in_rows(r)), validate_args=False
            ).log_prob(y)
            + torch.lgamma(y + 1)
        ).sum(-1)
    ),
    "student_t_regression": lambda A, x, b, v: 0.5 * (v + 1) * torch.log(1 + (mv(A, x) - b) ** 2 / in_rows(v)).sum(-1),
    "multivariate_t": lambda S, v, x, c: (
        0.5 * torch.logdet(S) + 0.5 * (v + x.shape[-1]) * torch.log(1 + quadratic(x - c, S) / v)
    ),
    "dirichlet": lambda a, g: torch.lgamma(a).sum(-1) - torch.lgamma(a.sum(-1)) - dot(a - 1, g),
    "wishart": lambda V, S, v: (
        0.5 * trace(torch.linalg.inv(V) @ S) + 0.5 * v * torch.logdet(V) - 0.5 * (v - V.shape[-1] - 1) * torch.logdet(S)
    ),
    "matrix_normal": lambda U, V, X: (
        0.5
        * (
            X.shape[-1] * torch.logdet(U)
            + X.shape[-2] * torch.logdet(V)
            + trace(torch.linalg.inv(V) @ X.mT @ torch.linalg.inv(U) @ X)
        )
    ),
    "factor_analysis": lambda W, d, S: gaussian(W @ W.mT + torch.diag_embed(d), S),
    "probabilistic_pca": lambda W, t, S: gaussian(W @ W.mT + in_matrix(t) * eye_like(S), S),
    "gaussian_process": lambda s, D, l, t, y: gaussian(
        in_matrix(s) * torch.exp(-D / in_matrix(l)) + in_matrix(t) * eye_like(D), y[..., :, None] * y[..., None, :]
    ),
    "innovations": lambda H, P, R, e: gaussian(H @ P @ H.mT + R, e[..., :, None] * e[..., None, :]),
    "kl_gaussians": lambda S, P, c, x: (
        0.5 * (trace(torch.linalg.inv(S) @ P) + quadratic(c - x, S) - x.shape[-1] + torch.logdet(S) - torch.logdet(P))
    ),
    "gaussian_mixture": lambda X, C, g: (
        -torch.logsumexp(g[..., None, :] - 0.5 * ((X[..., :, None, :] - C[..., None, :, :]) ** 2).sum(-1), -1).sum(-1)
    ),
    "cox": lambda d, R, A, x: dot(d, torch.log(mv(R, torch.exp(mv(A, x)))) - mv(A, x)),
    "bradley_terry": lambda D, x: -torch.nn.functional.logsigmoid(mv(D, x)).sum(-1),
    "kl_divergence": lambda x, y: (torch.special.xlogy(x, x) - torch.special.xlogy(x, y)).sum(-1),
    "huber": lambda A, x, b, t: torch.where(
        (mv(A, x) - b).abs() <= in_rows(t),
        0.5 * (mv(A, x) - b) ** 2,
        in_rows(t) * ((mv(A, x) - b).abs() - 0.5 * in_rows(t)),
    ).sum(-1),
    "quantile": lambda b, A, x, t: (
        in_rows(t) * torch.relu(b - mv(A, x)) + (1 - in_rows(t)) * torch.relu(mv(A, x) - b)
    ).sum(-1),
    "cauchy": lambda A, x, b, t: torch.log1p(((mv(A, x) - b) / in_rows(t)) ** 2).sum(-1),
    "hinge": lambda y, A, x, t: torch.relu(1 - y * mv(A, x)).sum(-1) + t * dot(x, x),
    "elastic_net": lambda A, x, b, s, t: (
        0.5 * dot(mv(A, x) - b, mv(A, x) - b) + s * x.abs().sum(-1) + 0.5 * t * dot(x, x)
    ),
    "group_lasso": lambda A, X, B, t: 0.5 * square(A @ X - B) + t * torch.linalg.vector_norm(X, dim=-1).sum(-1),
    "kernel_ridge": lambda K, x, y, t: dot(mv(K, x) - y, mv(K, x) - y) + t * dot(x, mv(K, x)),
    "weighted_factorization": lambda C, U, V, A: (C * (U @ V.mT - A) ** 2).sum((-2, -1)),
    "nonnegative_factorization": lambda A, U, V: (A * torch.log(A / (U @ V.mT)) - A + U @ V.mT).sum((-2, -1)),
    "itakura_saito": lambda A, U, V: (A / (U @ V.mT) - torch.log(A / (U @ V.mT)) - 1).sum((-2, -1)),
    "independent_components": lambda W, X: (
        torch.log(torch.cosh(W @ X)).sum((-2, -1)) - X.shape[-1] * torch.linalg.slogdet(W)[1]
    ),
    "linear_autoencoder": lambda X, W: square(X @ W @ W.mT - X),
    "discriminant": lambda W, S, B: -trace(torch.linalg.inv(W.mT @ S @ W) @ W.mT @ B @ W),
    "contrastive": lambda Z, Y, t: -torch.log_softmax(Z @ Y.mT / in_matrix(t), -1).diagonal(dim1=-2, dim2=-1).sum(-1),
    "coding_rate": lambda a, Z: 0.5 * torch.logdet(torch.eye(Z.shape[-2], dtype=Z.dtype) + in_matrix(a) * (Z @ Z.mT)),
    "attention": lambda Q, K, V, B: square(torch.softmax(Q @ K.mT, -1) @ V - B),
    "cosine_similarity": lambda x, y: torch.nn.functional.cosine_similarity(x, y, dim=-1),
    "graph_smoothness": lambda F, L: trace(F.mT @ L @ F),
    "predictive_control": lambda A, x, B, u, c, t: (
        dot(mv(A, x) + mv(B, u) - c, mv(A, x) + mv(B, u) - c) + t * dot(u, u)
    ),
    "d_optimal_weights": lambda X, w: -torch.logdet(X.mT @ (w[..., None] * X)),
    "a_optimal_weights": lambda X, w: trace(torch.linalg.inv(X.mT @ (w[..., None] * X))),
    "mean_variance": lambda x, S, t, c: 0.5 * dot(x, mv(S, x)) - t * dot(c, x),
    "sharpe_ratio": lambda c, x, S: -dot(c, x) / torch.sqrt(dot(x, mv(S, x))),
    "risk_parity": lambda x, S: 0.5 * dot(x, mv(S, x)) - torch.log(x).sum(-1),
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
    if structure in ("pos", "positive"):
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
        for operand in POSITIVE.get(name, ("t",)):
            if operand in declared:
                declared[operand] = (declared[operand][0], "positive")
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
