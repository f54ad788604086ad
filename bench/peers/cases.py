"""A case of the suite as the peers see it: operands with shapes, and which outputs are asked for.

Cases are read from the results of `matgrad bench --json`, where products are already expanded, so
that both sides run the same list.
"""

import json
from dataclasses import dataclass

import numpy as np

import inputs
from measure import rotated


@dataclass(frozen=True)
class Operand:
    name: str
    dims: tuple  # () a scalar, (n,) a vector, (m, n) a matrix
    structure: str  # "sym", "spd", "diag", "lower", "upper", "orth" or None
    batched: bool
    dtype: np.dtype

    @property
    def count(self):
        """Entries of one problem."""
        return int(np.prod(self.dims, dtype=np.int64))


@dataclass(frozen=True)
class Case:
    name: str
    f: str
    wrt: str
    batch: int
    dtype: np.dtype
    outputs: str  # "value", "gradient" or "both"
    operands: tuple
    declare: tuple
    bytes: float  # these three by matgrad's count, from its row
    operations: float
    copies: int
    entry: dict  # the case as it stands in the results

    @property
    def wants_value(self):
        return self.outputs in ("value", "both")

    @property
    def wants_gradient(self):
        return self.outputs in ("gradient", "both")

    @property
    def formula(self):
        """The text of f without spaces."""
        return self.f.replace(" ", "")

    @property
    def free_sizes(self):
        """Sizes by name, for printed text: an operand of the same name goes first."""
        names = {o.name for o in self.operands}
        return {n: int(v) for n, v in self.entry.get("sizes", {}).items() if n not in names}

    @property
    def summed(self):
        """Results are summed over the batch: peers give them with a batch of one."""
        return self.entry.get("reduce", "none") != "none"

    @property
    def kind(self):
        """What the closed forms by hand go by: the formula, where it is differentiated by its x."""
        kind = self.formula if self.wrt in ("X", "x") else f"{self.formula} by {self.wrt}"
        return f"sum of {kind}" if self.summed else kind

    def operand(self, name):
        return next(o for o in self.operands if o.name == name)


def parse_operand(declaration, sizes, batched, dtype):
    """`X=m,n:spd` with the sizes of a case."""
    name, _, shape = declaration.partition("=")
    shape, _, structure = shape.partition(":")
    dims = [int(d) if d.isdigit() else int(sizes[d]) for d in shape.split(",")]
    if shape == "1":
        dims = []  # t=1 declares a scalar
    return Operand(name, tuple(dims), structure or None, name in batched, dtype)


def parse_case(entry, row=None):
    row = row or {}
    wrt = entry["wrt"]
    if isinstance(wrt, list):
        if len(wrt) != 1:
            raise ValueError(f"{entry['name']}: the peers differentiate by one variable")
        wrt = wrt[0]
    dtype = np.dtype(entry["type"])
    operands = tuple(
        parse_operand(d, entry.get("sizes", {}), entry.get("batched", []), dtype)
        for d in entry["declare"])
    return Case(entry["name"], entry["f"], wrt, int(entry["batch"]), dtype, entry["outputs"],
                operands, tuple(entry["declare"]), row.get("bytes") or 0,
                row.get("operations") or 0, row.get("copies") or 1, entry)


def read_cases(path):
    """The suite and the distinct cases of a results file, cheap ones first."""
    with open(path, encoding="utf-8") as file:
        content = json.load(file)
    cases = {}
    for row in content["rows"]:
        name = row["case"]["name"]
        known = cases.get(name)
        if known is None or known.copies < (row.get("copies") or 1):
            cases[name] = parse_case(row["case"], row)
    return content.get("suite"), sorted(cases.values(),
                                        key=lambda case: case.operations + case.bytes)


class Problem:
    """The arrays of a case, in the library of a peer."""

    def __init__(self, case, arrays):
        self.case = case
        self.arrays = arrays
        self.batch = case.batch

    def __getitem__(self, name):
        return self.arrays[name]

    def batched(self, name):
        return self.case.operand(name).batched

    def part(self, low, high):
        """Problems low to high - 1, as views."""
        part = Problem(self.case, {name: array[low:high] if self.batched(name) else array
                                   for name, array in self.arrays.items()})
        part.batch = high - low
        return part

    def all_shared(self, *names):
        return not any(self.batched(name) for name in names)

    @property
    def gradient_shape(self):
        return (1 if self.case.summed else self.batch, *self.case.operand(self.case.wrt).dims)


MOST_COPIES = 1000


class Copies:
    """The operands of a case, as often as matgrad took them in turn, so that both sides read them
    from beyond the last-level cache. Of tiny cases a library gets at most MOST_COPIES, which may
    then stay in a cache: to the library's advantage."""

    def __init__(self, case, seed, library):
        first = {o.name: inputs.draw(o, case.batch, seed) for o in case.operands}
        self.case = case
        self.count = min(case.copies, MOST_COPIES)
        self.problems = []
        for k in range(self.count):
            arrays = first if k == 0 else {name: a.copy() for name, a in first.items()}
            self.problems.append(
                Problem(case, {name: library.upload(a) for name, a in arrays.items()}))

    def ways(self, build, most=None):
        """{name: run} of the ways that `build(problem)` gives, each through all copies, or the first
        `most` of them, in turn."""
        built = [build(problem) for problem in self.problems[:most]]
        return {name: rotated([ways[name] for ways in built]) for name in built[0]}
