"""Value and gradient as matgrad computes them, and as users of the other libraries write them.

A contender takes the name of a function and a batch X, and gives values, gradients, and a text for each
problem: `success`, or how it failed. A peer that raises an error for a whole batch is asked again, one problem
at a time; of a peer, numbers that are not finite are a failure.
"""

import json
import os
import subprocess
import tempfile

import numpy as np

STATUS = {0: "success", 1: "not positive", 2: "singular", 3: "ill-conditioned", 4: "not finite"}


class Matgrad:
    """The command, on .npy files."""

    def __init__(self, command, device, accuracy):
        self.name, self.command = "matgrad " + accuracy, command
        self.options = ["--device", device, "--accuracy", accuracy]

    def __call__(self, function, x):
        with tempfile.TemporaryDirectory() as folder:
            path = {name: os.path.join(folder, name + ".npy") for name in ("X", "v", "g", "s")}
            np.save(path["X"], x)
            run(self.command, "eval", function, "--wrt", "X", "X=" + path["X"], "--value", path["v"],
                "--grad", path["g"], "--status", path["s"], *self.options)
            value, gradient, status = (np.load(path[name]) for name in ("v", "g", "s"))
        return value, gradient, [STATUS.get(kind, f"kind {kind}") for kind in (status >> 24).tolist()]


def run(*call):
    """Exit status 1 says that some problems failed, each of which has its status."""
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise RuntimeError(done.stderr.strip())


def matgrad_made_of(command):
    """Versions and commit of a built command, which the records of `matgrad bench` keep."""
    case = {"function": "log_det_gram", "sizes": {"m": 2, "n": 1}}
    with tempfile.TemporaryDirectory() as folder:
        suite, record = os.path.join(folder, "suite.json"), os.path.join(folder, "record.json")
        with open(suite, "w", encoding="utf-8") as file:
            json.dump({"name": "one", "about": "one row", "cases": [case]}, file)
        run(command, "bench", "--suite", suite, "--device", "cpu", "--seconds", "0.001", "--json", record)
        with open(record, encoding="utf-8") as file:
            content = json.load(file)
    return content["versions"], content["commit"]


class Peer:
    """`functions`: formula -> function of a batch, which gives values and gradients."""

    def __init__(self, name, functions):
        self.name, self.functions = name, functions

    def __call__(self, function, x):
        try:
            value, gradient = self.functions[function](x)
        except Exception:  # every library has an error of its own for a singular matrix
            if len(x) == 1:
                return np.full(1, np.nan), np.full(x.shape, np.nan), ["raised an error"]
            parts = [self(function, one[None]) for one in x]
            return (np.concatenate([part[0] for part in parts]),
                    np.concatenate([part[1] for part in parts]), [part[2][0] for part in parts])
        finite = np.isfinite(value) & np.isfinite(gradient).all((-2, -1))
        return value, gradient, ["success" if f else "not finite" for f in finite.tolist()]


def t(a):
    return np.swapaxes(a, -1, -2)


def numpy_peers():
    def log_det(x):
        gram = t(x) @ x
        return np.linalg.slogdet(gram)[1], 2 * x @ np.linalg.inv(gram)

    def trace_inverse(x):
        inverse = np.linalg.inv(t(x) @ x)
        return np.trace(inverse, axis1=-2, axis2=-1), -2 * x @ inverse @ inverse

    # With care, by hand: X = Q*R, and no Gram matrix.
    def log_det_qr(x):
        q, r = np.linalg.qr(x)
        diagonal = np.diagonal(r, axis1=-2, axis2=-1)
        return 2 * np.log(np.abs(diagonal)).sum(-1), 2 * t(np.linalg.solve(r, t(q)))

    def trace_inverse_qr(x):
        q, r = np.linalg.qr(x)
        inverse = np.linalg.inv(r)
        return (inverse**2).sum((-2, -1)), -2 * q @ t(inverse) @ inverse @ t(inverse)

    yield Peer("numpy", {"logdet(X'*X)": log_det, "tr(inv(X'*X))": trace_inverse})
    yield Peer("numpy qr", {"logdet(X'*X)": log_det_qr, "tr(inv(X'*X))": trace_inverse_qr})


def jax_peers():
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)  # float32 arrays stay float32

    def grad(f):
        compiled = jax.jit(jax.vmap(jax.value_and_grad(f)))
        return lambda x: tuple(np.asarray(part) for part in compiled(x))

    yield Peer("jax grad", {
        "logdet(X'*X)": grad(lambda x: jnp.linalg.slogdet(x.T @ x)[1]),
        "tr(inv(X'*X))": grad(lambda x: jnp.trace(jnp.linalg.inv(x.T @ x)))})


def torch_peers(device):
    import torch

    def grad(f):
        def both(x):
            x = torch.tensor(x, device=device, requires_grad=True)
            value = f(x)
            value.sum().backward()
            return value.detach().cpu().numpy(), x.grad.cpu().numpy()
        return both

    yield Peer("pytorch grad", {
        "logdet(X'*X)": grad(lambda x: torch.logdet(x.mT @ x)),
        "tr(inv(X'*X))": grad(lambda x: torch.linalg.inv(x.mT @ x).diagonal(dim1=-2, dim2=-1).sum(-1))})


def all_contenders(command, device):
    """Those that are there, why others are not, and the versions of all."""
    if device == "cpu":
        os.environ["JAX_PLATFORMS"] = "cpu"
    contenders = [Matgrad(command, device, accuracy) for accuracy in ("robust", "fast")]
    contenders += numpy_peers()
    versions, commit = matgrad_made_of(command)
    versions["numpy"], absent = np.__version__, {}
    for name, module, peers in (("jax", "jax", jax_peers),
                                ("pytorch", "torch", lambda: torch_peers(device))):
        try:
            contenders += peers()
            versions[name] = __import__(module).__version__
        except ImportError as problem:
            absent[name] = str(problem)
    return contenders, absent, versions, commit
