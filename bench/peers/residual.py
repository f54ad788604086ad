"""The check every peer is held to: df(X; D) = <G, D>, and f itself, by matgrad's reference.

`matgrad bench --differentials FILE` holds, for three problems of every case, f and df of its
reference in double and the bounds that its own check computes for the case's type and accuracy.
"""

import json
import math

import numpy as np

import inputs


class Differentials:
    """Of a file, or of one case."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
        self.seed = int(content.get("seed", 1))
        self._problems = {name: known["problems"] for name, known in content["cases"].items()}

    @classmethod
    def of_case(cls, case, problems, seed=1):
        known = cls.__new__(cls)
        known.seed = seed
        known._problems = {case.name: problems}
        return known

    def problems(self, case):
        return self._problems[case.name]

    def check(self, case, value, gradient):
        """The residual closest to (or furthest beyond) its bound, and that bound.

        `value` is an array of (batch,) or None, `gradient` one of (batch, ...) or None, both NumPy.
        """
        worst = (0.0, math.inf, -1.0)  # residual, bound, their ratio
        for known in self.problems(case):
            p = int(known["problem"])
            pairs = []
            if case.wants_value:
                pairs.append((known["f"], float(value[p]), known["value_bound"]))
            if case.wants_gradient:
                d = inputs.direction(case.operand(case.wrt), p, self.seed)
                inner = float(np.sum(gradient[p].astype(np.float64) * d))
                pairs.append((known["df"], inner, known["bound"]))
            for expected, computed, bound in pairs:
                if not math.isfinite(computed):
                    return math.inf, bound
                residual = abs(expected - computed)
                ratio = residual / bound if bound > 0 else (math.inf if residual > 0 else 0.0)
                if ratio > worst[2]:
                    worst = (residual, bound, ratio)
        return worst[0], worst[1]
