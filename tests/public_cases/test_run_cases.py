#!/usr/bin/env python3
"""test_run_cases.py CASES: the runner of cases finds what is wrong, with a command that computes by NumPy."""

import json
import pathlib
import sys
import tempfile

import numpy as np

import run_cases

CASES = {case["id"]: case for case in json.loads(pathlib.Path(sys.argv[1]).read_text())}
# In place of the command: writes what the test has put beside it.
STAND_IN = """#!/bin/sh
cp {answers}/*.out .
exit {status}
"""


def answer(folder, value, gradient, status, exit_status=0):
    """A command that answers so, whatever it is asked."""
    answers = folder / "answers"
    answers.mkdir(exist_ok=True)
    for name, array in {"v": value, "g": gradient, "s": np.asarray(status, np.int32)}.items():
        with open(answers / f"{name}.npy.out", "wb") as file:
            np.save(file, array)
    command = folder / "command"
    command.write_text(STAND_IN.format(answers=answers, status=exit_status))
    command.chmod(0o755)
    return str(command)


def verdict(case, *answers):
    """What is wrong with this answer, or None."""
    with tempfile.TemporaryDirectory() as name:
        try:
            run_cases.check(answer(pathlib.Path(name), *answers), "cpu", case)
        except run_cases.Wrong as wrong:
            return str(wrong)
    return None


def expect(found, text):
    if (text is None) != (found is None) or (text is not None and text not in found):
        sys.exit(f"expected {text}, found {found}")


def main():
    case = CASES["E36"]
    names = run_cases.run_code(case)
    right = run_cases.expected_of(case, names)
    value, gradient, status = right["value"], right["gradient"], np.zeros(10)
    expect(verdict(case, value, gradient, status), None)
    expect(verdict(case, value * (1 + 1e-9), gradient, status), "value is off by")
    expect(verdict(case, value, gradient.swapaxes(1, 2), status), "gradient is off by")
    expect(verdict(case, value, gradient.reshape(5, 2, 5, 5), status), "gradient has shape (5, 2, 5, 5)")
    expect(verdict(case, value * np.nan, gradient, status), "value is off by nan")
    expect(verdict(case, value, gradient, status + 1, 1), "expected 0")
    expect(verdict(case, value, gradient, status, 2), "ended with status 2")

    # A float answer is held to what float can do.
    case = CASES["E26"]
    right = run_cases.expected_of(case, run_cases.run_code(case))
    expect(verdict(case, np.float32(right["value"]), np.float32(right["gradient"]), 0), None)
    expect(verdict(case, np.float32(right["value"] * 1.001), np.float32(right["gradient"]), 0), "value is off by")

    # A failure that is asked for, infinities that are right, and a bound by the condition number.
    case = CASES["E30"]
    expect(verdict(case, np.full((), 1e16), np.ones((3, 5)), 0), "expected a failure")
    expect(verdict(case, np.full((), np.nan), np.full((3, 5), np.nan), 1, 1), None)
    case = CASES["E11"]
    right = run_cases.expected_of(case, run_cases.run_code(case))
    expect(verdict(case, right["value"], right["gradient"], 0), None)
    expect(verdict(case, right["value"], np.nan_to_num(right["gradient"]), 0), "expected [")
    case = CASES["E28-6"]
    right = run_cases.expected_of(case, run_cases.run_code(case))
    expect(verdict(case, right["value"], right["gradient"] * (1 + 1e-9), 0), None)
    expect(verdict(case, right["value"], right["gradient"] * (1 + 1e-7), 0), "gradient is off by")

    ids = [case["id"] for case in run_cases.chosen(list(CASES.values()), ["N", "X20", "-N04"])]
    if "N04" in ids or "N01" not in ids or "X20" not in ids or "F01" in ids:
        sys.exit(f"other cases were chosen: {ids}")
    print("the runner finds what is wrong")


if __name__ == "__main__":
    main()
