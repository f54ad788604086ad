"""Threads, forks, signals, memory: what a long-lived process does with functions and plans."""

import concurrent.futures
import gc
import multiprocessing
import resource
import signal
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest

import matgrad as mg

generator = np.random.default_rng(11)
f = mg.function("logdet(X'*X)")


def test_32_threads_share_a_plan():
    x = generator.standard_normal((32, 50, 8, 4))
    plan = f.plan(X=x[0])
    expected = f.with_options(expected_batch=50).grad(x)
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        results = list(pool.map(lambda k: [plan(x[k])[1] for _ in range(20)][-1], range(32)))
    np.testing.assert_array_equal(np.stack(results), expected)


def test_other_threads_run_while_it_computes():
    x = generator.standard_normal((3000, 64, 32))
    f.grad(x[:10])
    ticks, done = [], threading.Event()

    def tick():
        while not done.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.001)

    thread = threading.Thread(target=tick)
    thread.start()
    start = time.perf_counter()
    f.grad(x)
    end = time.perf_counter()
    done.set()
    thread.join()
    assert sum(start < t < end for t in ticks) >= 3, f"the interpreter was held for {end - start:.3f} s"


def test_control_c_ends_a_long_run():
    script = textwrap.dedent("""
        import numpy as np, matgrad as mg, sys, time
        x = np.random.default_rng(0).standard_normal((2000, 200, 100))
        f = mg.function("logdet(X'*X) + tr(inv(X'*X))")
        print("ready", flush=True)
        start = time.monotonic()
        try:
            while True:
                f.grad(x)
        except KeyboardInterrupt:
            np.testing.assert_allclose(f.value(np.eye(2)), 2.0)
            print("interrupted", flush=True)
    """)
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.7)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert output == "interrupted\n" and process.returncode == 0


def _gradient_sum(x):
    return float(f.grad(x).sum())


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_worker_processes(method):
    x = generator.standard_normal((200, 8, 4))
    expected = _gradient_sum(x)  # also starts this process's threads
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.map(_gradient_sum, [x, x]) == [expected, expected]


def test_100_000_calls_do_not_grow():
    x, out, status = np.eye(3), np.empty((3, 3)), np.empty((), np.int32)
    plan = f.plan(X=x, outputs=("gradient X",))

    def calls(count):
        for _ in range(count):
            plan(X=x, out=out, status=status)
            f.grad(x)

    calls(2000)
    gc.collect()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    calls(48000)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2000  # KiB


def test_references_are_given_back():
    x, out = np.eye(3), np.empty((3, 3))
    f.grad(x, out=out)
    counts = sys.getrefcount(x), sys.getrefcount(out)
    for _ in range(100):
        f.grad(x, out=out)
        f.grad(X=x)
        with pytest.raises(mg.OperandError):
            f.grad(x, out=np.empty((2, 2)))
    assert (sys.getrefcount(x), sys.getrefcount(out)) == counts
    at = f.linearize(x)
    assert sys.getrefcount(x) > counts[0]
    del at
    gc.collect()
    assert sys.getrefcount(x) == counts[0]


def test_many_functions_do_not_grow_without_end():
    before = None
    for k in range(9000):
        mg.function(f"{k + 1}*dot(x, x)")
        if k == 6000:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 4000  # KiB


def test_changed_shapes_do_not_grow_without_end():
    before = None
    for k in range(300):
        f.grad(np.ones((2, 30 + k, 2)) + np.eye(30 + k, 2))
        if k == 100:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20000  # KiB


def test_results_do_not_depend_on_threads_or_neighbours():
    x = generator.standard_normal((1000, 8, 4))
    whole = f.grad(x)
    one = f.with_options(threads=1)
    np.testing.assert_array_equal(one.grad(x), whole)
    of_many = f.with_options(expected_batch=1000)
    np.testing.assert_array_equal(of_many.grad(x[137:138])[0], whole[137])
    a = generator.standard_normal((8, 4))
    g = mg.function("logdet(X'*X) + norm2(A*X')^2", wrt="X", expected_batch=1000)
    np.testing.assert_array_equal(g.grad(X=x[100:140], A=a.T[:, :4]), g.grad(X=x, A=a.T[:, :4])[100:140])
