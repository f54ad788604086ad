"""Tensors that are sharded over two processes, and what is computed of them."""

import torch
from torch.distributed.tensor import Partial, Replicate, Shard, distribute_tensor
from two_processes import COUNT

import matgrad.torch
from catalogue_in_torch import assert_close

TEXT = "logdet(X'*X) + norm2(A*X)^2"


def spread(mesh):
    generator = torch.Generator().manual_seed(3)
    X, A = (torch.randn(s, dtype=torch.float64, generator=generator) for s in ((6, 4, 2), (3, 4)))
    whole = (X.requires_grad_(), A.requires_grad_())
    parts = (distribute_tensor(X.detach(), mesh, [Shard(0)]), distribute_tensor(A.detach(), mesh, [Replicate()]))
    return whole, tuple(part.requires_grad_() for part in parts)


def results(X, A):
    """With the placements that each has to have."""
    each = matgrad.torch.function(TEXT, wrt="X", expected_batch=6)
    value, gradient = each.value_and_grad(X, A)
    own, shared = torch.autograd.grad(value.sum(), (X, A), create_graph=True)
    second = torch.autograd.grad((own * own).sum(), A)[0]
    total = matgrad.torch.function(TEXT, wrt="A", reduce="sum")(X, A)
    plain = matgrad.torch.function("norm2(A*X)^2", wrt="A", reduce="sum")(A=A, X=X)
    mean = matgrad.torch.function("norm2(A*X)^2", wrt="A", reduce="mean")(A=A, X=X)
    tensors = (value, gradient, own, shared, second, total, plain, mean)
    return tensors, (Shard(0), Shard(0), Shard(0), Partial(), Partial(), Partial(), Partial(), Partial())


def compare(rank):
    from torch.distributed.device_mesh import init_device_mesh

    whole, parts = spread(init_device_mesh("cpu", (COUNT,)))
    found, _ = results(*parts)
    expected, _ = results(*whole)
    for k, (ours, theirs) in enumerate(zip(found, expected, strict=True)):
        if k < 2:
            assert torch.equal(ours.full_tensor(), theirs)  # one for each problem: bit for bit
        assert_close(ours.full_tensor(), theirs, rtol=1e-12)
