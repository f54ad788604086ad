"""Programs of a build tree that behave as they are told, for run.sh --simulated."""

import json
import os
import pathlib
import sys

import correctness

# A test program in the manner of GoogleTest: TESTS is name -> what it does.
TEST_PROGRAM = '''#!{python}
import os, signal, sys, time
TESTS = {tests!r}
words = sys.argv[1:]
chosen = list(TESTS)
for word in words:
    if word.startswith("--gtest_filter="):
        patterns = word.partition("=")[2].split(":")
        chosen = [name for name in TESTS if any(p.strip("*") in name for p in patterns)]
if "--gtest_list_tests" in words:
    for name in chosen:
        suite, _, case = name.partition(".")
        print(suite + ".\\n  " + case)
    sys.exit(0)
total = int(os.environ.get("GTEST_TOTAL_SHARDS", "1"))
index = int(os.environ.get("GTEST_SHARD_INDEX", "0"))
failed = False
for name in chosen[index::total]:
    print("[ RUN      ] " + name, flush=True)
    what = TESTS[name]
    if what == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if what == "hang":
        time.sleep(1000)
    while what == "chatter":
        print("still here", flush=True)
        time.sleep(0.2)
    if what == "sleep":
        time.sleep(0.2)
    if what == "note times":
        begun = time.monotonic()
        time.sleep(0.3)
        print("ran", name, begun, time.monotonic(), flush=True)
    if what == "fail at first":
        marker = sys.argv[0] + ".has_failed"
        what = "pass" if os.path.exists(marker) else "fail"
        open(marker, "w").close()
    if what == "fail if launches are waited for":
        what = "fail" if os.environ.get("CUDA_LAUNCH_BLOCKING") else "pass"
    if what == "garbage":
        sys.stdout.buffer.write(bytes(range(256)) * 100)
        sys.stdout.flush()
    if what == "flood":
        while True:
            print("x" * 100000)
    if what == "fail":
        print("/somewhere/a_test.cpp:12: Failure\\nExpected equality of these values:\\n  1\\n  2")
        failed = True
    print("[  FAILED  ] " + name + " (3 ms)" if what == "fail" else "[       OK ] " + name + " (3 ms)",
          flush=True)
if chosen and not failed:
    print("[  PASSED  ] %d test." % len(chosen))
sys.exit(failed)
'''

# `devices`, `bench`, and as the peer in C++.
COMMAND = '''#!{python}
import os, sys, time
words = sys.argv[1:]
if words[:1] == ["devices"]:
    print("cpu   some processor")
    print({devices!r})
    sys.exit(0)
what = {bench!r}
if "CACHE" in what and "MATGRAD_CACHE" in os.environ and os.path.isdir(os.environ["MATGRAD_CACHE"]):
    folder = os.environ["MATGRAD_CACHE"]
    what = what.replace("CACHE", folder + " holds " + str(len(os.listdir(folder))))
if what == "hang":
    time.sleep(1000)
if what == "crash":
    os.abort()
crashes = what.startswith("rows and crash ")
for option, text in (("--json", what.replace("rows and crash ", "")), ("--differentials", {answers!r})):
    if option in words:
        with open(words[words.index(option) + 1], "w") as file:
            file.write(text)
        if crashes and option == "--json":
            os.abort()
sys.exit(0)
'''


def results(names, seconds):
    """As matgrad bench and the peers write them."""
    rows = [{"case": {"name": name, "type": "float32"}, "executor": "cuda", "ok": True, "error": None,
             "seconds": seconds, "percent_of_bound": 50.0, "residual": 0.0} for name in names]
    return json.dumps({"tool": "matgrad", "cache": "CACHE", "rows": rows, "ceilings": {
        "float32": {"copy_bytes_per_s": 3e12, "multiply_add_flops_per_s": 5e13}}})


RESULTS = results(["least_squares/64x16/f32/b1000/both"], 1e-3)
DEVICE = "cuda:0  Fake GPU, 1.0 GiB of memory, 1.0 GiB free, compute capability 9.0, 4 multiprocessors"


def write_program(path, text):
    os.makedirs(path.parent, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


def processes_of(folder):
    """Those whose command line has the folder in it."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            line = (entry / "cmdline").read_bytes() if entry.name.isdigit() else b""
        except OSError:
            continue
        if str(folder).encode() in line:
            found.append(int(entry.name))
    return found


def chosen_tests():
    """Programs with a test for each pattern that parts choose by, all of which pass."""
    tests = {}
    for choice in (correctness.CHEAP, correctness.OWN_KERNELS):
        for program, patterns in choice.items():
            tests.setdefault(program, {}).update({p.strip("*"): "pass" for p in patterns})
    return tests


def write_tree(root, tests=None, bench=RESULTS, peer=RESULTS, devices=DEVICE):
    """A build tree; `tests` is program -> (name of a test -> what it does, as in TEST_PROGRAM)."""
    for name, cases in (tests or {"some": {"Suite.One": "pass", "Suite.Two": "pass"}}).items():
        write_program(root / f"tests/cuda/simulated_{name}_test",
                      TEST_PROGRAM.format(python=sys.executable, tests=cases))
    for path, what in (("tests/simulated_gpu/matgrad_simulated", bench),
                       ("tests/cublas_peer/matgrad_cpp_peers_simulated", peer)):
        write_program(root / path, COMMAND.format(python=sys.executable, devices=devices, bench=what,
                                                  answers=""))
