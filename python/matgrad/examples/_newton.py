"""Newton's method with conjugate gradients, for a whole batch of problems at once.

It needs values, gradients and Hessian-vector products, never a Hessian. Each problem has its own steps; a problem
that is done, or that no step takes down any more, stays where it is. (Nocedal and Wright, Numerical
Optimization, 2nd ed. 2006, algorithm 7.1.)
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

ROUNDING = 1e-13  # of a value, relative: a step that changes it by less is not refused for going up


def dots(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The inner product of each problem: (K, ...) and (K, ...) to (K,)."""
    return np.einsum("kj,kj->k", a.reshape(len(a), -1), b.reshape(len(b), -1))


def newton_cg(
    value_and_grad: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
    products_at: Callable[[np.ndarray], Callable[[np.ndarray], np.ndarray]],
    x: np.ndarray,
    *,
    tolerance: float = 1e-10,
    max_steps: int = 100,
    longest: float = np.inf,
    progress: Callable[[str], None] = lambda text: None,
) -> tuple[np.ndarray, np.ndarray]:
    """Minimises K functions at once; where each ended (K, ...), and its gradient's norm over the first one (K,).

    value_and_grad  of points (K, ...): values (K,), NaN outside of the domain, and gradients (K, ...)
    products_at     of points: a function of directions (K, ...), the products with the Hessians there
    x               where to begin, (K, ...)
    longest         no entry moves by more in one step
    tolerance       a problem is done when the norm of its gradient has shrunk to this part of the first
    """

    def scaled(factors: np.ndarray, a: np.ndarray) -> np.ndarray:
        factors = factors.reshape(-1, *[1] * (a.ndim - 1))
        return np.multiply(factors, a, out=np.zeros_like(a), where=factors != 0)  # 0 times NaN is 0

    value, gradient = value_and_grad(x)
    first = np.maximum(np.sqrt(dots(gradient, gradient)), np.finfo(x.dtype).tiny)
    stuck = np.zeros(len(x), dtype=bool)
    for step in range(max_steps + 1):
        norm = np.sqrt(dots(gradient, gradient))
        left = norm / first
        active = ~(left <= tolerance) & ~stuck
        done = len(x) - active.sum()
        progress(f"step {step}: {done} of {len(x)} done, largest gradient {left.max():.1e} of the first")
        if not active.any() or step == max_steps:
            break

        # Conjugate gradients: H d = -g, as exactly as the gradient is small, or until a direction of no curvature.
        multiply = products_at(x)
        d = np.zeros_like(x)
        residual = -gradient
        p = residual.copy()
        rr = norm**2
        goal = np.minimum(0.25, np.sqrt(left)) * norm
        running = active.copy()
        for _ in range(2 * x[0].size):
            product = multiply(p)
            curvature = dots(p, product)
            flat = running & ~(curvature > 0)
            unmoved = flat & (dots(d, d) == 0)
            d[unmoved] = p[unmoved]
            running &= ~flat
            length = np.divide(rr, curvature, out=np.zeros_like(rr), where=running)
            d += scaled(length, p)
            residual -= scaled(length, product)
            rr, before = np.where(running, dots(residual, residual), rr), rr
            running &= np.sqrt(rr) > goal
            if not running.any():
                break
            p = residual + scaled(np.divide(rr, before, out=np.zeros_like(rr), where=running), p)

        size = np.abs(d).reshape(len(x), -1).max(axis=1)
        d = scaled(np.divide(longest, size, out=np.ones_like(size), where=size > longest), d)

        # Halve the step of each problem until its value goes down as the slope promises; outside of the domain it is
        # NaN, which is not down.
        slope = dots(gradient, d)
        length = np.where(active, 1.0, 0.0)
        for _ in range(40):
            trial = x + scaled(length, d)
            trial_value, trial_gradient = value_and_grad(trial)
            slack = ROUNDING * (1 + np.abs(value))
            refused = (length > 0) & ~(trial_value <= value + 1e-4 * length * slope + slack)
            if not refused.any():
                break
            length = np.where(refused, length / 2, length)
        else:
            stuck |= refused
            trial, trial_value, trial_gradient = (
                np.where(refused.reshape(-1, *[1] * (old.ndim - 1)), old, new)
                for old, new in ((x, trial), (value, trial_value), (gradient, trial_gradient))
            )
        x, value, gradient = trial, trial_value, trial_gradient
    return x, left
