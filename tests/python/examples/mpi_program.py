"""What test_distributed.py runs under mpiexec: results of two processes beside those of one. Prints a line each."""

import sys

import numpy as np
from mpi4py import MPI

import matgrad as mg
from matgrad import distributed

comm = MPI.COMM_WORLD
random = np.random.default_rng(4)  # the same in every process
X = random.standard_normal((101, 6, 3))
t = random.standard_normal(3)
x = random.standard_normal((101, 3))


def must(holds, what):
    if not holds:
        print(f"rank {comm.rank}: {what}", flush=True)
        comm.Abort(1)


mine = distributed.rows(comm, X)
must(sum(comm.allgather(len(mine))) == 101 and len(mine) in (50, 51), f"{len(mine)} rows")

f = mg.function("logdet(X'*X)", wrt="X", expected_batch=101)
value, gradient = distributed.value_and_grad(f, comm, X=mine)
whole_value, whole_gradient = f.value_and_grad(X=X)
must(np.array_equal(distributed.gather(comm, value), whole_value), "values of two processes differ from those of one")
must(np.array_equal(distributed.gather(comm, gradient), whole_gradient), "gradients differ")

# A shared matrix whose product with itself pays for many problems and not for few.
A = random.standard_normal((60, 3))
h = mg.function("0.5*norm2(X*A')^2", wrt="X", expected_batch=101)
value, gradient = distributed.value_and_grad(h, comm, X=mine, A=A)
must(np.array_equal(distributed.gather(comm, gradient), h.grad(X=X, A=A)), "gradients beside a shared matrix differ")

g = mg.function("0.5*norm2(x - t)^2 + sum(exp(x))", wrt=("t", "x"), reduce="sum")
value, gradients = distributed.value_and_grad(g, comm, x=distributed.rows(comm, x), t=t)
must(np.isclose(value, 0.5 * ((x - t) ** 2).sum() + np.exp(x).sum(), rtol=1e-13), f"value {value}")
must(np.allclose(gradients["t"], (t - x).sum(axis=0), rtol=1e-12), "gradient by t")
must(np.allclose(distributed.gather(comm, gradients["x"]), x - t + np.exp(x), rtol=1e-13), "gradient by x")
must(len(set(comm.allgather(gradients["t"].tobytes()))) == 1, "processes have other sums")

value, gradients = distributed.value_and_grad(g, comm, x=distributed.rows(comm, x[:1]), t=t)
must(np.allclose(gradients["t"], t - x[0], rtol=1e-13), "a process without problems")
print(f"rank {comm.rank} of {comm.size} is right", flush=True)
sys.exit(0)
