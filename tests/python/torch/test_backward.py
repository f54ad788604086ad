"""Values and first derivatives."""

import json

import pytest

torch = pytest.importorskip("torch", minversion="2.6")

import matgrad  # noqa: E402
import matgrad.torch  # noqa: E402
from catalogue_in_torch import BY_HAND, ENTRIES, HANDFUL, CountedCalls, Problem, assert_close, some_shared  # noqa: E402


def test_every_function_of_the_catalogue_is_written_by_hand():
    assert set(BY_HAND) == set(ENTRIES)


@pytest.mark.parametrize("name", ENTRIES)
@pytest.mark.parametrize("batch", [(), (2,), (2, 3)])
def test_value_and_gradients_are_those_by_hand(name, batch):
    problem = Problem(name)
    for shared in {(), some_shared(problem)}:
        free = problem.free(batch, shared)
        value, expected = problem.ours(*free), problem.by_hand(*free)
        cotangent = torch.rand(expected.shape, dtype=torch.float64)
        assert_close(value, expected)
        assert_close(torch.autograd.grad(value, free, cotangent), torch.autograd.grad(expected, free, cotangent))


@pytest.mark.parametrize("name", ENTRIES)
def test_gradcheck(name):
    problem = Problem(name)
    free = problem.free((2,), some_shared(problem))
    assert torch.autograd.gradcheck(problem.ours, free, fast_mode=True, check_forward_ad=True)


@pytest.mark.full
@pytest.mark.parametrize("reduce", [None, "sum", "mean"])
@pytest.mark.parametrize("name", ENTRIES)
def test_gradcheck_of_every_entry(name, reduce):
    problem = Problem(name, reduce=reduce)
    for shared in {(), some_shared(problem), problem.names}:
        free = problem.free((2,), shared)
        assert torch.autograd.gradcheck(problem.ours, free, check_forward_ad=True)


@pytest.mark.parametrize("name", HANDFUL)
@pytest.mark.parametrize("reduce", ["sum", "mean"])
def test_reductions_are_those_of_tensors(name, reduce):
    problem = Problem(name, reduce=reduce)
    free = problem.free((3,), some_shared(problem))
    value, expected = problem.ours(*free), getattr(problem.by_hand(*free), reduce)()
    assert_close(value, expected)
    assert_close(torch.autograd.grad(value, free), torch.autograd.grad(expected, free))


@pytest.mark.parametrize(
    "name", [name if name in HANDFUL[:2] else pytest.param(name, marks=pytest.mark.full) for name in ENTRIES]
)
def test_opcheck(name):
    problem = Problem(name)
    for requires_grad in (False, True):
        free = problem.free((2,), some_shared(problem), requires_grad=False)
        operands = [operand.clone().requires_grad_(requires_grad) for operand in problem.operands(free)]
        for outputs in ((("value", "none"),), (("value", "sum"), (f"gradient {problem.names[0]}", "sum"))):
            key = problem.function.base._computation(tuple(text for text, _ in outputs)).key
            fields = json.loads(key)
            fields["outputs"] = [list(output) for output in outputs]
            for start in ("", "succeeded:"):
                torch.library.opcheck(torch.ops.matgrad.run.default, (operands, start + json.dumps(fields), 0))
    free = problem.free((2,), requires_grad=False)
    kept = [operand.expand(5, *operand.shape).contiguous() for operand in problem.operands(free)]
    torch.library.opcheck(torch.ops.matgrad.run.default, (kept, key, 1))


def test_any_strides():
    f = matgrad.torch.function("tr(A*X)")
    base = torch.randn(2, 3, 8, 6, dtype=torch.float64)
    A = torch.randn(3, 4, dtype=torch.float64)
    views = {
        "transposed": base[..., :3, :4].mT,
        "strided": base[..., ::2, :3],
        "batch swapped": base.transpose(0, 1)[..., :4, :3],
        "batch spread": base[:1, ..., :4, :3].expand(2, 3, 4, 3),
        "an axis spread": base[..., :4, :1].expand(2, 3, 4, 3),
    }
    for what, X in views.items():
        X = X.detach().requires_grad_()
        value, expected = f(A, X), torch.einsum("ij,...ji->...", A, X)
        assert_close(value, expected), what
        assert_close(torch.autograd.grad(value.sum(), X), torch.autograd.grad(expected.sum(), X))


def test_a_cotangent_without_strides():
    f = matgrad.torch.function("norm2(X)^2")
    X = torch.randn(3, 2, 2, requires_grad=True)
    f(X).sum().backward()  # the cotangent of a sum is one number seen three times
    assert_close(X.grad, 2 * X.detach())


def test_empty_batches_and_matrices():
    f = matgrad.torch.function("norm2(X)^2 + tr(A'*A)", wrt="X")
    A = torch.randn(2, 2, requires_grad=True)
    for shape in ((0, 3, 2), (2, 0, 2), (0, 2)):
        X = torch.randn(shape, requires_grad=True)
        value = f(X, A)
        assert value.shape == shape[:-2]
        value.sum().backward()
        assert X.grad.shape == shape
    # No problem: nothing is summed. Two problems of an empty X, and one: each counts A once.
    A.grad = None
    f(torch.empty(2, 0, 2), A).sum().backward()
    assert_close(A.grad, 4 * A.detach(), rtol=1e-6)


def test_the_number_of_problems_counts_where_nothing_batched_is_left():
    f = matgrad.torch.function("tr(A) + tr(X)", wrt="A", reduce="sum")
    A, X = torch.randn(2, 2, requires_grad=True), torch.randn(5, 3, 3)
    assert_close(torch.autograd.grad(f(A, X), A)[0], 5 * torch.eye(2))
    g = matgrad.torch.function("tr(A) + tr(X)", wrt="A")
    assert_close(torch.func.jvp(lambda A: g(A, X), (A.detach(),), (torch.eye(2),))[1], torch.full((5,), 2.0))
    # u*t + tr(X): after one derivative by t and one by u only the cotangent is left.
    h = matgrad.torch.function("u*t + tr(X)", wrt="t", declare=["t=1", "u=1"], reduce="sum")
    t, u = (torch.tensor(2.0, requires_grad=True) for _ in range(2))
    (first,) = torch.autograd.grad(h(u, t, X), t, create_graph=True)
    assert first == 5 * u
    assert torch.autograd.grad(first, u)[0] == 5


def test_only_what_requires_a_gradient_is_asked_for():
    f = matgrad.torch.function("norm2(A*x - b)^2", wrt="x")
    A, x, b = torch.randn(4, 3), torch.randn(3, requires_grad=True), torch.randn(4)
    with CountedCalls() as counted:
        f(A, x, b).backward()
    assert [json.loads(key)["outputs"] for key, _, _ in counted.calls] == [[["value", "none"]], [["gradient x", "sum"]]]


def test_no_graph_where_none_is_wanted():
    f = matgrad.torch.function("norm2(X)^2")
    X = torch.randn(2, 2, requires_grad=True)
    with torch.no_grad():
        assert not f(X).requires_grad
    assert not f(X.detach()).requires_grad
    assert f(X).requires_grad


def test_results_are_new_tensors():
    f = matgrad.torch.function("tr(A*X)", wrt=("A", "X"))
    A, X = torch.randn(2, 2, requires_grad=True), torch.randn(2, 2, requires_grad=True)
    f(A, X).backward()
    addresses = {tensor.data_ptr() for tensor in (A, X, A.grad, X.grad)}
    assert len(addresses) == 4


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_types_are_kept(dtype):
    f = matgrad.torch.function("logdet(X'*X)")
    X = torch.randn(4, 2, dtype=dtype, requires_grad=True)
    value, gradient = f.value_and_grad(X)
    assert value.dtype == gradient.dtype == dtype
    assert_close(f.grad(X), gradient)
    assert_close(torch.autograd.grad(f(X), X)[0], gradient, rtol=1e-6)


def test_gradients_are_those_of_a_function_of_arrays():
    problem = Problem("ridge", wrt=("x", "t"))
    operands = [operand.detach() for operand in problem.operands(problem.free((3,), ("x",)))]
    value, gradients = problem.function.value_and_grad(*operands)
    expected, theirs = problem.function.base.value_and_grad(*operands)
    assert torch.equal(value, expected)
    assert all(torch.equal(gradients[name], theirs[name]) for name in ("x", "t"))


def test_wrong_operands_are_named():
    f = matgrad.torch.function("norm2(A*x - b)^2", wrt="x")
    A, x, b = torch.randn(4, 3), torch.randn(3), torch.randn(4)
    for found, type_ in (("int64", torch.int64), ("complex64", torch.complex64), ("float16", torch.float16)):
        with pytest.raises(matgrad.OperandTypeError, match=f"'x': found {found}, expected float32 or float64"):
            f(A, x.to(type_), b)
    with pytest.raises(matgrad.OperandTypeError, match="'x': found float64, expected float32, as 'A' is"):
        f(A, x.double(), b)
    with pytest.raises(matgrad.OperandTypeError, match="'b': found list, expected a tensor"):
        f(A, x, [1.0])
    with pytest.raises(matgrad.OperandError, match="'b': found on meta, expected on cpu, as 'A' is"):
        f(A, x, b.to("meta"))
    with pytest.raises(matgrad.OperandError, match="'A': found 1 axes, expected at least 2"):
        f(x, x, b)
    with pytest.raises(matgrad.OperandTypeError, match="'A': found layout sparse_coo, expected a dense tensor"):
        f(A.to_sparse(), x, b)
    with pytest.raises(matgrad.OperandError, match="'b' is missing"):
        f(A, x)
    with pytest.raises(matgrad.OperandError, match="'c': not of this call"):
        f(A, x, b, c=b)
    with pytest.raises(matgrad.OperandError, match="'x' is given twice"):
        f(A, x, x=x, b=b)
    with pytest.raises(matgrad.OperandError, match="leading axes"):
        f(A.expand(2, 4, 3), x.expand(5, 3), b)
    with pytest.raises(matgrad.ShapeError, match="operand A is 4-by-3, operand x is 4-by-1"):
        f(A, b, b)
    for option in ({"on_failure": "raise"}, {"device": "cuda"}, {"convention": "free_entries"}):
        with pytest.raises(matgrad.OperandError, match=f"option '{next(iter(option))}'"):
            matgrad.torch.function("tr(A)", **option)
    with pytest.raises(matgrad.OperandError, match="wrt: expected the variables"):
        matgrad.torch.function("tr(A*X)").grad(x, x)


def test_numbers_stand_for_scalars():
    f = matgrad.torch.function("t*norm2(X)^2", declare="t=1", wrt="X")
    X = torch.randn(2, 2, dtype=torch.float64)
    assert f(2, X) == f(torch.tensor(2.0, dtype=torch.float64), X)
    assert f(t=2.0, X=X).dtype == torch.float64


def test_in_axes():
    f = matgrad.torch.function("norm2(X)^2", in_axes={"X": -1})
    X = torch.randn(3, 2, 5, dtype=torch.float64, requires_grad=True)
    value = f(X)
    assert_close(value, (X**2).sum((0, 1)))
    assert_close(torch.autograd.grad(value.sum(), X), (2 * X.detach(),))


def test_pickled_and_copied():
    import copy
    import pickle

    f = matgrad.torch.function("logdet(X'*X)", reduce="sum", capturable=True)
    X = torch.randn(3, 4, 2)
    for g in (pickle.loads(pickle.dumps(f)), copy.deepcopy(f)):
        assert repr(g) == repr(f)
        assert g._value_key == f._value_key
        assert torch.equal(g(X), f(X))


def test_capturable_is_in_the_key():
    f = matgrad.torch.function("logdet(X'*X)", capturable=True)
    keys = (f._value_key, f._grad_key, f._both_key)
    assert all(json.loads(key)["capturable"] is True for key in keys)
    with CountedCalls() as counted:
        f(torch.randn(4, 2, requires_grad=True)).backward()
    assert [json.loads(key)["capturable"] for key, _, _ in counted.calls] == [True, True]
    assert "capturable" not in json.loads(matgrad.torch.function("logdet(X'*X)")._value_key)


def test_unusual_tensors():
    """Views of other numbers, zeros without memory, tensors that a transform has left behind, subclasses."""
    f = matgrad.torch.function("norm2(X)^2")
    X = torch.randn(2, 2)
    left_behind = []
    torch.func.grad(lambda x: left_behind.append(x) or x.sum())(X)
    unusual = (
        torch.complex(X, X).conj().imag,
        torch.complex(X, X).real,
        torch._efficientzerotensor((2, 2)),
        left_behind[0],
        X.as_subclass(type("Subclass", (torch.Tensor,), {})),
        torch.nn.Parameter(X),
    )
    for tensor in unusual:
        assert_close(f(tensor).detach(), torch.sum(tensor * tensor).detach(), rtol=1e-6)


def test_a_profiler_sees_the_operator():
    f = matgrad.torch.function("norm2(X)^2")
    X = torch.randn(2, 2, requires_grad=True)
    with torch.autograd.profiler.profile() as profile:
        f(X).backward()
    assert sum(event.name == "matgrad::run" for event in profile.function_events) == 2


def test_threads_of_a_process():
    from concurrent.futures import ThreadPoolExecutor

    f = matgrad.torch.function("logdet(X'*X)")
    inputs = [torch.randn(3, 4, 2, dtype=torch.float64, requires_grad=True) for _ in range(16)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda X: torch.autograd.grad(f(X).sum(), X)[0], inputs))
    for X, gradient in zip(inputs, found, strict=True):
        assert_close(gradient, torch.autograd.grad(torch.logdet(X.mT @ X).sum(), X)[0])


def test_calls_on_a_gpu_are_those_of_the_processor():
    """The code that is for a GPU's tensors, given tensors that lie in host memory: shapes, order, success."""
    from matgrad.torch import _operator

    problem = Problem("log_det_gram")
    (X,) = problem.free((3,), requires_grad=False)
    X[1] = 0
    for start in ("", "succeeded:"):
        for key in (problem.function._value_key, problem.function._both_key):
            found = _operator.run_on_gpu([X], start + key, 0)
            expected = _operator.run_on_host([X], start + key, 0)
            torch.testing.assert_close(found, expected, rtol=0, atol=0, equal_nan=True)
    assert found[-1].tolist() == [1, 0, 1]
    kept = torch.stack([X, X])
    key = matgrad.torch.function("@log_det_gram", reduce="sum")._both_key
    torch.testing.assert_close(
        _operator.run_on_gpu([kept], key, 1), _operator.run_on_host([kept], key, 1), rtol=0, atol=0, equal_nan=True
    )


def test_positions_are_those_of_the_text_as_it_was_written():
    """The canonical form of this function has S before P."""
    f = matgrad.torch.function("-logdet(P) + tr(S*P)", declare=["P=n,n:spd", "S=n,n:sym"])
    assert f.operands == ("P", "S") and f.text.index("S") < f.text.index("P")
    P, S = torch.diag(torch.tensor([1.0, 2.0])).requires_grad_(), torch.diag(torch.tensor([3.0, 5.0]))
    f(P, S).backward()
    torch.testing.assert_close(P.grad, S - torch.linalg.inv(P.detach()))
