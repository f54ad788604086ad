"""A problem that fails has NaN in what is its own, and harms nothing else."""

import pytest

torch = pytest.importorskip("torch", minversion="2.6")

import matgrad.torch  # noqa: E402
from catalogue_in_torch import assert_close  # noqa: E402

TEXT = "logdet(S) + norm2(A*S)^2"
BAD = 2


def operands():
    torch.manual_seed(0)
    S = torch.randn(5, 3, 3, dtype=torch.float64)
    S = S @ S.mT + torch.eye(3)
    S[BAD] = torch.diag(torch.tensor([1.0, -1.0, 1.0]))
    return S.requires_grad_(), torch.randn(2, 3, dtype=torch.float64, requires_grad=True)


def function(**options):
    return matgrad.torch.function(TEXT, wrt=("S", "A"), declare="S=n,n:spd", **options)


def good_ones(S):
    return torch.cat([S[:BAD], S[BAD + 1 :]]).detach().requires_grad_()


def only_bad_is_nan(tensor):
    bad = torch.isnan(tensor).flatten(1).all(1) if tensor.ndim > 1 else torch.isnan(tensor)
    return bad.tolist() == [k == BAD for k in range(5)] and torch.isnan(tensor).sum() == tensor[BAD].numel()


def test_value_and_own_gradients_are_nan_there_alone():
    f = function(expected_batch=5)
    S, A = operands()
    value = f(S, A)
    assert only_bad_is_nan(value)
    gradient = torch.autograd.grad(value[:BAD].sum() + value[BAD + 1 :].sum(), S)[0]
    assert only_bad_is_nan(gradient)
    good = good_ones(S)
    expected = torch.autograd.grad(f(good, A).sum(), good)[0]
    assert torch.equal(torch.cat([gradient[:BAD], gradient[BAD + 1 :]]), expected)


@pytest.mark.parametrize("reduce", ["sum", "mean"])
def test_gradients_leave_out_what_the_value_leaves_out(reduce):
    """By A alone no matrix is factored: nothing would fail there."""
    f = function(reduce=reduce)
    S, A = operands()
    S, good = S.detach(), good_ones(S).detach()
    expected = getattr(torch.logdet(good) + ((A @ good) ** 2).sum((-2, -1)), reduce)()
    first, theirs = (torch.autograd.grad(value, A, create_graph=True)[0] for value in (f(S, A), expected))
    assert_close(first, theirs)
    second, hand = (torch.autograd.grad(gradient.cos().sum(), A)[0] for gradient in (first, theirs))
    assert_close(second, hand)
    assert_close(torch.func.jvp(lambda A: f(S, A), (A.detach(),), (A.detach(),))[1], (theirs * A).sum().detach())


def test_masked_losses():
    """The usual loss: what failed is masked out, so that its cotangent is zero."""
    f = function()
    S, A = operands()
    value = f(S, A)
    loss = torch.where(torch.isnan(value), 0, value).sum()
    own, shared = torch.autograd.grad(loss, (S, A), create_graph=True)
    good = good_ones(S)
    expected = torch.logdet(good).sum() + ((A @ good) ** 2).sum()
    assert_close(loss, expected)
    assert only_bad_is_nan(own)
    assert_close(shared, torch.autograd.grad(expected, A, create_graph=True)[0])
    theirs = torch.autograd.grad(((A @ good) ** 2).sum(), A, create_graph=True)[0]
    assert_close(torch.autograd.grad(shared.sum(), A), torch.autograd.grad(theirs.sum(), A))


@pytest.mark.parametrize("reduce", ["sum", "mean"])
def test_reduced_values(reduce):
    f = function(reduce=reduce)
    S, A = operands()
    value = f(S, A)
    good = good_ones(S)
    expected = getattr(torch.logdet(good) + ((A @ good) ** 2).sum((-2, -1)), reduce)()
    assert_close(value, expected)
    own, shared = torch.autograd.grad(value, (S, A))
    theirs = torch.autograd.grad(expected, (good, A))
    assert only_bad_is_nan(own)
    assert_close(torch.cat([own[:BAD], own[BAD + 1 :]]), (theirs[0] + theirs[0].mT) / 2)
    assert_close(shared, theirs[1])


@pytest.mark.parametrize("reduce", [None, "sum", "mean"])
def test_mapped_over_a_batch_with_a_failure(reduce):
    """The batch inside is reduced for each of the mapped functions, without what failed."""
    f = function(reduce=reduce)
    S, A = operands()
    S, A = S.detach(), torch.stack([A.detach(), 2 * A.detach()])

    def loss(S, A):
        value = f(S, A)
        return torch.where(torch.isnan(value), 0, value).sum() if reduce is None else value

    found = torch.func.vmap(torch.func.grad(loss, (0, 1)), (None, 0))(S, A)
    for k in range(2):
        own, shared = torch.func.grad(loss, (0, 1))(S, A[k])
        assert only_bad_is_nan(found[0][k])
        torch.testing.assert_close(found[0][k], own, equal_nan=True)
        assert_close(found[1][k], shared)


def test_nothing_fails_twice():
    """A failure is told by the value, in eager and in compiled mode alike; a step of Adam without it goes on."""
    f = function()
    S, A = operands()
    assert torch.equal(torch.isnan(torch.compile(f, backend="aot_eager")(S, A)), torch.isnan(f(S, A)))


def test_all_problems_fail():
    f = function(reduce="sum")
    S = -torch.eye(3).expand(4, 3, 3).contiguous().requires_grad_()
    A = torch.randn(2, 3, requires_grad=True)
    value = f(S, A)
    own, shared = torch.autograd.grad(value, (S, A))
    assert value == 0
    assert torch.isnan(own).all()
    assert torch.equal(shared, torch.zeros(2, 3))


def test_a_shared_matrix_that_fails_fails_every_problem():
    f = matgrad.torch.function("x'*inv(S)*x", wrt="x", declare="S=n,n:spd")
    S, x = -torch.eye(3), torch.randn(4, 3, requires_grad=True)
    value = f(S=S, x=x)
    assert torch.isnan(value).all()
    assert torch.isnan(torch.autograd.grad(value.sum(), x)[0]).all()
