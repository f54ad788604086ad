"""compute-sanitizer and ncu, where the machine has them."""

import glob
import os
import re
import shutil

from process import Job, run_all, run
from results import Part

# Those compiled ahead, and those generated: map_0, ...
OUR_KERNELS = "regex:^(matgrad_|map_|reduce_|batch_sum_|divide_)"
SHORT_ROW = "log_det_gram/64x16/f32/b1000"

def tool(name):
    """The path of one of the toolkit's tools, or ""."""
    found = shutil.which(name)
    if found:
        return found
    nvcc = shutil.which("nvcc")
    toolkits = [os.path.dirname(os.path.dirname(os.path.realpath(nvcc)))] if nvcc else []
    toolkits += ["/usr/local/cuda", *sorted(glob.glob("/usr/local/cuda-*"), reverse=True)]
    toolkits += sorted(glob.glob("/opt/nvidia/nsight-compute/*"), reverse=True)
    for toolkit in toolkits:
        for path in (f"{toolkit}/bin/{name}", f"{toolkit}/compute-sanitizer/{name}", f"{toolkit}/{name}"):
            if os.access(path, os.X_OK) and os.path.isfile(path):
                return path
    return ""


def compute_sanitizer():
    return tool("compute-sanitizer")


def chosen_tests(run_, choice):
    """The tests that patterns choose; one that chooses none is a mistake."""
    from correctness import cases_of
    chosen = {}
    for program, patterns in choice.items():
        names = cases_of(run_, program, patterns)
        for pattern in patterns:
            if not any(pattern.strip("*") in name for name in names):
                raise ValueError(f"{program} has no test {pattern}")
        chosen[program] = names
    return chosen


def sanitized(run_, limit, name, choice):
    """Chosen tests under one tool of compute-sanitizer."""
    chosen = chosen_tests(run_, choice)
    count = sum(len(names) for names in chosen.values())
    sanitizer = "" if run_.programs.simulated else compute_sanitizer()
    if not sanitizer:
        reason = "no GPU tools on the simulated GPU" if run_.programs.simulated else "no compute-sanitizer"
        return Part(name, "skipped", f"{reason}; {count} tests are chosen")
    # One process for each test: one that takes long or is stopped by an error costs no other.
    jobs = []
    for program, names in chosen.items():
        for index, test in enumerate(names):
            job = Job([sanitizer, "--tool", name, "--error-exitcode", "9",
                       run_.programs.tests[program], "--gtest_color=no", f"--gtest_filter={test}"],
                      run_.log(f"{name}.{program}.{index:02d}"),
                      env={**run_.own_env, "MATGRAD_TEST_EVERY": "100"}, limit=limit)
            job.about = f"{program}: {test}"
            jobs.append(job)
    run_all(jobs, max(1, min(8, run_.cores)), run_.end)
    refusal = same_refusal(jobs)
    if refusal:
        return Part(name, "skipped", f"compute-sanitizer refuses: {refusal}")
    failures, late, lines = [], 0, []
    for job in jobs:
        text = job.output()
        errors = re.findall(r"ERROR SUMMARY: (\d+) error|RACECHECK SUMMARY: (\d+) hazard", text)
        found = errors and any(int(a or b) for a, b in errors)
        if job.why:
            late += 1
        elif job.outcome or found or "[  PASSED  ] 1 test" not in text:
            failures.append(f"{job.about}: {first_error(text) or job.outcome or 'nothing ran'}")
        lines.append(f"{job.about}: {job.outcome or 'clean'}, {job.seconds:.1f} s")
    note = f"{len(jobs) - late - len(failures)} of {len(jobs)} tests clean"
    if late:
        note += f", {late} out of time"
    bad = failures or late == len(jobs)
    return Part(name, "failed" if bad else "passed", note, failures=failures[:10], runs=lines)


def same_refusal(jobs):
    """What all that ran say alike, none of which came to its test; "" if that is not so."""
    texts = [job.output() for job in jobs if job.popen and not job.why]
    if not texts or any("[ RUN " in text for text in texts):
        return ""
    said = {first_error(text) or next((line for line in text.splitlines() if line.strip()), "")
            for text in texts}
    return said.pop() if len(said) == 1 else ""


def first_error(text):
    """What a sanitizer says first, in one line."""
    for line in text.splitlines():
        says = line.startswith("=========") and "SUMMARY" not in line
        if says and re.search(r"Invalid|[Ee]rror|hazard|Uninit|leak", line):
            return line.strip("= ")[:200]
    return ""


def memcheck_part(run_, limit):
    from correctness import CHEAP
    return sanitized(run_, limit, "memcheck", CHEAP)


def racecheck_part(run_, limit):
    from correctness import OWN_KERNELS
    return sanitized(run_, limit, "racecheck", OWN_KERNELS)


def ncu_part(run_, limit):
    """A few kernels of ours under the profiler: what they reach of the machine."""
    if run_.programs.simulated:
        return Part("ncu", "skipped", "no GPU tools on the simulated GPU")
    ncu = tool("ncu")
    if not ncu:
        return Part("ncu", "skipped", "no ncu")
    # It prints at the end of the application: after so many kernels it ends it.
    job = run(Job([ncu, "--clock-control", "none", "--kernel-name", OUR_KERNELS,
                   "--launch-count", "6", "--kill", "yes", "--section", "SpeedOfLight",
                   "--section", "LaunchStats", "--section", "MemoryWorkloadAnalysis",
                   run_.programs.matgrad, "bench", "--suite", run_.suite, "--device", "cuda",
                   "--filter", SHORT_ROW, "--seconds", "0.001"],
                  run_.log("ncu"), env=run_.own_env, limit=limit), run_.end)
    text = job.output()
    profiled = len(re.findall(r"DRAM Throughput|Memory Throughput +%", text))
    if re.search(r"ERR_NVGPUCTRPERM|Failed to initialize the profiler", text):
        return Part("ncu", "skipped", "ncu may not read this machine's counters")
    if not profiled:
        return Part("ncu", "failed", job.outcome or "no kernel was profiled")
    return Part("ncu", "passed", "see logs/ncu.log" + (f" ({job.outcome})" if job.outcome else ""))
