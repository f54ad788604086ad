"""Batches over several processes: of MPI, of torchrun, and threads that play them."""

import importlib.util
import os
import pathlib
import re
import shutil
import subprocess
import sys
import threading
import types

import numpy as np
import pytest

import matgrad as mg
from matgrad import distributed
from matgrad.examples import _data


class Played:
    """Communicators of threads that meet at a barrier."""

    def __init__(self, size):
        self.barrier = threading.Barrier(size)
        self.said = [None] * size
        self.ranks = [types.SimpleNamespace(rank=rank, size=size) for rank in range(size)]
        for comm in self.ranks:
            comm.Allreduce = lambda mine, total, comm=comm: np.copyto(total, sum(self.meet(comm, mine)))
            comm.allgather = lambda mine, comm=comm: self.meet(comm, mine)
            comm.allreduce = lambda mine, comm=comm: sum(self.meet(comm, mine))

    def meet(self, comm, mine):
        self.said[comm.rank] = mine
        self.barrier.wait()
        said = list(self.said)
        self.barrier.wait()
        return said

    def run(self, program):
        results = [None] * len(self.ranks)

        def one(comm):
            results[comm.rank] = program(comm)

        threads = [threading.Thread(target=one, args=(comm,)) for comm in self.ranks]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
        return results


@pytest.mark.parametrize(("count", "size"), [(10, 3), (9, 3), (2, 3), (0, 2)])
def test_rows_are_all_rows_in_their_order_and_evenly_many(count, size):
    array = np.arange(2 * count).reshape(count, 2)
    parts = [distributed.rows(types.SimpleNamespace(rank=rank, size=size), array) for rank in range(size)]
    np.testing.assert_array_equal(np.concatenate(parts), array)
    lengths = [len(part) for part in parts]
    assert max(lengths) - min(lengths) <= 1
    assert all(part.base is not None for part in parts)


def test_sums_go_over_all_processes_and_what_is_per_problem_stays():
    random = np.random.default_rng(2)
    x, t = random.standard_normal((7, 3)), random.standard_normal(3)
    f = mg.function("0.5*norm2(x - t)^2 + sum(exp(x))", wrt=("t", "x"), reduce="sum")
    results = Played(3).run(lambda comm: distributed.value_and_grad(f, comm, x=distributed.rows(comm, x), t=t))
    for value, gradients in results:
        assert np.ndim(value) == 0 and value == pytest.approx(0.5 * ((x - t) ** 2).sum() + np.exp(x).sum(), rel=1e-13)
        np.testing.assert_allclose(gradients["t"], (t - x).sum(axis=0), rtol=1e-12)
    np.testing.assert_allclose(np.concatenate([g["x"] for _, g in results]), x - t + np.exp(x), rtol=1e-13)


def test_results_for_each_problem_are_those_of_one_process_bit_for_bit():
    X = np.random.default_rng(3).standard_normal((101, 16, 5)).astype(np.float32)
    f = mg.function("logdet(X'*X)", wrt="X", expected_batch=101)
    whole = f.value_and_grad(X=X)
    parts = Played(4).run(lambda comm: distributed.value_and_grad(f, comm, X=distributed.rows(comm, X)))
    for k in range(2):
        np.testing.assert_array_equal(np.concatenate([part[k] for part in parts]), whole[k])


def test_a_mean_is_refused_before_anything_is_sent():
    f = mg.function("norm2(x)^2", wrt="x", reduce="mean")
    alone = types.SimpleNamespace(rank=0, size=1)
    with pytest.raises(mg.OperandError, match="reduce: found 'mean', expected 'sum'"):
        distributed.value_and_grad(f, alone, x=np.ones((2, 3)))


def environment():
    """That of this process, in which the package is found as it is here."""
    package = pathlib.Path(mg.__file__).parents[1]
    paths = [str(package), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}


def test_two_processes_of_mpi_have_the_results_of_one():
    pytest.importorskip("mpi4py")
    launcher = shutil.which("mpiexec")
    if launcher is None:
        pytest.skip("mpiexec is not installed")
    settings = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
                "OMPI_MCA_rmaps_base_oversubscribe": "1"}
    program = pathlib.Path(__file__).with_name("mpi_program.py")
    done = subprocess.run([launcher, "-n", "2", sys.executable, program], env={**environment(), **settings},
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    # Two processes write to one pipe: their lines may meet.
    assert sorted(re.findall(r"rank \d of 2 is right", done.stdout)) == ["rank 0 of 2 is right", "rank 1 of 2 is right"]


def has_torch():
    return importlib.util.find_spec("torch") is not None


@pytest.mark.full
@pytest.mark.skipif(not has_torch(), reason="PyTorch is not installed")
def test_training_in_one_process_reaches_the_known_coefficients(tmp_path):
    import torch

    from matgrad.examples import torch_data_parallel

    features, malignant = _data.breast_cancer()
    X = torch.tensor(np.column_stack([_data.standardised(features), np.ones(len(features))]))
    alone = types.SimpleNamespace(add=lambda tensor: None)
    w, losses = torch_data_parallel.train(X, torch.tensor(malignant), alone)
    np.testing.assert_allclose(w.numpy(), _data.breast_cancer_resamples()[1][0], atol=1e-6, rtol=0)
    assert losses[0] == pytest.approx(len(X) * np.log(2)) and losses[-1] < losses[0]


@pytest.mark.full
@pytest.mark.skipif(not has_torch(), reason="PyTorch is not installed")
def test_two_processes_of_torchrun_reach_the_known_coefficients(tmp_path):
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
               "-m", "matgrad.examples.torch_data_parallel", "--small", "--out", str(tmp_path)]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    summary = (tmp_path / "torch_data_parallel.txt").read_text().splitlines()
    assert summary[0].startswith("569 tumours in 2 processes, 285 in the first")
    assert summary[-1].startswith("reached: ")
