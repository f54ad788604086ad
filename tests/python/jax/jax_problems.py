"""Functions of the catalogue beside an independent evaluation: the NumPy text of the value, run by jax.numpy.

JAX differentiates that by its own rules, and of matgrad's function it sees closed forms; both are asked the same.
Operands of a structure are made from free numbers inside what is differentiated, because a promise of structure is
trusted: a free direction would leave the symmetric or orthogonal matrices.
"""

import functools

import jax
import jax.experimental
import jax.numpy as jnp
import jax.scipy.special
import numpy as np

import matgrad
import matgrad.jax

SIZES = {"m": 4, "n": 3, "p": 2, "k": 3, "1": 1}
ENTRIES = {entry.name: entry for entry in matgrad.catalogue()}
# Of different structure, cheap to cross with everything.
HANDFUL = ("log_det_gram", "bilinear_trace", "logistic", "mahalanobis")


def shaped(free, structure):
    """A matrix of the structure from free numbers."""
    if structure == "spd":
        return free @ free.T + jnp.eye(len(free))
    if structure == "sym":
        return (free + free.T) / 2
    if structure == "orth":
        skew = free - free.T
        return jnp.linalg.solve(jnp.eye(len(free)) + skew, jnp.eye(len(free)) - skew)
    assert structure in ("", "pos"), structure
    return free


class Problem:
    """One function: `mine` and `reference`, both of free numbers for all operands of one problem."""

    def __init__(self, name, **options):
        self.function = matgrad.jax.function(f"@{name}", **options)
        plain = self.function.base
        scope = {"np": jnp, "scipy": jax.scipy}
        exec(plain.numpy(), scope)
        self.names = plain.operands
        self.shapes, self.structures = {}, {}
        for declaration in plain.declarations:
            operand, _, rest = declaration.partition("=")
            dims, _, self.structures[operand] = rest.partition(":")
            sizes = tuple(SIZES[dim] for dim in dims.split(","))
            self.shapes[operand] = () if dims == "1" else sizes
        self.value = scope["value"]
        self.seed = sum(map(ord, name))

    def shaped(self, free):
        return {name: shaped(x, self.structures[name]) for name, x in zip(self.names, free, strict=True)}

    def mine(self, *free):
        return self.function(**self.shaped(free))

    def reference(self, *free):
        return self.value(**self.shaped(free))

    def draw(self, *batch, dtype=np.float64):
        """Free numbers for each operand, with the batch axes in front."""
        generator = np.random.default_rng(self.seed)
        arrays = []
        for name in self.names:
            x = generator.uniform(0.2, 0.8, (*batch, *self.shapes[name]))
            if name == "b" and "log(b" in self.function.text:
                x = x + 5  # inside the barrier
            if len(self.shapes[name]) == 2:
                x = x + 2 * np.eye(*self.shapes[name])
            arrays.append(jnp.asarray(x, dtype))
        return tuple(arrays)

    @property
    def argnums(self):
        return tuple(range(len(self.names)))


def single_precision():
    """A context in which JAX has no float64, as it has when nothing else is said."""
    return jax.enable_x64(False) if hasattr(jax, "enable_x64") else jax.experimental.enable_x64(False)


@functools.cache
def problem(name):
    return Problem(name)


def assert_close(found, expected, growth=1e4):
    """Alike in structure and shape, and to `growth` roundings of the largest entry: operands are well-conditioned, and
    a derivative of second order passes through some hundreds of operations."""
    assert jax.tree.structure(found) == jax.tree.structure(expected)
    for mine, theirs in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        mine, theirs = np.asarray(mine), np.asarray(theirs)
        assert mine.shape == theirs.shape
        assert mine.dtype == theirs.dtype
        assert np.isfinite(theirs).all()
        bound = growth * np.finfo(mine.dtype).eps * max(1.0, np.abs(theirs).max(initial=0))
        assert np.abs(mine - theirs).max(initial=0) <= bound


def calls(function, *arguments):
    """The shapes of the operands of each custom call in what JAX traces of the function."""
    found = []

    def visit(jaxpr):
        for equation in jaxpr.eqns:
            if equation.primitive.name == "matgrad_run":
                found.append([variable.aval.shape for variable in equation.invars])
            for parameter in equation.params.values():
                for inner in parameter if isinstance(parameter, (tuple, list)) else (parameter,):
                    if hasattr(inner, "jaxpr"):
                        visit(inner.jaxpr)
                    elif hasattr(inner, "eqns"):
                        visit(inner)

    visit(jax.make_jaxpr(function)(*arguments).jaxpr)
    return found


def custom_calls(function, *arguments):
    """How many calls of matgrad the compiled program makes."""
    text = jax.jit(function).lower(*arguments).compile().as_text()
    return text.count('custom_call_target="matgrad_run"')
