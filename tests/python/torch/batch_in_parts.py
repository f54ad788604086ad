"""What each of two processes does with its part of a batch."""

import torch
from two_processes import COUNT

import matgrad.torch
from catalogue_in_torch import assert_close

TEXT = "logdet(X'*X) + norm2(A*X)^2"


def operands():
    generator = torch.Generator().manual_seed(3)
    X, A = (torch.randn(s, dtype=torch.float64, generator=generator) for s in ((6, 4, 2), (3, 4)))
    return X.requires_grad_(), A.requires_grad_()


def results(X, A):
    """Of the problems in X: what each has of its own, and what is summed over them."""
    each = matgrad.torch.function(TEXT, wrt="X", expected_batch=6)
    total = matgrad.torch.function(TEXT, wrt="A", reduce="sum")
    value, gradient = each.value_and_grad(X, A)
    loss = total(X, A)
    return (value, gradient), (loss, torch.autograd.grad(loss, A)[0])


def one_of_two(rank, folder):
    X, A = operands()
    own, summed = results(X.chunk(COUNT)[rank], A)
    summed = tuple(tensor.detach() for tensor in summed)
    for tensor in summed:
        torch.distributed.all_reduce(tensor)
    torch.save((own, summed), f"{folder}/{rank}.pt")

    # DistributedDataParallel averages gradients over the processes.
    module = matgrad.torch.Module(TEXT, parameters={"A": A.detach()}, reduce="sum")
    parallel = torch.nn.parallel.DistributedDataParallel(module)
    parallel(X.chunk(COUNT)[rank].detach()).backward()
    assert_close(COUNT * module.A.grad, summed[1])
