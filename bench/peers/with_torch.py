"""PyTorch: the closed forms, torch.compile of them, and torch.func: vmap(grad(f)).

The closed forms are written for the whole batch: a shared operand makes one big product, Gram
matrices are factored by Cholesky, and triangular factors are solved with, not inverted, unless the
inverse is the faster way. `cholesky_ex` and `inv_ex` leave out what `cholesky` and `inv` do to report
failures, for which these wait for a GPU. TF32 stays off, as in matgrad. Compile time is not part of
any time.
"""

import functools

import torch

torch.backends.cuda.matmul.allow_tf32 = False


def dots(a, b):
    return torch.einsum("...ij,...ij->...", a, b)


def frobenius_gram(case, X, A):
    g = X @ (A.mT @ A)
    return (0.5 * dots(X, g) if case.wants_value else None), g


def frobenius_left(case, X, A):
    y = X @ A.mT
    value = 0.5 * dots(y, y) if case.wants_value else None
    return value, y @ A if case.wants_gradient else None


def least_squares(case, A, x, b):
    if A.ndim == 2:
        r = x @ A.mT - b
        g = r @ A
    else:
        r = (A @ x.unsqueeze(-1)).squeeze(-1) - b
        g = (r.unsqueeze(-2) @ A).squeeze(-2) if case.wants_gradient else None
    value = torch.einsum("...i,...i->...", r, r) if case.wants_value else None
    return value, 2 * g if case.wants_gradient else None


def bilinear_trace(case, A, X, B):
    g = A.mT @ B.mT
    return (dots(X, g) if case.wants_value else None), g


def bilinear_trace_flipped(case, A, X, B):
    g = (B @ A).mT
    return (dots(X, g) if case.wants_value else None), g


def linear_trace(case, A, X):
    g = A.mT.clone(memory_format=torch.contiguous_format)  # a result is not an operand
    return (dots(X, g) if case.wants_value else None), g


def log_det_of_factor(factor):
    return 2 * torch.sum(torch.log(torch.diagonal(factor, dim1=-2, dim2=-1)), -1)


def log_det_gram_cholesky(case, X):
    factor = torch.linalg.cholesky_ex(X.mT @ X).L
    value = log_det_of_factor(factor) if case.wants_value else None
    g = 2 * torch.cholesky_solve(X.mT, factor).mT if case.wants_gradient else None
    return value, g


def log_det_gram_solves(case, X):
    factor = torch.linalg.cholesky_ex(X.mT @ X).L
    value = log_det_of_factor(factor) if case.wants_value else None
    g = None
    if case.wants_gradient:
        y = torch.linalg.solve_triangular(factor.mT, X, upper=True, left=False)
        g = 2 * torch.linalg.solve_triangular(factor, y, upper=False, left=False)
    return value, g


def log_det_gram_inverse(case, X):
    gram = X.mT @ X
    value = torch.linalg.slogdet(gram)[1] if case.wants_value else None
    return value, 2 * (X @ torch.linalg.inv_ex(gram).inverse) if case.wants_gradient else None


def log_det_square(case, X):
    value = 2 * torch.linalg.slogdet(X)[1] if case.wants_value else None
    return value, 2 * torch.linalg.inv_ex(X).inverse.mT if case.wants_gradient else None


def squared_loss(case, x, V, u):
    """Here and below: sums over the batch, which is the first axis of what is batched."""
    r = u @ V.mT - x
    value = 0.5 * torch.sum(r * r) if case.wants_value else None
    return value, r.mT @ u if case.wants_gradient else None


def logistic_loss(case, x, w, t):
    z = -t * (x @ w)
    value = torch.nn.functional.softplus(z).sum() if case.wants_value else None
    return value, (-t * torch.sigmoid(z)) @ x if case.wants_gradient else None


def softmax_loss(case, x, W, y):
    z = x @ W.mT
    value = torch.logsumexp(z, 1).sum() - torch.sum(y * z) if case.wants_value else None
    return value, (torch.softmax(z, 1) - y).mT @ x if case.wants_gradient else None


# formula -> ways, each (operand names, function of the case and the batch -> (value, gradient))
KINDS = {
    "0.5*norm2(X*A')^2": {"gram": ("XA", frobenius_gram), "left to right": ("XA", frobenius_left)},
    "norm2(A*x-b)^2": {"closed": ("Axb", least_squares)},
    "tr(A*X*B)": {"straight": ("AXB", bilinear_trace), "flipped": ("AXB", bilinear_trace_flipped)},
    "tr(A*X)": {"closed": ("AX", linear_trace)},
    "tr(X*A)": {"closed": ("AX", linear_trace)},
    "tr(X*B)": {"closed": ("BX", linear_trace)},
    "logdet(X'*X)": {"cholesky": ("X", log_det_gram_cholesky),
                     "two solves": ("X", log_det_gram_solves),
                     "inverse": ("X", log_det_gram_inverse)},
    "sum of 0.5*norm2(x-V*u)^2 by V": {"products": ("xVu", squared_loss)},
    "sum of softplus(-t*dot(x,w)) by w": {"products": ("xwt", logistic_loss)},
    "sum of logsumexp(W*x)-dot(y,W*x) by W": {"products": ("xWy", softmax_loss)},
}

# formula -> (operand names, f of one problem), for differentiation
FUNCTIONS = {
    "0.5*norm2(X*A')^2": ("XA", lambda X, A: 0.5 * torch.sum((X @ A.mT) ** 2)),
    "norm2(A*x-b)^2": ("Axb", lambda A, x, b: torch.sum((A @ x - b) ** 2)),
    "tr(A*X*B)": ("AXB", lambda A, X, B: torch.sum((A @ X) * B.mT)),
    "tr(A*X)": ("AX", lambda A, X: torch.sum(A.mT * X)),
    "tr(X*A)": ("AX", lambda A, X: torch.sum(A.mT * X)),
    "tr(X*B)": ("BX", lambda B, X: torch.sum(B.mT * X)),
    "logdet(X'*X)": ("X", lambda X: torch.linalg.slogdet(X.mT @ X)[1]),
    "sum of 0.5*norm2(x-V*u)^2 by V": ("xVu", lambda x, V, u: 0.5 * torch.sum((x - u @ V.mT) ** 2)),
    "sum of softplus(-t*dot(x,w)) by w": (
        "xwt", lambda x, w, t: torch.nn.functional.softplus(-t * (x @ w)).sum()),
    "sum of logsumexp(W*x)-dot(y,W*x) by W": (
        "xWy", lambda x, W, y: torch.logsumexp(x @ W.mT, 1).sum() - torch.sum(y * (x @ W.mT))),
}


def ways_of(case):
    kinds = dict(KINDS[case.kind])
    if case.kind == "logdet(X'*X)" and len(set(case.operand("X").dims)) == 1:
        kinds["square"] = ("X", log_det_square)
    return kinds


def finished(case, function):
    """Results as matgrad leaves them: one dense gradient per problem, only what was asked for."""
    shape = (1 if case.summed else case.batch, *case.operand(case.wrt).dims)

    def run(*arrays):
        value, gradient = function(case, *arrays)
        if not case.wants_gradient:
            return value, None
        return value, gradient.expand(shape).contiguous()

    return run


class ClosedForm:
    name = "pytorch"

    def __init__(self):
        self.best = {}  # case -> the way that was measured

    def offers(self, case):
        return case.kind in KINDS

    def measured(self, case, way):
        self.best[case.name] = way

    def prepared(self, function):
        return function

    def candidates(self, case):
        return ways_of(case)

    def ways(self, copies, text):
        del text
        case = copies.case
        result = {}
        for way, (names, function) in self.candidates(case).items():
            run = self.prepared(finished(case, function))

            def build(p, run=run, names=names):
                arrays = [p[n] for n in names]
                return {"": lambda: call(run, arrays)}

            result[way] = copies.ways(build)[""]
        return result


@torch.no_grad()
def call(run, arrays):
    return run(*arrays)


class Compiled(ClosedForm):
    """torch.compile of the way that was the fastest without it; compiling takes seconds each."""

    name = "pytorch compile"
    compiles = True

    def __init__(self, closed):
        super().__init__()
        self.closed = closed

    def prepared(self, function):
        torch.compiler.reset()
        return torch.compile(function, dynamic=False)

    def candidates(self, case):
        ways = ways_of(case)
        best = self.closed.best.get(case.name)
        return {best: ways[best]} if best else ways


# Ways that go to libraries of which it is not known that a graph may hold their calls.
NOT_RECORDED = ("cholesky", "inverse", "square")


class Recorded(ClosedForm):
    """The closed forms as CUDA graphs: the work of each copy is captured once, then replayed. Once a
    capture was refused no other is tried, since what a broken one leaves behind is not known."""

    name = "pytorch, graph"
    most_problems = 16384  # as for matgrad and cuBLAS (bench/README.md)
    most_copies = 256

    def __init__(self, record):
        super().__init__()
        self.record = record
        self.refused = None

    def offers(self, case):
        return super().offers(case) and case.batch <= self.most_problems

    def candidates(self, case):
        return {way: f for way, f in ways_of(case).items() if way not in NOT_RECORDED}

    def ways(self, copies, text):
        del text
        if self.refused:
            raise RuntimeError(f"not tried, since a capture was refused: {self.refused}")
        case = copies.case
        result = {}
        for way, (names, function) in self.candidates(case).items():
            run = finished(case, function)

            def build(p, run=run, names=names):
                arrays = [p[n] for n in names]
                return {"": self.record(lambda: call(run, arrays))}

            try:
                result[way] = copies.ways(build, self.most_copies)[""]
            except Exception as problem:
                self.refused = str(problem)
                raise
        return result


class Recorder:
    """Captures a run in a CUDA graph. All graphs take their memory from one pool: they are replayed
    one after the other, and what they return is kept."""

    def __init__(self):
        self.pool = None

    def __call__(self, run):
        if self.pool is None:
            self.pool = torch.cuda.graph_pool_handle()
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            run()  # what is loaded at a first call is there afterwards
        torch.cuda.current_stream().wait_stream(stream)
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self.pool):
            result = run()

        def replay():
            graph.replay()
            return result

        return replay


class Gradient:
    name = "pytorch grad"

    def offers(self, case):
        return case.wants_gradient and case.kind in FUNCTIONS

    def ways(self, copies, text):
        del text
        case = copies.case
        names, f = FUNCTIONS[case.kind]
        at = names.index(case.wrt)
        dims = tuple(0 if case.operand(n).batched and not case.summed else None for n in names)
        transform = torch.func.grad_and_value if case.wants_value else torch.func.grad
        differentiated = transform(f, argnums=at)
        if any(dim is not None for dim in dims):
            differentiated = torch.func.vmap(differentiated, in_dims=dims)

        def over(*arrays):
            result = differentiated(*arrays)
            gradient, value = result if case.wants_value else (result, None)
            return value, gradient[None] if case.summed else gradient

        def build(p):
            arrays = [p[n] for n in names]
            return {"grad": lambda: over(*arrays)}

        return copies.ways(build)


class Library:
    """What the runner asks of every library."""

    tool = "pytorch"
    by_hand = KINDS

    def __init__(self, threads, device):
        if device == "cuda" and not torch.cuda.is_available():
            raise ImportError("PyTorch finds no GPU")
        torch.set_num_threads(threads)
        self.cuda = device == "cuda"
        self.device = torch.cuda.get_device_name() if self.cuda else "cpu"
        self.versions = {"pytorch": torch.__version__, "cuda": str(torch.version.cuda)}
        self.shortest_sample = 5e-3 if self.cuda else 1e-3
        closed = ClosedForm()
        recorded = [Recorded(Recorder())] if self.cuda else []
        self.variants = [closed, *recorded, Compiled(closed), Gradient()]

    def upload(self, array):
        return torch.from_numpy(array).to("cuda" if self.cuda else "cpu")

    @functools.cached_property
    def wait(self):
        return (lambda result: torch.cuda.synchronize()) if self.cuda else (lambda result: None)

    def download(self, tensor):
        return None if tensor is None else torch.atleast_1d(tensor).detach().cpu().numpy()
