"""shard_map over the batch on four devices of the host: the same bits, and nothing is gathered."""

import pytest
from other_process import finish, start

PROGRAM = """
import jax, jax.numpy as jnp, numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec as P
import matgrad.jax
from jax_problems import assert_close

assert jax.device_count() == 4
mesh = Mesh(np.array(jax.devices()), ("batch",))
generator = np.random.default_rng(0)
X, A = generator.normal(size=(12, 4, 3)), generator.normal(size=(2, 3))
# With one expected batch a problem has the same bits in a batch of any size.
f = matgrad.jax.function("logdet(X'*X) + norm2(X*A')^2", expected_batch=12)
assert f.operands == ("X", "A")
sharded = jax.device_put(X, NamedSharding(mesh, P("batch")))
shared = jax.device_put(A, NamedSharding(mesh, P()))

def text_of(function, *arguments):
    text = jax.jit(function).lower(*arguments).compile().as_text()
    assert 'custom_call_target="matgrad_run"' in text
    assert "all-gather" not in text
    return text

def mapped(function, out):
    return jax.shard_map(function, mesh=mesh, in_specs=(P("batch"), P()), out_specs=out)

# One result for each problem: no communication, and the bits of one device.
for function in (f, jax.vmap(jax.grad(f), (0, None)), f.value_and_grad):
    divided = mapped(function, P("batch"))
    assert "all-reduce" not in text_of(divided, sharded, shared)
    results = jax.jit(divided)(sharded, shared), jax.jit(function)(X, A)
    for mine, alone in zip(*map(jax.tree.leaves, results), strict=True):
        assert np.array_equal(mine, alone)

# A loss that devices sum: the gradient by the shared operand is summed too.
def loss(X, A):
    return jax.lax.psum(f(X, A).sum(), "batch")

whole = lambda X, A: f(X, A).sum()
divided = mapped(loss, P())
for transformed in (jax.value_and_grad(divided, (0, 1)), jax.hessian(divided, 1)):
    assert "all-reduce" in text_of(transformed, sharded, shared)
assert_close(jax.jit(jax.value_and_grad(divided, (0, 1)))(sharded, shared), jax.value_and_grad(whole, (0, 1))(X, A))
assert_close(jax.jit(jax.hessian(divided, 1))(sharded, shared), jax.hessian(whole, 1)(X, A))

# The gradient taken inside of shard_map: of what is alike on all devices it is the sum over them.
def inside(X, A):
    return jax.grad(lambda X, A: f(X, A).sum(), (0, 1))(X, A)

divided = mapped(inside, (P("batch"), P()))
assert_close(jax.jit(divided)(sharded, shared), jax.grad(whole, (0, 1))(X, A))
print("done")
"""


def test_four_devices():
    process = start(PROGRAM, XLA_FLAGS="--xla_force_host_platform_device_count=4")
    assert finish(process).endswith("done\n")


SEVERAL = """
import jax, numpy as np
import matgrad.jax

f = matgrad.jax.function("logdet(X'*X)")
X = np.random.default_rng(0).normal(size=(50, 4, 3))
gradient = jax.jit(f.grad)
expected = np.asarray(gradient(X))
# Nothing is waited for between the calls: the devices run at the same time.
results = [gradient(jax.device_put(X, device)) for _ in range(20) for device in jax.devices()]
for result, device in zip(results, jax.devices() * 20):
    assert result.devices() == {device}
    assert np.array_equal(result, expected)
print("done")
"""


@pytest.mark.full
def test_devices_at_the_same_time():
    process = start(SEVERAL, XLA_FLAGS="--xla_force_host_platform_device_count=4")
    assert finish(process).endswith("done\n")
