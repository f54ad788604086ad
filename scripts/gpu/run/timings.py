"""Times: ours, the peers', and what the probe measures."""

import os
import sys

from process import Job, run
from results import Part, read_json

PYTHON_PEERS = ("torch", "jax")


def last_line(job):
    lines = [line for line in job.output().splitlines() if line.strip()]
    return lines[-1].strip()[:200] if lines else ""


def bench_part(run_, limit):
    """The part `bench`: matgrad on the suite. Also writes the cases and answers for the Python peers."""
    words = [run_.programs.matgrad, "bench", "--suite", run_.suite, "--device", "cuda", "--seconds",
             run_.seconds, "--budget", f"{max(1, limit - 8):.0f}", "--json",
             run_.file("matgrad.json"), "--differentials", run_.file("differentials.json")]
    if run_.small:
        words += ["--filter", "least_squares"]
    job = run(Job(words, run_.log("bench"), env=cold(run_, "bench"), limit=limit), run_.end)
    return rows_part("bench", job, run_.file("matgrad.json"))


def cublas_part(run_, limit):
    """The part `cublas`: the peer by hand."""
    words = [run_.programs.cpp_peers, "--device", "cuda", "--suite", run_.suite, "--seconds",
             run_.seconds, "--budget", f"{max(1, limit - 8):.0f}", "--json",
             run_.file("cublas.json")]
    if run_.small:
        words += ["--filter", "least_squares"]
    job = run(Job(words, run_.log("cublas"), env=run_.own_env, limit=limit), run_.end)
    return rows_part("cublas", job, run_.file("cublas.json"), graphs_may_fail=True)


def python_part(name):
    """The part of a peer in Python. On the simulated GPU NumPy takes its place."""

    def part(run_, limit):
        if run_.programs.simulated and name != PYTHON_PEERS[0]:
            return Part(name, "skipped", "no GPU for it")
        cases = run_.part("bench")
        if not cases or not cases.data.get("results") or not cases.data["results"].get("rows"):
            return Part(name, "skipped", "bench left no cases")
        if read_json(run_.file("differentials.json")) is None and not answers(run_, limit / 2):
            return Part(name, "skipped", "no answers to check against, see logs/answers.log")
        peer, device = ("numpy", "cpu") if run_.programs.simulated else (name, "cuda")
        words = [sys.executable, run_.programs.bench / "peers/run.py", "--peer", peer, "--device",
                 device, "--cases", run_.file("matgrad.json"), "--differentials",
                 run_.file("differentials.json"), "--matgrad", own_matgrad(run_), "--seconds",
                 run_.seconds, "--budget", f"{max(1, limit - 10):.0f}", "--without", "compile",
                 "--json", run_.file(f"{name}.json")]
        job = run(Job(words, run_.log(name), env=run_.python_env, limit=limit), run_.end)
        if job.status == 3:
            return Part(name, "skipped", last_line(job))
        return rows_part(name, job, run_.file(f"{name}.json"), theirs=True)

    return part


def answers(run_, limit):
    """What results are checked against, where bench did not live to write it. Needs no GPU."""
    path = run_.file("differentials.json")
    job = run(Job([run_.programs.matgrad, "bench", "--suite", run_.suite, "--differentials", path],
                  run_.log("answers"), env=run_.own_env, limit=limit), run_.end)
    return not job.outcome and read_json(path) is not None


def is_graph(row):
    return row.get("executor", "").endswith(", graph")


def own_matgrad(run_):
    """The command for a caller without our programs' environment."""
    path = run_.file("matgrad")
    folders = run_.own_env.get("LD_LIBRARY_PATH", "")
    with open(path, "w", encoding="utf-8", opener=executable) as script:
        script.write(f"#!/bin/sh\nLD_LIBRARY_PATH='{folders}' exec '{run_.programs.matgrad}' \"$@\"\n")
    return path


def executable(path, flags):
    return os.open(path, flags, 0o755)


def cold(run_, name):
    """The environment of a program whose plans are timed: no kernel has been compiled before."""
    folder = run_.file(f"kernels.{name}")
    os.makedirs(folder)
    return {**run_.own_env, "MATGRAD_CACHE": folder}


def rows_part(name, job, path, theirs=False, graphs_may_fail=False):
    """From a file of results: what was measured counts also where the program did not end well. A graph
    that is refused is no failure of a peer, which owes none."""
    content = read_json(path)
    rows = content["rows"] if are_results(content) else []
    wrong = [row for row in rows if not row["ok"] and row.get("residual") is not None]
    timed = sum(bool(row["ok"]) for row in rows)
    refused = [row for row in rows if graphs_may_fail and not row["ok"] and row not in wrong and
               is_graph(row)]
    failures = [f"{row['case']['name']}: {row['error'] or 'wrong result'}" for row in wrong]
    outcome = job.outcome
    if outcome and not failures:
        failures = [f"{outcome}: {last_line(job)}"]
    elif not rows:
        failures = [f"no rows: {last_line(job)}"]
    elif not theirs:
        failures += [f"{row['case']['name']}: {row['error']}" for row in rows
                     if not row["ok"] and row not in wrong and row not in refused]
    note = f"{timed} of {len(rows)} rows timed"
    if refused:
        note += f", {len(refused)} graphs refused: {refused[0]['error']}"
    if rows and content.get("left_out"):
        note += f", {len(content['left_out'])} not begun for want of time"
    return Part(name, "failed" if failures else "passed", note, failures=failures[:10],
                results=content if rows else None)


def are_results(content):
    """As matgrad bench and the peers write them, as far as they are shown here."""
    try:
        for row in content["rows"]:
            numbers = [row.get("seconds"), row.get("percent_of_bound")]
            if not isinstance(row["case"]["name"], str) or not isinstance(row["ok"], bool) or any(
                    number is not None and not isinstance(number, (int, float)) for number in numbers):
                return False
            if not isinstance(row.get("executor", ""), str):
                return False
        len(content.get("left_out") or [])
        return True
    except (TypeError, KeyError, AttributeError):
        return False


def times_part(run_, limit):
    """The part `times`: gpu_times, the four functions at three batches."""
    if run_.programs.simulated:
        return Part("times", "skipped", "not built for the simulated GPU")
    path = run_.file("times.json")  # whole after every row
    job = run(Job([run_.programs.times, "--json", path], run_.log("times"), env=cold(run_, "times"),
                  limit=limit), run_.end)
    content = read_json(path)
    if content is None:
        return Part("times", "failed", "", failures=[f"{job.outcome or 'no JSON'}: {last_line(job)}"])
    wrong = [row for row in content["rows"] if not row["correct"]]
    failures = [f"{row['function']} {row['type']} {row['accuracy']} batch {row['batch']}: "
                f"error {row['error_over_bound']} of its bound" for row in wrong]
    if job.outcome and not failures:
        failures = [f"{job.outcome}: {last_line(job)}"]
    return Part("times", "failed" if failures else "passed", f"{len(content['rows'])} rows",
                failures=failures, results=content)


def probe_part(name, what):
    """A part of gpu_probe: fails where a fact is wrong or what asks for it crashed or hung. That there was
    no time for all is a note."""

    def part(run_, limit):
        if not run_.programs.probe.exists():
            return Part(name, "skipped", f"there is no {run_.programs.probe.name}")
        if run_.small and run_.programs.simulated and name == "sweeps":
            return Part(name, "skipped", "times of the simulated GPU say nothing")
        path = run_.file(f"{name}.json")
        words = [run_.programs.probe, "--part", what, "--seconds", f"{max(1, limit - 4):.0f}",
                 "--json", path]
        if run_.small or run_.programs.simulated:
            words.append("--small")
        job = run(Job(words, run_.log(name), env=run_.own_env, limit=limit), run_.end)
        content = read_json(path)
        try:
            failures, note = judged(content)
        except (TypeError, KeyError, AttributeError):
            return Part(name, "failed", "", failures=[f"{job.outcome or 'no JSON'}: {last_line(job)}"])
        if job.outcome and not (job.status == 1 and (failures or note)):
            failures.append(f"{job.outcome}: {last_line(job)}")
        return Part(name, "failed" if failures else "passed", note, failures=failures[:10],
                    results=content)

    return part


def judged(content):
    """What gpu_probe found: (failures, a note)."""
    failures, surprising, not_run = [], 0, 0
    for part in content["parts"]:
        if part["state"] == "failed":
            failures.append(f"{part['name']}: {part.get('why', 'failed')}")
        not_run += part["state"] == "not run"
        for fact in part["facts"]:
            if fact.get("verdict") == "wrong":
                failures.append(f"{fact['name']}: {fact['answer']}")
            surprising += fact.get("verdict") == "surprising"
    counts = ((surprising, "surprising"), (not_run, f"of {len(content['parts'])} not run for want of time"))
    return failures, ", ".join(f"{count} {what}" for count, what in counts if count)
