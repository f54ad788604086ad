"""Runs the tests of a program some at a time: most of their time they wait for processes that sleep."""

import concurrent.futures
import sys
import unittest

AT_ONCE = 6


def cases_of(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from cases_of(test)
        else:
            yield test


def main():
    """As unittest.main(), of which it knows the names of tests alone."""
    loader, module = unittest.defaultTestLoader, sys.modules["__main__"]
    names = sys.argv[1:]
    cases = list(cases_of(loader.loadTestsFromNames(names, module) if names
                          else loader.loadTestsFromModule(module)))
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        results = list(pool.map(lambda case: case.run(), cases))
    failed = 0
    for case, result in zip(cases, results):
        wrong = result.failures + result.errors
        failed += bool(wrong)
        for _, text in wrong:
            print(f"FAIL: {case.id()}\n{text}", file=sys.stderr)
        for _, reason in result.skipped:
            print(f"skipped: {case.id()}: {reason}", file=sys.stderr)
    print(f"{len(cases)} tests, {failed} failed", file=sys.stderr)
    sys.exit(1 if failed or not cases else 0)
