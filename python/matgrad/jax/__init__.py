"""Functions of matgrad for JAX: `matgrad.jax.function`.

    import jax, matgrad.jax

    f = matgrad.jax.function("logdet(X'*X)")
    jax.jit(jax.vmap(jax.grad(f)))(X)      # X of shape (problems, m, n)

The gradients are closed forms, run by XLA as custom calls in host memory or on a GPU.
"""

from matgrad.jax._function import Function, function
from matgrad.jax._primitive import register_handlers

__all__ = ["Function", "function", "register_handlers"]
