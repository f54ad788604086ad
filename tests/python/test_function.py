"""matgrad.function: text, gradients, calls, second derivatives, reductions, composition, failures."""

import pickle
import warnings

import numpy as np
import pytest

import matgrad as mg

generator = np.random.default_rng(3)


def test_texts():
    f = mg.function("logdet(X'*X)", wrt="X")
    assert f.gradient == "2*X*inv(X'*X)"
    assert f.text == "logdet(X'*X)" and f.operands == ("X",) and f.declarations == ("X=m,n",)
    assert "Matrix Cookbook 43" in str(f.derivation()) and "2*tr(inv(X'*X)*X'*dX)" in str(f.derivation())
    assert f.derivation().lines[-1].source == "cyclic permutation"
    assert f.latex() == r"\nabla_{X} f = 2 X (X^{\top} X)^{-1}"
    assert "<table>" in f.derivation()._repr_html_() and f._repr_latex_().startswith("$")
    names = {"np": np}
    exec(f.numpy(), names)
    x = generator.standard_normal((5, 2))
    np.testing.assert_allclose(f.grad(x), names["gradient_X"](x), rtol=1e-12)


def test_several_variables_have_gradients_by_name():
    f = mg.function("tr(A*X*B)", wrt=("X", "A"))
    assert f.gradient == {"X": "A'*B'", "A": "B'*X'"}
    a, x, b = (generator.standard_normal(s) for s in ((6, 3, 4), (6, 4, 5), (5, 3)))
    gradients = f.grad(a, x, b)
    np.testing.assert_allclose(gradients["X"], np.swapaxes(a, 1, 2) @ b.T, rtol=1e-13)
    np.testing.assert_allclose(gradients["A"], np.swapaxes(x @ b, 1, 2), rtol=1e-13)


def test_catalogue_names_and_expressions():
    f = mg.function("@gaussian_nll")
    assert f.wrt == ("P",) and f.declarations == ("P=n,n:spd", "S=n,n:spd")
    g = mg.function(-mg.logdet("P") + mg.tr(mg.expression("S") * "P"), wrt="P", declare=["P=n,n:spd", "S=n,n:spd"])
    assert g.gradient == f.gradient == "S - inv(P)"
    with pytest.raises(mg.NameError, match="'@nothing' is not in the catalogue: .*log_det_gram"):
        mg.function("@nothing")


def test_losses_compose():
    f = mg.function("0.5*norm2(x - V*u)^2", wrt=("V", "u"), reduce="sum") + 0.1 * mg.norm2("V") ** 2
    x, v, u = generator.standard_normal((7, 3)), generator.standard_normal((3, 2)), generator.standard_normal((7, 2))
    value, gradients = f.value_and_grad(x=x, V=v, u=u)
    r = x - u @ v.T
    np.testing.assert_allclose(value, np.sum(r * r) / 2 + 7 * 0.1 * np.sum(v * v), rtol=1e-13)
    np.testing.assert_allclose(gradients["V"], -r.T @ u + 7 * 0.2 * v, rtol=1e-12)
    np.testing.assert_allclose(gradients["u"], -r @ v, rtol=1e-12)
    doubled = 2 * mg.function("dot(x, x)") - mg.sum_("x")
    np.testing.assert_allclose(doubled.grad([1.0, 2.0]), [3, 7])
    assert (-mg.function("dot(x, x)")).value([2.0]) == -4


def test_losses_with_definitions_and_comments_compose():
    x = generator.standard_normal(4)
    f = mg.function("r = x - 1; dot(r, r)  # squared", wrt="x")
    g = mg.function("where(x <= 0, 0, x)'*x", wrt="x")
    expected = 2 * (2 * (x - 1)) - 2 * np.maximum(x, 0)
    np.testing.assert_allclose((2 * f + -g).grad(x), expected, rtol=1e-12)
    k = mg.function("@gaussian_process")
    operands = {"D": np.eye(3), "y": np.ones(3), "s": 1.0, "l": 2.0, "t": 0.5}
    np.testing.assert_allclose((3 * k).value(**operands), 3 * k.value(**operands), rtol=1e-14)


def test_reductions():
    f = mg.function("norm2(A*x - b)^2", wrt=("A", "x"))
    a, x, b = generator.standard_normal((3, 2)), generator.standard_normal((5, 2)), generator.standard_normal((5, 3))
    r = x @ a.T - b
    each = f.value_and_grad(a, x, b)
    np.testing.assert_allclose(each[1]["A"], 2 * r[:, :, None] * x[:, None, :], rtol=1e-12)
    total = f.with_options(reduce="sum").value_and_grad(a, x, b)
    np.testing.assert_allclose(total[1]["A"], 2 * r.T @ x, rtol=1e-12)
    np.testing.assert_allclose(total[1]["x"], each[1]["x"], rtol=1e-15)
    mean = f.with_options(reduce="mean").value_and_grad(a, x, b)
    np.testing.assert_allclose(mean[0], np.sum(r * r) / 5, rtol=1e-13)
    np.testing.assert_allclose(mean[1]["x"], each[1]["x"] / 5, rtol=1e-13)


def test_hessian_vector_products_with_cross_terms():
    f = mg.function("0.5*norm2(x - V*u)^2", wrt=("V", "u"))
    x, v, u = generator.standard_normal((4, 3)), generator.standard_normal((4, 3, 2)), generator.standard_normal((4, 2))
    dv, du = generator.standard_normal((4, 3, 2)), generator.standard_normal((4, 2))
    products = f.hvp(x, v, u, dv, du)
    h = 1e-6
    up, down = f.grad(x, v + h * dv, u + h * du), f.grad(x, v - h * dv, u - h * du)
    for name in ("V", "u"):
        np.testing.assert_allclose(products[name], (up[name] - down[name]) / (2 * h), rtol=1e-6, atol=1e-7)
    at = f.linearize(x=x, V=v, u=u)
    assert at.kept_bytes > 0 and "apply" in at.explain() + "apply"
    for name, product in at.hvp(dv, du).items():
        np.testing.assert_allclose(product, products[name], rtol=1e-12)
    by_name = f.hvp(x=x, V=v, u=u, V_dot=dv, u_dot=du)
    np.testing.assert_array_equal(by_name["u"], products["u"])


def test_a_linearization_of_a_sum_takes_the_direction_of_a_shared_variable():
    x, w, v = generator.standard_normal((7, 3)), generator.standard_normal(3), generator.standard_normal(3)
    expected = np.einsum("ki,k,kj,j->i", x, np.exp(x @ w), x, v)  # of the sum of exp(x'*w)
    summed = mg.function("exp(x'*w)", wrt="w", reduce="sum")
    np.testing.assert_allclose(summed.linearize(x=x, w=w).hvp(v), expected, rtol=1e-13)
    each = mg.function("exp(x'*w)", wrt="w").linearize(x=x, w=w).hvp(np.tile(v, (7, 1)))
    np.testing.assert_allclose(each.sum(axis=0), expected, rtol=1e-13)


def test_a_linearization_takes_numbers_and_lists_as_a_call_does():
    f = mg.function("0.5*k*norm2(w)^2", wrt="w", declare="k=1")
    np.testing.assert_allclose(f.linearize(k=3.0, w=[1.0, 2.0]).hvp([4.0, 5.0]), [12.0, 15.0], rtol=1e-15)


def test_directions_have_names_of_their_own():
    f = mg.function("norm2(X - X_dot)^2", wrt="X")
    x, y, d = (generator.standard_normal((2, 3, 2)) for _ in range(3))
    np.testing.assert_allclose(f.hvp(x, y, d), 2 * d, rtol=1e-13)


def test_failed_problems():
    x = generator.standard_normal((3, 4, 2))
    x[1, :, 0] = x[1, :, 1]
    f = mg.function("logdet(X'*X)", expected_batch=3)
    gradient = f.grad(x)
    assert np.isnan(gradient[1]).all()
    np.testing.assert_array_equal(gradient[[0, 2]], f.grad(x[[0, 2]]))
    status = np.empty(3, np.int32)
    f.grad(x, status=status)
    assert mg.succeeded(status).tolist() == [True, False, True]
    assert mg.status_text(status[1]).startswith(("not positive at pivot 2", "ill-conditioned"))
    with pytest.warns(mg.FailureWarning, match="1 of 3 problems failed, the first is problem 1: "):
        f.with_options(on_failure="warn").grad(x)
    with pytest.raises(mg.FailedProblems, match="1 of 3") as caught:
        f.with_options(on_failure="raise").value(x)
    assert caught.value.status.tolist() == status.tolist() and isinstance(caught.value, ArithmeticError)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        f.grad(x)


def test_evaluate_has_conditions_and_error_bounds():
    x = generator.standard_normal((20, 6, 3))
    f = mg.function("logdet(X'*X)")
    results = f.evaluate(X=x, rcond=True, error=True)
    exact = 2 * x @ np.linalg.inv(np.swapaxes(x, 1, 2) @ x)
    error = np.linalg.norm(results.gradient - exact, axis=(1, 2)) / np.linalg.norm(exact, axis=(1, 2))
    assert (error <= results.errors["gradient X"] + 1e-15).all() and results.failed == 0
    gram = np.swapaxes(x, 1, 2) @ x
    true = 1 / (np.linalg.norm(gram, 1, axis=(1, 2)) * np.linalg.norm(np.linalg.inv(gram), 1, axis=(1, 2)))
    assert (results.rcond <= 1).all() and (results.rcond >= true / 10).all() and (results.rcond <= true * 10).all()


def test_check():
    report = mg.function("logdet(X'*X)").check(generator.standard_normal((5, 4, 2)))
    assert report and report.problems == 5 and {o[0] for o in report.outputs} == {"value", "gradient X"}
    assert str(report).endswith(": ok")


def test_pickles():
    f = mg.function("norm2(A*x - b)^2", wrt="x", reduce="sum", accuracy="fast")
    again = pickle.loads(pickle.dumps(f))
    assert again.text == f.text and again.options == f.options and again.wrt == ("x",)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: mg.function("logdet(X'*X"), mg.ParseError, "never closed"),
        (lambda: mg.function("X*Y", wrt="X"), mg.ShapeError, "expected a scalar"),
        (lambda: mg.function("dot(x, y)", wrt="z"), mg.NameError, "'z'.*x, y"),
        (lambda: mg.function("dot(x, y)", wrt=("x", "x")), mg.NameError, "twice"),
        (lambda: mg.function("dot(x, y)"), mg.OperandError, "wrt: expected the variables, some of x, y"),
        (lambda: mg.function("dot(x, x)", reduce="max"), mg.OperandError, "reduce: found 'max'"),
        (lambda: mg.function("dot(x, x)", accuracy="best"), mg.CallerError, "accuracy: found 'best'"),
        (lambda: mg.function("dot(x, x)", on_failure="stop"), mg.OperandError, "on_failure: found 'stop'"),
        (lambda: mg.function("dot(x, x)", speed="high"), TypeError, "speed"),
        (lambda: mg.function("dot(x, x)", in_axes={"y": 0}), mg.NameError, "in_axes: found 'y'"),
        (lambda: mg.function("dot(x, x)", device="gpu"), mg.OperandError, "gpu"),
        (lambda: mg.function("dot(x, x)", threads=-1), mg.OperandError, "threads: found -1"),
        (lambda: mg.function("dot(x, x)", threads="two"), mg.OperandError, "threads: found 'two'"),
        (lambda: mg.function("dot(x, x)", expected_batch="x"), mg.OperandError, "expected_batch: found 'x'"),
        (lambda: mg.norm2("x") + object(), mg.OperandTypeError, "found object, expected an expression"),
        (lambda: mg.function(123), mg.OperandTypeError, "text: found int"),
        (lambda: mg.function("dot(x, x)", wrt=5), mg.OperandTypeError, "wrt: found int"),
        (lambda: mg.function("dot(x, x)", declare=[5]), mg.OperandTypeError, "declare: found int"),
        (lambda: mg.function(float("inf") * mg.norm2("x")), mg.CallerError, "found inf, expected a finite number"),
        (lambda: mg.function("dot(x, x)").grad([[1.0, 2.0], [3.0]]), mg.OperandTypeError, "operand 'x': setting"),
        (lambda: mg.function("dot(x, x)").grad([10**400]), mg.OperandTypeError, "operand 'x': .*too large"),
        (lambda: mg.function("dot(x, x)", wrt=()).grad([1.0]), mg.OperandError, "no variable"),
    ],
)
def test_mistakes(make, error, message):
    with pytest.raises(error, match=message) as caught:
        make()
    assert isinstance(caught.value, (ValueError, TypeError))


def test_parse_errors_have_a_place():
    with pytest.raises(mg.ParseError) as caught:
        mg.function("logdet(X'*X")
    assert caught.value.position == 6 and str(caught.value).splitlines()[-1].endswith("^")


def test_every_public_name_is_documented():
    for name in mg.__all__:
        thing = getattr(mg, name)
        assert isinstance(thing, str) or thing.__doc__, name
