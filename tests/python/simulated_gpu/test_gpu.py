"""Arrays in the memory of a GPU, which is simulated: results stay there, calls are enqueued on its stream."""

import os
import pathlib
import sys

import numpy as np
import pytest

import matgrad as mg

if "MATGRAD_CUDA_MODULE" not in os.environ:
    pytest.skip("no simulated GPU: MATGRAD_CUDA_MODULE names its module", allow_module_level=True)
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import cupy

generator = np.random.default_rng(1)


@pytest.mark.parametrize("executor", ["fused", "library"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_results_are_those_of_the_processor(executor, dtype):
    x = generator.standard_normal((5, 3, 8, 4)).astype(dtype)
    f = mg.function("logdet(X'*X)", executor=executor)
    value, gradient = f.value_and_grad(X=cupy.asarray(x))
    assert isinstance(value, cupy.ndarray) and gradient.shape == x.shape and gradient.dtype == dtype
    expected = 2 * x @ np.linalg.inv(np.swapaxes(x, -1, -2).astype("float64") @ x)
    np.testing.assert_allclose(gradient.get(), expected, rtol=2e-5 if dtype == "float32" else 1e-12, atol=1e-5)
    np.testing.assert_allclose(value.get(), f.value(X=x), rtol=1e-5 if dtype == "float32" else 1e-13, atol=1e-6)


def test_host_arrays_run_there_if_asked():
    x = generator.standard_normal((7, 6, 3))
    f = mg.function("logdet(X'*X)")
    g = f.with_options(device="cuda")
    assert isinstance(g.grad(x), np.ndarray)
    np.testing.assert_allclose(g.grad(x), f.grad(x), rtol=1e-12)
    assert g.plan(X=x).device == "cuda:0"


def test_shared_operands_strides_and_sums():
    a, x, b = generator.standard_normal((6, 4)), generator.standard_normal((4, 9)), generator.standard_normal((9, 6))
    f = mg.function("norm2(A*x - b)^2", wrt=("A", "x"), reduce="sum", in_axes={"x": 1, "A": None})
    value, gradients = f.value_and_grad(A=cupy.asarray(a), x=cupy.asarray(x), b=cupy.asarray(b))
    r = x.T @ a.T - b
    np.testing.assert_allclose(value.get(), np.sum(r * r), rtol=1e-12)
    np.testing.assert_allclose(gradients["A"].get(), 2 * r.T @ x.T, rtol=1e-12)
    np.testing.assert_allclose(gradients["x"].get(), 2 * r @ a, rtol=1e-12)


def test_status_and_nan_of_a_failed_problem_alone():
    x = generator.standard_normal((3, 4, 2))
    x[1] = 0
    f = mg.function("logdet(X'*X)")
    status = cupy.empty((3,), "int32")
    gradient = f.grad(X=cupy.asarray(x), status=status).get()
    assert mg.succeeded(status.get()).tolist() == [True, False, True]
    assert np.isnan(gradient[1]).all() and np.isfinite(gradient[[0, 2]]).all()


def test_operands_in_both_memories_are_an_error():
    f = mg.function("norm2(A*x - b)^2", wrt="x")
    a, x = cupy.asarray(np.eye(3)), cupy.asarray(np.ones(3))
    out = np.empty(3)
    with pytest.raises(mg.OperandError):
        f.grad(A=a, x=x, b=cupy.asarray(np.ones(3)), out=out)
    # A host array beside device arrays is taken there, as a constant is.
    np.testing.assert_allclose(f.grad(A=a, x=x, b=np.zeros(3)).get(), 2 * np.ones(3))


def test_check_and_evaluate():
    x = cupy.asarray(generator.standard_normal((4, 5, 2)))
    f = mg.function("logdet(X'*X)")
    assert f.check(X=x)
    results = f.evaluate(X=x)
    assert isinstance(results.status, cupy.ndarray) and not results.status.get().any()
