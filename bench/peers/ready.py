"""A variant of a library made ready for a case: every way is tried once and held to the check, and the
fastest that passes is what is measured."""

import time
from dataclasses import asdict, dataclass

from measure import WARM_UP_OF_A_GPU, enqueue_seconds, measure, one_sample


def one_line(problem):
    text = " ".join(str(problem).split())
    return f"{type(problem).__name__}: {text}"[:200]


def new_row(case, variant, **fields):
    """A row of a results file (bench/README.md), without a time unless `fields` have one."""
    row = {"case": case.entry, "executor": variant.name, "ok": False, "error": None,
           "seconds": None, "low": None, "high": None, "repeats": 0, "once": False,
           "copies": 1, "way": None, "enqueue_seconds": None, "plan_seconds": None,
           "bytes": case.bytes, "operations": case.operations, "gb_per_s": None,
           "gflop_per_s": None, "bound_seconds": None, "percent_of_bound": None,
           "residual": None, "residual_bound": None, **fields}
    if row["seconds"]:
        row["gb_per_s"] = case.bytes / row["seconds"] / 1e9
        row["gflop_per_s"] = case.operations / row["seconds"] / 1e9
    return row


def text_of(case, library, matgrad):
    """What matgrad prints for a case that the library has not by hand."""
    if case.kind in library.by_hand:
        return None
    import printed
    return printed.derive(matgrad, case)


@dataclass
class Ready:
    """Holds all that a measurement takes; where nothing is right, `error` says why."""

    library: object
    error: str = None
    way: str = None
    run: object = None
    seconds: float = None  # of a run, about
    copies: int = 1
    plan_seconds: float = None
    residual: float = None
    residual_bound: float = None

    def fields(self):
        """Those of a row."""
        return {name: getattr(self, name) for name in
                ("error", "way", "copies", "plan_seconds", "residual", "residual_bound")}

    def measure(self, seconds):
        """Further fields of a row, from about so many seconds of runs."""
        on_gpu = self.library.device != "cpu"
        timing = measure(self.run, self.library.wait, seconds, self.seconds,
                         self.library.shortest_sample, self.copies,
                         WARM_UP_OF_A_GPU if on_gpu else 0.0)
        enqueue = None
        if on_gpu and not timing.once:
            enqueue = enqueue_seconds(self.run, self.library.wait)
        return {**asdict(timing), "enqueue_seconds": enqueue}


def make_ready(library, differentials, variant, copies, text, in_time=lambda: True):
    """Tries every way once and checks it; once one is right, only while it is `in_time()`."""
    case = copies.case
    compiles = getattr(variant, "compiles", False)
    taken = min(copies.count, getattr(variant, "most_copies", copies.count))
    right, wrong = [], None
    for name, run in variant.ways(copies, text).items():
        if right and not in_time():
            break
        try:
            first, value, gradient = first_run(library, case, run)
        except Exception as problem:
            wrong = wrong or Ready(library, one_line(problem), name)
            continue
        residual, bound = differentials.check(case, value, gradient)
        del value, gradient
        if residual > bound or residual != residual:
            wrong = Ready(library, f"residual {residual:.2e}, bound {bound:.2e}", name,
                          residual=residual, residual_bound=bound)
            continue
        # A long first run tells enough; of one that compiles only what no compiling takes.
        long = first > (5 if compiles else 1)
        seconds = first if long else one_sample(run, library.wait)
        plan = max(0.0, first - seconds) if compiles and not long else None
        right.append(Ready(library, None, name, run, seconds, taken, plan, residual, bound))
    if not right:
        return wrong
    best = min(right, key=lambda ready: ready.seconds)
    if hasattr(variant, "measured"):
        variant.measured(case, best.way)
    return best


def first_run(library, case, run):
    """Seconds, value and gradient; the run warms up, and what is compiled is compiled now."""
    start = time.perf_counter()
    result = run()
    library.wait(result)
    first = time.perf_counter() - start
    value = library.download(result[0]) if case.wants_value else None
    gradient = library.download(result[1]) if case.wants_gradient else None
    return first, value, gradient
