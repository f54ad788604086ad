"""What operands and results may be: strides, orders, types, batches, frameworks, and what each misfit says."""

import numpy as np
import pytest

import matgrad as mg

generator = np.random.default_rng(7)
f = mg.function("logdet(X'*X)")


def expected(x):
    x = np.asarray(x, "float64")
    return 2 * x @ np.linalg.inv(np.swapaxes(x, -1, -2) @ x)


def strided_forms(x):
    """Arrays with the entries of x, each laid out in another way. Axes: two of the batch, two of the matrix."""
    wide = np.zeros((x.shape[0], x.shape[1], 2 * x.shape[2], 3 * x.shape[3]), x.dtype)
    wide[:, :, ::2, ::3] = x
    padded = np.zeros((x.shape[0], x.shape[1] + 2, *x.shape[2:]), x.dtype)
    padded[:, 1:-1] = x
    read_only = x.copy()
    read_only.flags.writeable = False
    return {
        "C": np.ascontiguousarray(x),
        "Fortran": np.asfortranarray(x),
        "each matrix by columns": np.swapaxes(np.ascontiguousarray(np.swapaxes(x, -1, -2)), -1, -2),
        "sliced": wide[:, :, ::2, ::3],
        "batch axes with no one stride": padded[:, 1:-1],
        "reversed rows": np.ascontiguousarray(x[:, :, ::-1])[:, :, ::-1],
        "reversed batch": np.ascontiguousarray(x[::-1, ::-1])[::-1, ::-1],
        "batch last": np.moveaxis(np.ascontiguousarray(np.moveaxis(x, (0, 1), (2, 3))), (2, 3), (0, 1)),
        "read-only": read_only,
        "one matrix repeated": np.broadcast_to(x[0, 0], x.shape),
    }


FORMS = list(strided_forms(np.zeros((1, 1, 1, 1))))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_layout_gives_the_same_bits(form, dtype):
    x = generator.standard_normal((4, 3, 6, 2)).astype(dtype)
    laid_out = strided_forms(x)[form]
    value, gradient = f.value_and_grad(X=laid_out)
    again = np.ascontiguousarray(laid_out)
    np.testing.assert_array_equal(gradient, f.grad(again))
    np.testing.assert_allclose(gradient, expected(laid_out), rtol=3e-5 if dtype == "float32" else 1e-12, atol=1e-5)
    assert gradient.dtype == dtype and value.dtype == dtype and value.shape == (4, 3)


@pytest.mark.parametrize("batch", [(), (1,), (5,), (1, 1), (2, 3, 4), (0,), (3, 0)])
def test_any_leading_axes_are_the_batch(batch):
    x = generator.standard_normal((*batch, 4, 2))
    value, gradient = f.value_and_grad(x)
    assert np.shape(value) == batch and gradient.shape == x.shape
    np.testing.assert_allclose(gradient, expected(x), rtol=1e-12)


def test_one_problem_has_a_number_for_a_value():
    value = f.value(np.eye(3))
    assert isinstance(value, np.float64) and value == 0


def test_results_are_written_where_out_says():
    x = generator.standard_normal((5, 4, 2))
    value, gradient, status = np.empty(5), np.empty((5, 4, 2)), np.empty(5, np.int32)
    returned = f.value_and_grad(X=x, out=(value, gradient), status=status)
    assert returned[0] is value and returned[1] is gradient and not status.any()
    np.testing.assert_allclose(gradient, expected(x), rtol=1e-12)
    strided = np.zeros((5, 8, 4))
    assert f.grad(x, out=strided[:, ::2, ::2]).base is strided
    np.testing.assert_array_equal(strided[:, ::2, ::2], gradient)
    assert not strided[:, 1::2].any() and not strided[:, :, 1::2].any()


def test_integers_bools_lists_and_numbers_are_operands():
    g = mg.function("t*norm2(A*x - b)^2", wrt="x", declare="t=1")
    a = np.array([[1, 2], [3, 4]])
    np.testing.assert_allclose(g.grad(t=2, A=a, x=[1, 0], b=np.array([True, False])), 4 * a.T @ [0, 3])
    assert g.grad(2, a.astype("float32"), [1, 0], [0, 0]).dtype == "float32"
    assert g.grad(2, a.astype("float32"), np.zeros(2), [0, 0]).dtype == "float64"


def test_foreign_byte_order_and_arrays_of_the_buffer_protocol():
    import array

    x = generator.standard_normal((4, 2))
    np.testing.assert_array_equal(f.grad(x.astype(">f8")), f.grad(x))
    g = mg.function("dot(x, x)")
    assert isinstance(g.grad(memoryview(np.arange(3.0))), np.ndarray)
    np.testing.assert_array_equal(g.grad(memoryview(array.array("d", [1, 2]))), [2, 4])


def test_subclasses_are_arrays_and_masks_are_refused():
    x = generator.standard_normal((4, 2))
    np.testing.assert_array_equal(f.grad(np.asmatrix(x)), f.grad(x))
    with pytest.raises(mg.OperandTypeError, match="X.*mask"):
        f.grad(np.ma.masked_array(x, mask=x > 1))


def test_other_frameworks_in_host_memory():
    x = generator.standard_normal((5, 4, 2))
    torch = pytest.importorskip("torch")
    gradient = f.grad(torch.tensor(x, requires_grad=True))
    assert isinstance(gradient, torch.Tensor) and not gradient.requires_grad
    np.testing.assert_array_equal(gradient.numpy(), f.grad(x))
    out = torch.empty(5, 4, 2, dtype=torch.float64)
    assert f.grad(torch.tensor(x), out=out) is out


def test_jax_arrays():
    jax = pytest.importorskip("jax")
    x = jax.numpy.asarray(generator.standard_normal((5, 4, 2)).astype("float32"))
    gradient = f.grad(x)
    assert isinstance(gradient, jax.Array) and gradient.dtype == "float32"
    np.testing.assert_array_equal(gradient, f.grad(np.asarray(x)))
    with pytest.raises(mg.OperandTypeError, match=r"tracing.*matgrad\.jax"):
        jax.jit(lambda y: f.grad(y))(x)


def test_numpy_operands_beside_those_of_a_framework_follow_it():
    torch = pytest.importorskip("torch")
    g = mg.function("norm2(A*x - b)^2", wrt="x")
    a, x, b = np.eye(2), torch.ones(2, dtype=torch.float64), np.zeros(2)
    assert isinstance(g.grad(a, x, b), torch.Tensor)
    jax = pytest.importorskip("jax")
    with pytest.raises(mg.OperandTypeError, match="'x'.*jax.*torch.*'A'"):
        g.grad(torch.eye(2), jax.numpy.ones(2), b)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: f.grad(np.zeros(3)), r"operand 'X': found shape \(3,\), expected \(\.\.\., m, n\)"),
        (lambda: f.grad("X"), "operand 'X': found str"),
        (lambda: f.grad(None), "operand 'X': found NoneType"),
        (lambda: f.grad(np.zeros((3, 2), complex)), "operand 'X': found complex128"),
        (lambda: f.grad(np.zeros((3, 2), "float16")), "operand 'X': found float16"),
        (lambda: f.grad(np.array([["a", "b"]])), "operand 'X': found str"),
        (lambda: f.grad(np.zeros((3, 2), object)), "operand 'X': found object"),
        (lambda: f.grad(), "operand 'X' is missing"),
        (lambda: f.grad(np.eye(2), np.eye(2)), "found 2 operands, expected 1: X"),
        (lambda: f.grad(np.eye(2), X=np.eye(2)), "operand 'X' is given twice"),
        (lambda: f.grad(Y=np.eye(2)), "operand 'Y': not of this call, expected X"),
        (lambda: f.grad(np.eye(2), out=np.empty((2, 3))), r"gradient X.*2-by-3.*2-by-2"),
        (lambda: f.grad(np.eye(2), out=np.empty((2, 2), "float32")), "gradient X.*float"),
        (lambda: f.grad(np.eye(2), out=(np.empty((2, 2)), np.empty(2))), "found 2 results, expected 1"),
        (lambda: f.grad(np.zeros((3, 2, 2)), out=np.empty((2, 2, 2))), "gradient X.*2.*3"),
        (lambda: f.grad(np.eye(2), status=np.empty(2)), "status: expected a contiguous array of int32"),
        (lambda: f.grad(np.eye(2), status=np.empty(2, np.int32)), "status: found 2 entries"),
    ],
)
def test_misfits_say_what_was_found(call, message):
    with pytest.raises(mg.CallerError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_results_that_cannot_be_written_to():
    x = np.eye(3)
    frozen = np.empty((3, 3))
    frozen.flags.writeable = False
    with pytest.raises(mg.OperandError, match="gradient X.*read-only"):
        f.grad(x, out=frozen)
    with pytest.raises(mg.CallerError, match="overlap|lies over|same memory"):
        f.grad(x, out=x)
    padded = np.zeros((4, 5, 2, 2))
    with pytest.raises(mg.OperandError, match="gradient X.*no one stride"):
        f.grad(np.ones((4, 3, 2, 2)), out=padded[:, 1:-1])


def test_batches_that_differ():
    g = mg.function("norm2(A*x - b)^2", wrt="x")
    with pytest.raises(mg.OperandError, match=r"'b'.*\(4, 2\).*'A'.*\(5, 2, 3\)"):
        g.grad(np.ones((5, 2, 3)), np.ones(3), np.ones((4, 2)))
    with pytest.raises(mg.CallerError, match="x|A"):
        g.grad(np.ones((5, 2, 3)), np.ones(4), np.ones(2))


def test_in_axes_name_the_axis_of_the_batch():
    x = generator.standard_normal((4, 2, 5))
    g = mg.function("logdet(X'*X)", in_axes={"X": -1})
    np.testing.assert_array_equal(g.grad(x), f.grad(np.moveaxis(x, -1, 0)))
    with pytest.raises(mg.OperandError, match="X.*in_axes"):
        g.grad(np.eye(2))
    shared = mg.function("logdet(X'*X)", in_axes={"X": None})
    with pytest.raises(mg.OperandError, match="X.*in_axes says it is shared"):
        shared.grad(np.zeros((3, 2, 2)))
