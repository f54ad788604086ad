"""jax.distributed: two processes on the processor, connected by Gloo."""

import socket

import pytest
from other_process import finish, start

PROGRAM = """
import sys
import jax, numpy as np
jax.config.update("jax_cpu_collectives_implementation", "gloo")
port, number = sys.argv[1:]
jax.distributed.initialize(f"localhost:{port}", 2, int(number))
from jax.sharding import Mesh, NamedSharding, PartitionSpec as P
import matgrad.jax
from jax_problems import assert_close

assert jax.process_count() == 2
mesh = Mesh(np.array(jax.devices()), ("batch",))
generator = np.random.default_rng(0)
X, A = generator.normal(size=(6, 4, 3)), generator.normal(size=(2, 3))
f = matgrad.jax.function("logdet(X'*X) + norm2(X*A')^2", expected_batch=6)
half = X[3 * int(number) : 3 * int(number) + 3]
sharded = jax.make_array_from_process_local_data(NamedSharding(mesh, P("batch")), half)
shared = jax.make_array_from_process_local_data(NamedSharding(mesh, P()), A)

def loss(X, A):
    return jax.lax.psum(f(X, A).sum(), "batch")

divided = jax.shard_map(loss, mesh=mesh, in_specs=(P("batch"), P()), out_specs=P())
value, (dX, dA) = jax.jit(jax.value_and_grad(divided, (0, 1)))(sharded, shared)
expected, (dX_all, dA_all) = jax.value_and_grad(lambda X, A: f(X, A).sum(), (0, 1))(X, A)
assert_close(value.addressable_shards[0].data, expected)
assert_close(dA.addressable_shards[0].data, dA_all)
mine = np.asarray(dX.addressable_shards[0].data)
assert np.array_equal(mine, np.asarray(dX_all)[3 * int(number) : 3 * int(number) + 3])
jax.distributed.shutdown()
print("done")
"""


@pytest.mark.full
def test_two_processes():
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port = probe.getsockname()[1]
    processes = [start(PROGRAM, port, number) for number in range(2)]
    for process in processes:
        assert finish(process).endswith("done\n")
