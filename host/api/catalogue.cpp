#include "matgrad/catalogue.hpp"

namespace matgrad {
namespace {

constexpr CatalogueEntry kCatalogue[] = {
    {"frobenius", "0.5*norm2(X*A')^2", "X", "X=m,n A=p,n",
     "half the squared Frobenius norm of X A'", "Matrix Cookbook 111"},
    {"least_squares", "norm2(A*x - b)^2", "x", "A=m,n x=n b=m", "the squared residual of A x = b",
     "Matrix Cookbook 84 with W = I"},
    {"bilinear_trace", "tr(A*X*B)", "X", "A=p,m X=m,n B=n,p", "a linear function of X",
     "Matrix Cookbook 101"},
    {"log_det_gram", "logdet(X'*X)", "X", "X=m,n", "log-volume of the columns of X (D-optimality)",
     "Matrix Cookbook 55"},
    {"weighted_least_squares", "sum(w.*(A*x - b).^2)", "x", "w=m A=m,n x=n b=m",
     "squared residuals, one weight each", "Matrix Cookbook 84 with W = diag(w)"},
    {"ridge", "norm2(A*x - b)^2 + t*norm2(x)^2", "x", "A=m,n x=n b=m t=1",
     "least squares with a squared penalty t", "Hoerl & Kennard 1970"},
    {"matrix_least_squares", "norm2(A*X - B)^2", "X", "A=m,n X=n,p B=m,p",
     "least squares with several right-hand sides", "Matrix Cookbook 119 with W = I"},
    {"logistic", "sum(softplus(-(y.*(A*x))))", "x", "y=m A=m,n x=n",
     "logistic loss of labels y = +1 or -1", "Hastie, Tibshirani & Friedman 2009, 4.4"},
    {"softmax_cross_entropy", "logsumexp(W*x) - dot(y, W*x)", "W", "W=k,n x=n y=k",
     "cross-entropy of softmax(W x) against y, which sums to 1", "Bishop 2006, 4.3.4"},
    {"poisson", "sum(exp(A*x)) - dot(y, A*x)", "x", "A=m,n x=n y=m",
     "Poisson regression with logarithmic link", "McCullagh & Nelder 1989, ch. 6"},
    {"gaussian_nll", "-logdet(P) + tr(S*P)", "P", "P=n,n:spd S=n,n:spd",
     "negative log-likelihood of precision P at sample covariance S",
     "Anderson 2003, 3.2; Matrix Cookbook 57, 100"},
    {"graphical_ridge", "-logdet(P) + tr(S*P) + t*norm2(P)^2", "P", "P=n,n:spd S=n,n:spd t=1",
     "the same with a squared penalty t", "Matrix Cookbook 57, 100, 115"},
    {"quadratic_form", "x'*A*x", "x", "x=n A=n,n", "a quadratic form, A need not be symmetric",
     "Matrix Cookbook 81"},
    {"quadratic", "0.5*x'*A*x - b'*x", "x", "x=n A=n,n:sym b=n",
     "the function whose stationary point solves A x = b", "Nocedal & Wright 2006, 5.1"},
    {"mahalanobis", "(x - c)'*inv(S)*(x - c)", "x", "x=n c=n S=n,n:spd",
     "squared distance from c in the metric of S", "Matrix Cookbook 85"},
    {"rayleigh_quotient", "(x'*A*x)/(x'*x)", "x", "x=n A=n,n:sym",
     "stationary at the eigenvectors of A", "Golub & Van Loan 2013, 8.2"},
    {"a_optimality", "tr(inv(X'*X))", "X", "X=m,n", "sum of the variances of a design",
     "Matrix Cookbook 64; Pukelsheim 2006, ch. 6"},
    {"matrix_factorization", "norm2(U*V' - A)^2", "U", "U=m,p V=n,p A=m,n",
     "squared error of a factorization of rank p", "Matrix Cookbook 119"},
    {"procrustes", "norm2(A*Q - B)^2", "Q", "A=m,n Q=n,n:orth B=m,n",
     "distance of A Q from B, Euclidean gradient", "Golub & Van Loan 2013, 6.4"},
    {"log_sum_exp", "logsumexp(A*x + b)", "x", "A=m,n x=n b=m",
     "a smooth maximum of affine functions", "Boyd & Vandenberghe 2004, 3.1.5"},
    {"log_barrier", "-sum(log(b - A*x))", "x", "b=m A=m,n x=n", "barrier of A x < b",
     "Boyd & Vandenberghe 2004, 11.2"},
    {"smooth_l1", "sum(sqrt((A*x - b).^2 + t))", "x", "A=m,n x=n b=m t=1",
     "absolute residuals, smoothed by t > 0", "Charbonnier et al. 1994"},
    {"perceptron_layer", "norm2(tanh(W*x + b) - y)^2", "W", "W=m,n x=n b=m y=m",
     "squared error of one tanh layer", "Bishop 2006, 5.3"},
};

}  // namespace

std::span<const CatalogueEntry> catalogue() {
    return kCatalogue;
}

const CatalogueEntry* find_in_catalogue(std::string_view name) {
    for (const CatalogueEntry& entry : kCatalogue) {
        if (entry.name == name) {
            return &entry;
        }
    }
    return nullptr;
}

}  // namespace matgrad
