"""Data-parallel training with torch.distributed: a logistic regression whose tumours lie in several processes.

    torchrun --nproc-per-node 2 -m matgrad.examples.torch_data_parallel

Each process has its own part of the 569 tumours and computes the sum of

    softplus(-s*(x'*w))

over them, and its gradient; x and s are batched, w is shared. Gloo adds the values and gradients of all processes (NCCL
does on GPUs: the tensors then lie there, nothing else changes; not yet run on a GPU). What L-BFGS does with the sums is
the same in every process. The ridge 0.5*|w|^2 is added once. scikit-learn's coefficients are known. Without torchrun
one process has all tumours.
"""

import os
import sys

import numpy as np

import matgrad as mg
from matgrad import distributed
from matgrad.examples._data import breast_cancer, breast_cancer_resamples, standardised
from matgrad.examples._report import CannotRun, Report, main

try:
    import torch
    import torch.distributed as dist
except ImportError:
    torch = None


class Processes:
    """Those that torchrun started: this one's rank, their number, and sums over them."""

    def __init__(self):
        self.is_one_of_many = "RANK" in os.environ
        if self.is_one_of_many:
            dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
        self.rank = dist.get_rank() if self.is_one_of_many else 0
        self.size = dist.get_world_size() if self.is_one_of_many else 1

    def add(self, tensor):
        if self.is_one_of_many:
            dist.all_reduce(tensor)

    def close(self):
        if self.is_one_of_many:
            dist.destroy_process_group()


def train(X, s, processes, progress=lambda text: None):
    """The coefficients (n,) and the loss at each evaluation, of the rows of this process: X (rows, n), s (rows,)."""
    loss = mg.function("softplus(-s*(x'*w))", wrt="w", declare="s=1", reduce="sum")
    w = torch.zeros(X.shape[1], dtype=X.dtype, device=X.device, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [w], max_iter=10, history_size=20, tolerance_grad=0, tolerance_change=0, line_search_fn="strong_wolfe"
    )
    losses = []

    def closure():
        value, gradient = loss.value_and_grad(x=X, s=s, w=w.detach())
        total = torch.cat([value.reshape(1), gradient])
        processes.add(total)
        w.grad = total[1:] + w.detach()
        losses.append(float(total[0] + 0.5 * (w.detach() @ w.detach())))
        return losses[-1]

    for _ in range(30):
        optimizer.step(closure)
        closure()  # the gradient where the step ended
        size = float(w.grad.norm())
        progress(f"{len(losses)} evaluations: loss {losses[-1]:.9f} nats, gradient {size:.1e} nats per unit")
        if size <= 1e-6:
            break
    return w.detach(), losses


def run(report: Report) -> bool:
    if torch is None:
        raise CannotRun("PyTorch is not installed")
    processes = Processes()
    features, malignant = breast_cancer()
    features = np.column_stack([standardised(features), np.ones(len(features))])
    device = f"cuda:{os.environ.get('LOCAL_RANK', 0)}" if torch.cuda.is_available() else "cpu"
    X = torch.tensor(distributed.rows(processes, features), device=device)
    s = torch.tensor(distributed.rows(processes, malignant), device=device)
    w, losses = train(X, s, processes, report.progress if processes.rank == 0 else lambda text: None)
    known = breast_cancer_resamples()[1][0]
    difference = np.abs(w.cpu().numpy() - known).max()
    if processes.rank > 0:
        processes.close()
        return bool(difference <= 1e-6)

    report.say(f"{len(features)} tumours in {processes.size} processes, {len(X)} in the first")
    report.say(f"{len(losses)} evaluations by L-BFGS")
    report.say(f"largest difference from scikit-learn: {difference:.1e} (log odds per standard deviation)")

    def draw(axes):
        axes.semilogy(np.array(losses) - min(losses) + 1e-13)
        axes.set(xlabel="evaluation", ylabel="loss above the least (nats)", title=f"L-BFGS, {processes.size} processes")

    report.plot(draw)
    processes.close()
    return report.finish(difference <= 1e-6, "scikit-learn's coefficients within 1e-6")


if __name__ == "__main__":
    sys.exit(main("torch_data_parallel", run, __doc__))
