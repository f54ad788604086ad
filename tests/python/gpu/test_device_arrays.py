"""Arrays of PyTorch, CuPy and JAX in the memory of a real GPU. Run where there is one (label `gpu`, and the bundle)."""

import numpy as np
import pytest

import matgrad as mg

generator = np.random.default_rng(2)


def on_gpu(name):
    """Makes an array of that framework on the GPU, and a function back to NumPy; skips where it cannot."""
    if name == "torch":
        torch = pytest.importorskip("torch")
        if not torch.cuda.is_available():
            pytest.skip("PyTorch finds no GPU")
        return lambda x: torch.tensor(x, device="cuda"), lambda x: x.cpu().numpy()
    if name == "cupy":
        cupy = pytest.importorskip("cupy")
        try:
            cupy.cuda.runtime.getDeviceCount()
        except Exception as error:
            pytest.skip(f"CuPy finds no GPU: {error}")
        return cupy.asarray, lambda x: x.get()
    raise ValueError(name)


@pytest.mark.parametrize("framework", ["torch", "cupy"])
@pytest.mark.parametrize("executor", ["fused", "library"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_results_are_those_of_the_processor(framework, executor, dtype):
    put, get = on_gpu(framework)
    x = generator.standard_normal((500, 16, 4)).astype(dtype)
    f = mg.function("logdet(X'*X)", executor=executor)
    value, gradient = f.value_and_grad(X=put(x))
    assert type(gradient) is type(put(x))
    wanted_value, wanted_gradient = f.with_options(executor="auto").value_and_grad(X=x)
    tolerance = 1e-5 if dtype == "float32" else 1e-12
    np.testing.assert_allclose(get(value), wanted_value, rtol=tolerance)
    np.testing.assert_allclose(get(gradient), wanted_gradient, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("framework", ["torch", "cupy"])
def test_strides_shared_operands_and_sums(framework):
    put, get = on_gpu(framework)
    a, x, b = (generator.standard_normal(shape) for shape in ((6, 4), (4, 900), (900, 6)))
    f = mg.function("norm2(A*x - b)^2", wrt=("A", "x"), reduce="sum", in_axes={"x": 1, "A": None})
    value, gradients = f.value_and_grad(A=put(a), x=put(x), b=put(b))
    r = x.T @ a.T - b
    np.testing.assert_allclose(get(value), np.sum(r * r), rtol=1e-12)
    np.testing.assert_allclose(get(gradients["A"]), 2 * r.T @ x.T, rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(get(gradients["x"]), 2 * r @ a, rtol=1e-12, atol=1e-12)


def test_calls_wait_for_what_their_stream_does_before_them():
    torch = pytest.importorskip("torch")
    _, get = on_gpu("torch")
    f = mg.function("dot(x, x)")
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        big = torch.ones(4000, 4000, device="cuda")
        for _ in range(20):
            big = big @ big / 4000  # stays 1, and takes its time
        x = big[:, :8].contiguous()
        value = f.value(x)
    stream.synchronize()
    np.testing.assert_allclose(get(value), 8, rtol=1e-3)


def test_a_cuda_graph_holds_a_call():
    torch = pytest.importorskip("torch")
    put, get = on_gpu("torch")
    import matgrad.torch

    f = matgrad.torch.function("logdet(X'*X)", capturable=True)
    x = put(generator.standard_normal((100, 8, 4)))
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        f(x)  # plans and compiles
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        value = f(x)
    other = generator.standard_normal((100, 8, 4))
    x.copy_(put(other))
    graph.replay()
    torch.cuda.synchronize()
    np.testing.assert_allclose(get(value), np.linalg.slogdet(np.swapaxes(other, 1, 2) @ other)[1], rtol=1e-11)


def test_autograd_of_pytorch():
    torch = pytest.importorskip("torch")
    put, _ = on_gpu("torch")
    import matgrad.torch

    x = put(generator.standard_normal((50, 8, 4))).requires_grad_()
    f = matgrad.torch.function("logdet(X'*X)")
    f(x).sum().backward()
    wanted = x.detach().clone().requires_grad_()
    torch.logdet(wanted.mT @ wanted).sum().backward()
    torch.testing.assert_close(x.grad, wanted.grad, rtol=1e-10, atol=1e-10)
    (first,) = torch.autograd.grad(f(x).sum(), x, create_graph=True)
    (second,) = torch.autograd.grad((first**2).sum(), x)
    (wanted_first,) = torch.autograd.grad(torch.logdet(wanted.mT @ wanted).sum(), wanted, create_graph=True)
    (wanted_second,) = torch.autograd.grad((wanted_first**2).sum(), wanted)
    torch.testing.assert_close(second, wanted_second, rtol=1e-8, atol=1e-8)


def test_calls_of_jax():
    jax = pytest.importorskip("jax")
    try:
        device = jax.devices("cuda")[0]
    except RuntimeError as error:
        pytest.skip(f"JAX finds no GPU: {error}")
    import matgrad.jax

    f = matgrad.jax.function("logdet(X'*X)")
    host = generator.standard_normal((100, 8, 4)).astype("float32")
    x = jax.device_put(host, device)
    gradient = jax.jit(jax.vmap(jax.grad(f)))(x)
    np.testing.assert_allclose(gradient, mg.function("logdet(X'*X)").grad(host), rtol=1e-4, atol=1e-4)
    with pytest.raises(mg.OperandTypeError, match=r"GPU; matgrad\.jax"):
        mg.function("logdet(X'*X)").grad(x)


def test_status_of_failed_problems():
    torch = pytest.importorskip("torch")
    put, get = on_gpu("torch")
    x = generator.standard_normal((3, 4, 2))
    x[1] = 0
    status = torch.empty(3, dtype=torch.int32, device="cuda")
    gradient = get(mg.function("logdet(X'*X)").grad(X=put(x), status=status))
    assert mg.succeeded(get(status)).tolist() == [True, False, True]
    assert np.isnan(gradient[1]).all() and np.isfinite(gradient[[0, 2]]).all()
    with pytest.raises(mg.FailedProblems, match="1 of 3"):
        mg.function("logdet(X'*X)", on_failure="raise").grad(X=put(x))
