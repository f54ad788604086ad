"""The tests, sharded over the cores; what fails once more on its own."""

import re
from dataclasses import dataclass

from process import Job, run, run_all
from results import Part
from tools import compute_sanitizer

SHARD = 12  # tests of a process, about
EVERY = "10"  # of the dearer cases one in so many
MOST_AGAIN = 6  # failing tests that are run once more
MOST_LINES = 20  # of failures that are kept
BETWEEN_SHOWS = 3  # seconds
# Programs that compare the device's free memory: beside others they are wrong.
ALONE = ("hardware",)
FOR_THOSE_ALONE = 0.15  # of the time

# Of each kind of step, of the contract and of failures a few tests that are quick also under a sanitizer.
CHEAP = {
    "executors": [
        "*Lu.DeterminantOfASingularMatrixIsZeroWhereOnlyThatIsWanted*",
        "*Map.MayWriteOverAnOperandAndReadsMixedTypes*", "*Reduce.MaxKeepsNan*",
        "*Gemm.PropagatesNanPastZeros*", "*Gemm.TakesOperandsWithStrideZero*",
        "*EveryExecutor.EmptyMatricesAreLegal*",
        "*EveryExecutor.OneBadProblemFailsAloneAndItsNeighboursKeepEveryBit*",
        "*EveryExecutor.AFailedSharedStepFailsEveryProblem*",
        "*SharedFactor.OfAProblemWithNanLeaveTheOthersAlone*"],
    "contract": [
        "*Enqueue.IsCapturedInAGraphThatReplaysWithWhateverTheOperandsHoldThen*",
        "*Enqueue.NeedsNoStatus*"],
}
# Those that launch generated kernels and Thrust alone.
OWN_KERNELS = {
    "executors": ["*Map.MayWriteOverAnOperandAndReadsMixedTypes*", "*Reduce.MaxKeepsNan*",
                  "*Copy.ConvertsTransposesAndSpreads*"],
    "large": ["*LargeDomain.IsSummedOverEveryEntryOnce*"],
}


@dataclass
class Test:
    program: str
    name: str
    result: str = "not run"  # passed, failed, crashed, skipped
    milliseconds: int = 0
    message: str = ""


def cases_of(run_, program, patterns=None):
    """The names of a program's tests; a ValueError says why it gives none."""
    if program not in run_.programs.tests:
        raise ValueError(f"there is no test program {program}")
    words = [run_.programs.tests[program], "--gtest_list_tests", "--gtest_color=no"]
    if patterns:
        words.append("--gtest_filter=" + ":".join(patterns))
    stdout = run_.file(f"{program}.list")
    job = run(Job(words, run_.log(f"{program}.list"), env=run_.own_env, limit=20, stdout=stdout),
              run_.end)
    names, suite = [], ""
    for line in job.output(stdout).splitlines():
        line = line.partition("#")[0].rstrip()
        if line.startswith("  ") and suite:
            names.append(suite + line.strip())
        elif re.fullmatch(r"[\w/]+\.", line):
            suite = line
    if job.outcome or not names:
        raise ValueError(f"{program} lists no tests: {job.outcome or 'nothing readable'}")
    return names


def read_log(text, program, tests):
    """What a log of GoogleTest says of `tests`, by name. Returns the test it ends in, if it does."""
    current, lines = "", []
    for line in text.splitlines():
        match = re.search(r"\[ +(RUN|OK|FAILED|SKIPPED) +\] ([\w/]+\.[\w/]+)(?:.*\((\d+) ms\))?", line)
        key = (program, match[2]) if match else None
        if not match or key not in tests:
            lines.append(line)
        elif match[1] == "RUN":
            current, lines = match[2], []
        elif current == match[2]:
            test = tests[key]
            test.result = {"OK": "passed", "FAILED": "failed", "SKIPPED": "skipped"}[match[1]]
            test.milliseconds = int(match[3] or 0)
            test.message = message(lines) if match[1] == "FAILED" else ""
            current = ""
    return current


def message(lines):
    """The first failure in one line: where, and what it says first."""
    for index, line in enumerate(lines):
        match = re.match(r"(.*?)([^/]+): (Failure|error)", line)
        if match:
            rest = [text.strip() for text in lines[index + 1:] if text.strip()]
            return f"{match[2]}: {' '.join(rest[:3])}"[:200]
    return next((line.strip() for line in lines if line.strip()), "")[:200]


class Session:
    """Test programs run in shards until every test has had its turn or the time is up."""

    def __init__(self, run_, limit, tests):
        self.run = run_
        self.limit = limit
        self.tests = tests  # (program, name) -> Test
        self.env = {**run_.own_env}
        self.env.setdefault("MATGRAD_TEST_EVERY", EVERY)
        self.begun = self.shown = run_.left
        self.count = 0

    @property
    def left(self):
        return self.limit - (self.begun - self.run.left)

    def shards(self, patterns):
        """The first round, by GoogleTest's own sharding: the program with most tests goes first. Those
        of a program that runs alone are one after the other anyway."""
        jobs = []
        by_program = {}
        for program, _ in self.tests:
            by_program[program] = by_program.get(program, 0) + 1
        for program, count in sorted(by_program.items(), key=lambda item: -item[1]):
            total = 1 if program in ALONE else max(1, round(count / SHARD))
            for index in range(total):
                env = {**self.env, "GTEST_TOTAL_SHARDS": str(total), "GTEST_SHARD_INDEX": str(index)}
                jobs.append(self.job(program, patterns.get(program), env))
        return jobs

    def rest(self):
        """Further rounds: tests whose shard crashed or hung before their turn, by name."""
        by_program = {}
        for test in self.tests.values():
            if test.result == "not run":
                by_program.setdefault(test.program, []).append(test.name)
        return [self.job(program, names[k:k + SHARD], self.env)
                for program, names in by_program.items() for k in range(0, len(names), SHARD)]

    def job(self, program, patterns, env):
        self.count += 1
        words = [self.run.programs.tests[program], "--gtest_color=no"]
        if patterns:
            words.append("--gtest_filter=" + ":".join(patterns))
        stall = self.limit * FOR_THOSE_ALONE / 2 if program in ALONE else self.limit / 2
        job = Job(words, self.run.log(f"{program}.{self.count:03d}"), env=env, limit=self.limit,
                  stall=stall)
        job.program = program
        return job

    def read(self, job):
        last = read_log(job.output(), job.program, self.tests)
        test = self.tests.get((job.program, last))
        if test and test.result == "not run":
            test.result = "crashed"
            test.message = job.outcome or "its process ended within it"
        if self.shown - self.run.left > BETWEEN_SHOWS:
            self.shown = self.run.left
            self.run.results.show(part_of(self.tests.values(), []))

    def go(self, patterns):
        jobs = self.shards(patterns)
        before = None
        while jobs and self.left > 1:
            alone = [job for job in jobs if job.program in ALONE]
            kept = self.limit * FOR_THOSE_ALONE if alone else 0
            run_all([job for job in jobs if job not in alone], self.run.cores, self.run.end - kept,
                    self.read)
            run_all(alone, 1, self.run.end, self.read)
            unread = sum(test.result == "not run" for test in self.tests.values())
            if unread in (0, before):
                break
            before = unread
            jobs = self.rest()


def counted(tests):
    order = ("passed", "failed", "crashed", "skipped", "not run")
    counts = {name: sum(test.result == name for test in tests) for name in order}
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "no tests"


def line_of(test):
    return f"{test.program}: {test.name}: {test.result}" + (f": {test.message}" if test.message else "")


def part_of(tests, broken):
    """What came of tests, and of programs that did not even list theirs."""
    bad = [test for test in tests if test.result in ("failed", "crashed")]
    late = [test for test in tests if test.result == "not run"]
    failures = broken + [line_of(test) for test in [*bad, *late]]
    if not any(test.result == "passed" for test in tests):
        failures.append("no test passed")
    if len(failures) > MOST_LINES:
        failures[MOST_LINES:] = [f"{len(failures) - MOST_LINES} more"]
    return Part("tests", "failed" if failures else "passed", counted(tests), failures=failures,
                tests=[vars(test) for test in tests])


def test_part(run_, limit):
    """The part `tests`."""
    patterns = CHEAP if run_.small else {}  # {}: all of every program
    tests, broken = {}, []
    for program in patterns or run_.programs.tests:
        try:
            for name in cases_of(run_, program, patterns.get(program)):
                tests[program, name] = Test(program, name)
        except ValueError as problem:
            broken.append(str(problem))
    session = Session(run_, limit, tests)
    session.go(patterns)
    run_.failing = [test for test in tests.values() if test.result in ("failed", "crashed")]
    return part_of(tests.values(), broken)


def again_part(run_, limit):
    """The part `again`: what failed once more, by itself. What then fails again is looked at with every
    launch waited for, and under memcheck; that tells where it fails, not whether."""
    failing = getattr(run_, "failing", [])[:MOST_AGAIN]
    if not failing:
        return Part("again", "skipped", "no test failed")
    env = {**run_.own_env, "MATGRAD_TEST_EVERY": EVERY}

    def job(test, way, before=(), **more):
        log = run_.log(f"again.{failing.index(test)}.{way.replace(' ', '_')}")
        result = Job([*before, run_.programs.tests[test.program], "--gtest_color=no",
                      f"--gtest_filter={test.name}"], log, env={**env, **more},
                     limit=limit / (len(failing) + 1))
        result.test = test
        result.about = f"{test.program}: {test.name}: {way}"
        return result

    once_more = [job(test, "again") for test in failing]
    run_all(once_more, 1, run_.end)
    same = [once.test for once in once_more if once.outcome and once.popen]
    looks = [job(test, "each launch waited for", CUDA_LAUNCH_BLOCKING="1") for test in same]
    sanitizer = None if run_.programs.simulated else compute_sanitizer()
    if sanitizer:
        memcheck = [sanitizer, "--tool", "memcheck", "--error-exitcode", "9"]
        looks += [job(test, "under memcheck", memcheck) for test in same]
    run_all(looks, 1, run_.end)
    lines = [f"{each.about}: {each.outcome or 'passes'}" for each in [*once_more, *looks]]
    return Part("again", "failed" if same else "passed",
                f"{len(same)} of {len(failing)} fail again", again=lines)
