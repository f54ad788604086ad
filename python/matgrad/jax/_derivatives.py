"""The derivatives of `matgrad_run`: forward, and the transpose of what is linear.

The derivative of a Computation along directions is a Computation (`tangent`), linear in the directions; the transpose
of that is one too (`vjp`). `custom_vjp` would have no forward mode, hence no `jax.hessian`.

Where a value is differentiated and its gradients are of the size of the variables, both come from one call, in which
they share their factorizations, and the derivative of the value is <gradient, direction>.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax.interpreters import ad

from matgrad._computation import Computation, Derived
from matgrad._computation import computation as _computation
from matgrad.jax._layout import Absent, Axes, Layout, axes_of
from matgrad.jax._primitive import Given, bind, evaluate, listed_outputs, run_p, with_outputs


def _given(of: Computation, axes: Axes, layout: Layout, arrays: Sequence[Any]) -> dict[str, Given]:
    rest = iter(arrays)
    return {
        name: Given(place, 0) if isinstance(place, Absent) else Given(next(rest), place)
        for name, place in zip(of.names, layout, strict=True)
    }


def _evaluate(derived: Derived, axes: Axes, given: dict[str, Given]) -> list[Any | None]:
    """The outputs that were asked for; None where they are zero."""
    if derived.computation is None:
        return [None] * len(derived.live)
    of = derived.computation
    results = iter(evaluate(of, axes, [given[name] for name in of.names]))
    return [next(results) if live else None for live in derived.live]


# --- Forward --------------------------------------------------------------------------------------------------


def _jvp(primals: Sequence[Any], tangents: Sequence[Any], *, computation: str, groups: int, layout: Layout) -> Any:
    of = _computation(computation)
    axes = axes_of(of, groups, layout, [primal.shape for primal in primals])
    given = _given(of, axes, layout, primals)
    present = [name for name, place in zip(of.names, layout, strict=True) if not isinstance(place, Absent)]
    directions = {
        name: Given(tangent, given[name].mask)
        for name, tangent in zip(present, tangents, strict=True)
        if type(tangent) is not ad.Zero
    }
    value = _value_with_gradients(of, axes, tuple(directions))
    called = of if value is None else value[1]
    results = bind(called, groups, layout, primals)
    moved: list[Any | None] = [None] * len(of.outputs)
    rest = list(range(len(of.outputs)))
    if value is not None:
        at = value[0]
        rest.remove(at)
        gradients = {output.text: result for output, result in zip(called.outputs, results, strict=True)}
        moved[at] = sum(
            _inner(of, axes, name, gradients[f"gradient {name}"], direction) for name, direction in directions.items()
        )
    if rest:
        part = with_outputs(computation, tuple(listed_outputs(of)[i] for i in rest)) if value is not None else of
        derived = part.tangent(tuple(directions))
        along = dict(zip(derived.names, directions.values(), strict=True))
        for i, result in zip(rest, _evaluate(derived, axes, given | along), strict=True):
            moved[i] = result
    results = results[: len(of.outputs)]
    return results, [
        ad.Zero(jax.typeof(result).to_tangent_aval()) if tangent is None else tangent
        for result, tangent in zip(results, moved, strict=True)
    ]


def _value_with_gradients(of: Computation, axes: Axes, variables: tuple[str, ...]) -> tuple[int, Computation] | None:
    """Where the value is among the outputs, and the Computation that has the gradients by the variables too; None if
    the value's derivative is rather a call of its own.

    The gradients by a shared variable of unreduced values are as many matrices as there are problems, but what is
    wanted of them in the end is a sum. And a sum over the batch leaves out problems that fail, which the gradients by
    batched variables cannot.
    """
    listed = listed_outputs(of)
    texts = [text for text, _ in listed]
    if "value" not in texts:
        return None
    at = texts.index("value")
    reduction = listed[at][1]
    for name in variables:
        is_batched = axes.is_batched[of.place(name)]
        if axes.batch and is_batched != (reduction == "none"):
            return None
        wanted = (f"gradient {name}", reduction)
        if wanted[0] not in texts:
            listed.append(wanted)
        elif wanted not in listed:
            return None
    return at, with_outputs(of.key, tuple(listed))


def _inner(of: Computation, axes: Axes, name: str, gradient: Any, direction: Given) -> Any:
    """<gradient, direction> over the axes of the matrix, for each group and problem."""
    missing = [axis for axis in range(len(axes.groups)) if not direction.mask >> axis & 1]
    product = gradient * jnp.expand_dims(direction.value, missing)
    rank = of.operands[of.place(name)].rank
    return jnp.sum(product, axis=tuple(range(product.ndim - rank, product.ndim)))


ad.primitive_jvps[run_p] = _jvp


# --- The transpose --------------------------------------------------------------------------------------------


def _transpose(cotangents: Sequence[Any], *arrays: Any, computation: str, groups: int, layout: Layout) -> Any:
    of = _computation(computation)
    shapes = [array.aval.shape if ad.is_undefined_primal(array) else array.shape for array in arrays]
    axes = axes_of(of, groups, layout, shapes)
    given = _given(of, axes, layout, arrays)
    linear = {name: entry for name, entry in given.items() if ad.is_undefined_primal(entry.value)}
    for name in linear:
        place = of.place(name)
        given[name] = Given(Absent(axes.matrices[place], axes.is_batched[place]), 0)
    nonzero = [i for i, cotangent in enumerate(cotangents) if type(cotangent) is not ad.Zero]
    found: dict[str, Any] = {}
    if nonzero:
        part = of
        if len(nonzero) < len(cotangents):
            part = with_outputs(computation, tuple(listed_outputs(of)[i] for i in nonzero))
        derived = part.vjp(tuple(linear))
        bars = {
            name: Given(cotangents[i], axes.all_groups) for name, i in zip(derived.names, nonzero, strict=True)
        }
        for (name, entry), result in zip(linear.items(), _evaluate(derived, axes, given | bars), strict=True):
            if result is not None:
                alike = [axis for axis in range(groups) if not entry.mask >> axis & 1]
                found[name] = jnp.sum(result, axis=tuple(alike)) if alike else result
    present = [name for name, place in zip(of.names, layout, strict=True) if not isinstance(place, Absent)]
    return [
        (found[name] if name in found else ad.Zero(array.aval)) if name in linear else None
        for name, array in zip(present, arrays, strict=True)
    ]


ad.primitive_transposes[run_p] = _transpose
