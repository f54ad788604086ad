#!/usr/bin/env python3
"""Runs cases that people met in public (tests/data/public_cases.json) through the command.

usage: run_cases.py COMMAND CASES [--device NAME] (--only ID ... | --right FILE EXECUTOR | --all)

--right takes the ids from FILE, a JSON object of one list for each executor: prefixes such as "N" stand for all
cases that begin so; an id with "-" in front is left out again. Prints a line for each case that is not right and a
line of totals; the exit status is 1 if any is not right, 2 for a call that makes no sense.

What is right is computed here by NumPy, from the case's own closed forms and never by matgrad. A case of the kind
F is run alone and as a batch of three.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

import file_cases

# Times the rounding unit; cases that are worse conditioned say so in "wanted".
BOUND = {"float32": 2e3, "float64": 1e5}
BATCH = 3


class Wrong(Exception):
    """What is not right about a case."""


def run_code(case, number=0):
    """The arrays that the case's NumPy code makes, with the seed of problem `number`."""
    names = {}
    exec(case["operands"].replace("b = 0\n", f"b = {number}\n"), names)
    return names


def symbols_of(case, names):
    """The arrays that are operands, by name: those whose names are in the function."""
    text = "".join(c if c.isalnum() or c == "_" else " " for c in case["f"]).split()
    return {name: np.asarray(value) for name, value in names.items()
            if name in text and isinstance(value, (np.ndarray, np.floating, float))}


def expected_of(case, names):
    scope = dict(names, np=np)
    return {what: np.asarray(eval(case["expected"][what], scope)) for what in ("value", "gradient")}


def run_command(command, words, folder):
    return subprocess.run([command, *words], cwd=folder, capture_output=True, text=True, timeout=120)


def evaluate(command, device, case, operands, folder):
    """Value, gradient and status as the command writes them, and how it ended."""
    words = ["eval", case["f"], "--wrt", case["wrt"], "--device", device]
    for declaration in case.get("declare", []):
        words += ["--declare", declaration]
    if "convention" in case:
        words += ["--convention", case["convention"]]
    for name, array in operands.items():
        np.save(folder / f"{name}.npy", array)
        words.append(f"{name}={name}.npy")
    words += ["--grad", "g.npy.out", "--value", "v.npy.out", "--status", "s.npy.out"]
    words += case.get("options", [])
    done = run_command(command, words, folder)
    if done.returncode not in (0, 1):
        raise Wrong(done.stderr.strip() or f"ended with status {done.returncode}")
    return {what: np.load(folder / f"{what[0]}.npy.out") for what in ("value", "gradient", "status")}


def error_of(found, expected, least_scale=0.0):
    """The distance in the largest entry, relative to the largest; where one is not finite, both are the same."""
    if found.shape != expected.shape:
        raise Wrong(f"has shape {found.shape}, expected {expected.shape}")
    with np.errstate(all="ignore"):
        found, expected = np.asarray(found, np.float64), np.asarray(expected, np.float64)
        odd = ~np.isfinite(expected)
        if not np.array_equal(found[odd], expected[odd], equal_nan=True):
            raise Wrong(f"is {found.ravel()[:4]}, expected {expected.ravel()[:4]}")
        found, expected = found[~odd], expected[~odd]
        scale = np.abs(expected).max(initial=least_scale)
        distance = np.abs(found - expected).max(initial=0.0)
        return distance / scale if scale > 0 else distance


# Of cases whose "wanted" does not say it, the matrix whose condition number bounds what is kept.
CONDITION = {
    "E32": lambda arrays: arrays["S"],
    "F21": lambda arrays: arrays["W"] @ arrays["W"].T + np.diag(arrays["d"]),
}


# Of values that cancel, what they are small against: by Hadamard, for a determinant.
SCALE = {"E04": lambda arrays: np.linalg.norm(arrays["X"], axis=0).prod()}


def bound_of(case, operands, dtype):
    unit = np.finfo(dtype).eps
    if case["id"] in CONDITION:
        return 20 * unit * np.linalg.cond(CONDITION[case["id"]](operands))
    if case["expected"].get("wanted", "").startswith("1e-16 times the condition number"):
        return 20 * unit * np.linalg.cond(operands[case["wrt"]])
    return BOUND[dtype] * unit


def compare(case, found, expected, bound, value_scale=0.0):
    for what in ("value", "gradient"):
        try:
            error = error_of(found[what], expected[what], value_scale if what == "value" else 0.0)
        except Wrong as wrong:
            raise Wrong(f"{what} {wrong}") from None
        if not error <= bound:
            raise Wrong(f"{what} is off by {error:.1e}, expected at most {bound:.1e}")


def check_function(command, device, case, folder):
    dtype = case.get("dtype", "float64")
    names = run_code(case)
    exact = symbols_of(case, names)
    operands = {name: array.astype(dtype) for name, array in exact.items()}
    found = evaluate(command, device, case, operands, folder)
    expected = expected_of(case, names)
    wanted = case["expected"].get("wanted", "right")
    if wanted == "a failure flagged in the status":
        if np.all(found["status"] == 0):
            raise Wrong("status is 0, expected a failure")
        return
    if wanted == "the mean over the problems that succeeded":
        if np.all(found["status"] == 0):
            raise Wrong("status is 0 for each, expected a failure among them")
        # By a batched operand the gradients stay one per problem, divided by the count; their sum is the mean.
        found["gradient"] = found["gradient"][found["status"] == 0].sum(0)
    elif np.any(found["status"] != 0):
        raise Wrong(f"status is {found['status']}, expected 0")
    bound = bound_of(case, exact, dtype)
    scale = SCALE.get(case["id"], lambda arrays: 0.0)(exact)
    compare(case, found, expected, bound, scale)
    if case["id"].startswith("F"):
        check_batch(command, device, case, folder, bound, dtype)


def check_batch(command, device, case, folder, bound, dtype):
    problems = [run_code(case, number) for number in range(BATCH)]
    shared = case.get("shared", [])
    for problem in problems:
        problem.update({name: problems[0][name] for name in shared})
    each = [symbols_of(case, problem) for problem in problems]
    operands = {name: each[0][name].astype(dtype) if name in shared
                else np.stack([arrays[name] for arrays in each]).astype(dtype) for name in each[0]}
    found = evaluate(command, device, case, operands, folder)
    for number, problem in enumerate(problems):
        try:
            compare(case, {what: found[what][number] for what in ("value", "gradient")},
                    expected_of(case, problem), bound)
        except Wrong as wrong:
            raise Wrong(f"problem {number} of a batch: {wrong}") from None


def check_message(command, device, case, folder):
    """A function that is right, and of which `check` says so, with a note where the case has one; or words that its
    message must have or may not have."""
    words = ["check", case["f"], "--wrt", case["wrt"], "--device", device]
    for declaration in case.get("declare", []):
        words += ["--declare", declaration]
    if "dims" in case:
        words += ["--dims", case["dims"]]
    done = run_command(command, words, folder)
    if "not_in_message" in case:
        missing = [words for words in case.get("in_message", []) if words not in done.stderr]
        if done.returncode != 2 or case["not_in_message"] in done.stderr or missing:
            raise Wrong(f"ended with status {done.returncode}: {done.stderr.strip()}")
    elif done.returncode != 0:
        raise Wrong((done.stderr or done.stdout).strip())
    for words in case.get("in_note", []):
        if words not in done.stderr:
            raise Wrong(f"no note says {words}: {done.stderr.strip()}")


def check(command, device, case):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        if case["id"].startswith("N"):
            message = file_cases.check(command, device, case, folder)
            if message:
                raise Wrong(message)
        elif "expected" in case:
            check_function(command, device, case, folder)
        else:
            check_message(command, device, case, folder)


def chosen(cases, rules):
    """The cases of a list of ids and prefixes; a rule that chooses nothing is a mistake."""
    ids = [case["id"] for case in cases]
    result = set()
    for rule in rules:
        name = rule.removeprefix("-")
        matching = {i for i in ids if i == name or (len(name) == 1 and i.startswith(name))}
        if not matching:
            sys.exit(f"run_cases.py: no case is called {name}")
        result = result - matching if rule.startswith("-") else result | matching
    return [case for case in cases if case["id"] in result]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("command", type=pathlib.Path)
    parser.add_argument("cases", type=pathlib.Path)
    parser.add_argument("--device", default="cpu")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--only", nargs="+", metavar="ID")
    which.add_argument("--right", nargs=2, metavar=("FILE", "EXECUTOR"))
    which.add_argument("--all", action="store_true")
    arguments = parser.parse_args()
    cases = json.loads(arguments.cases.read_text())
    if arguments.right:
        file, executor = arguments.right
        cases = chosen(cases, json.loads(pathlib.Path(file).read_text())[executor])
    elif arguments.only:
        cases = chosen(cases, arguments.only)
    wrong = 0
    for case in cases:
        try:
            check(str(arguments.command.resolve()), arguments.device, case)
        except Wrong as message:
            wrong += 1
            print(f"{case['id']} ({case['title']}): {message}")
    print(f"{len(cases) - wrong} of {len(cases)} cases are right")
    return 1 if wrong or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
