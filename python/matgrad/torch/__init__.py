"""Functions that PyTorch differentiates, maps and compiles.

    import matgrad.torch

    f = matgrad.torch.function("logdet(X'*X)")
    f(X).sum().backward()                             # closed form, of any order
    torch.func.vmap(torch.func.grad(f))(X)            # one call for the whole batch
    torch.compile(lambda X: f(X).sum(), fullgraph=True)
    loss = matgrad.torch.Module("norm2(A*x - b)^2", parameters={"x": x}, reduce="sum")

Every call, forward and backward, is one of the operator `torch.ops.matgrad.run`.
"""

from matgrad.torch._function import Function, function
from matgrad.torch._module import Module

__all__ = ["Function", "Module", "function"]
