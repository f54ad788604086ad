#include "expression/foreign_functions.hpp"

#include <algorithm>
#include <iterator>
#include <string>

namespace matgrad::detail {
namespace {

// clang-format off
constexpr ForeignFunction kFunctions[] = {
    {" expm expmat expm_multiply ",           "; the exponential of a matrix is not in the language, and exp(A) is that of each entry; tr(expm(A)) is nearly tr((eye(n) + A/64)^64)"},
    {" logm logmat ",                         "; the logarithm of a matrix is not in the language, and log(A) is that of each entry; tr(logm(A)) is logdet(A)"},
    {" sqrtm msqrt ",                         "; the root of a matrix is not in the language, and sqrt(A) is that of each entry; any R with R*R' in place of S, declared lower, may serve as one"},
    {" powm mpower matrix_power fractional_matrix_power ", "; the power of a square matrix is written A^3, with a whole exponent"},
    {" pinv pseudoinverse ginv ",             "; of A with independent columns it is inv(A'*A)*A', of A with independent rows A'*inv(A*A')"},
    {" lstsq lsq polyfit ",                   "; the least squares solution of A*x = b is inv(A'*A)*A'*b"},
    {" svd svdvals svds ",                    " and no singular values in the language; tr(A'*A) is the sum of their squares, logdet(A'*A)/2 that of their logarithms"},
    {" nuc nuclear nucnorm nuclear_norm ",    " and no singular values in the language; norm2(A) is the root of the sum of their squares"},
    {" eig eigh eigs eigvals eigvalsh eigen spectral_norm ", " and no eigenvalues in the language; tr(A) is their sum, det(A) their product, tr(A^2) the sum of their squares"},
    {" rank null orth cond condest ",         " in the language: it has no useful derivative"},
    {" qr lu ldl schur hess ",                " in the language; what is made of its factors can often be said with inv, logdet and the matrix itself"},
    {" vec flatten ravel ",                   "; vec(A)'*vec(B) is dot(A, B), and norm2(A) is norm2(vec(A))"},
    {" reshape unvec permute tile repeat repmat ", " in the language: shapes are those of the operands"},
    {" kron ",                                "; kron(B', A)*vec(X) is vec(A*X*B)"},
    {" hstack vstack concat cat stack block horzcat vertcat ", " in the language; sums over the blocks can be written as sums of products"},
    {" conv convolve fft ifft ",              " in the language"},
    {" cross outer ",                         "; the outer product is x*y'"},
    {" inner vdot ddot frobenius_inner ",     "; the inner product is dot(A, B) or x'*y"},
    {" matmul mm bmm mul gemm multi_dot ",    "; the product is written A*B"},
    {" multiply hadamard times ",             "; the product of each pair of entries is written A.*B"},
    {" divide rdivide mrdivide ",             "; the quotient of each pair of entries is written A./B"},
    {" add plus subtract minus neg negative ", "; it is written A + B, A - B or -A"},
    {" transpose ctranspose ",              "; the transpose is written A'"},
    {" power pow ",                           "; a power is written A^2 (of a square matrix) or A.^2 (of each entry)"},
    {" square sq ",                           "; it is written A.^2 (of each entry), t^2 of a scalar"},
    {" reciprocal recip rsqrt ",              "; it is written 1./A or A.^-0.5"},
    {" cbrt ",                                "; of entries that are not negative it is written A.^0.3333333333333333"},
    {" norm_squared sqnorm norm2sq sumsq ",   "; it is written norm2(A)^2"},
    {" frob fro frobenius normfro norm_fro ", "; it is written norm2(A)"},
    {" norminf norm_inf linfnorm ",           " in the language; norm1(A) and norm2(A) are"},
    {" l1 l1norm norm_1 ",                    "; it is written norm1(A)"},
    {" l2 l2norm norm_2 ",                    "; it is written norm2(A)"},
    {" lse log_sum_exp ",                     "; it is written logsumexp(A)"},
    {" lndet logabsdet log_det ",             "; it is written logdet(A)"},
    {" cot sec csc ",                         "; it is written 1./tan(A), 1./cos(A) or 1./sin(A)"},
    {" coth sech csch ",                      "; it is written 1./tanh(A), 1./cosh(A) or 1./sinh(A)"},
    {" asin arcsin ",                         "; it is written atan(A./sqrt(1 - A.^2))"},
    {" acos arccos ",                         "; it is written 1.5707963267948966 - atan(A./sqrt(1 - A.^2))"},
    {" atan2 arctan2 ",                       "; where B is positive atan2(A,B) is atan(A./B)"},
    {" sinc ",                                "; it is written sin(A)./A, and is 1 at 0"},
    {" log2 ",                                "; it is written log(A)/0.6931471805599453"},
    {" log10 ",                               "; it is written log(A)/2.302585092994046"},
    {" exp2 ",                                "; it is written exp(0.6931471805599453*A)"},
    {" betaln lbeta ",                        "; it is written lgamma(A) + lgamma(B) - lgamma(A + B)"},
    {" erfc ",                                "; it is written 1 - erf(A)"},
    {" erfinv erfcinv ppf norminv ",          " in the language"},
    {" logsigmoid log_sigmoid ",              "; it is written log(sigmoid(A)), which does not overflow"},
    {" expit invlogit ",                      "; it is written sigmoid(A)"},
    {" logit ",                               "; it is written log(A) - log(1 - A)"},
    {" logcosh ",                             "; it is written log(cosh(A))"},
    {" gelu ",                                "; it is written A.*(0.5 + 0.5*erf(0.7071067811865476*A))"},
    {" silu swish ",                          "; it is written A.*sigmoid(A)"},
    {" elu selu leaky_relu leakyrelu ",       "; it is made of relu(A) and relu(-A)"},
    {" hinge ",                               "; it is written relu(1 - A)"},
    {" sgn ",                                 "; it is written sign(A)"},
    {" logsoftmax log_softmax ",              "; that of a column is written x - logsumexp(x), of each row A - rowlogsumexp(A)"},
    {" std stddev ",                          "; it is written sqrt(var(A))"},
    {" cov corr ",                            " in the language; with C = X - colmean(X) the covariance of the columns is C'*C/rows(X)"},
    {" argmax ",                              "; isrowmax(A) is 1 at the first largest entry of each row, iscolmax(A) of each column"},
    {" rowmin colmin ",                       "; the smallest of each row are -rowmax(-A), of each column -colmax(-A)"},
    {" median mode quantile sort argsort argmin ", " in the language"},
    {" prod cumprod ",                        "; of positive entries it is written exp(sum(log(A)))"},
    {" diff ",                                "; it is a product with a matrix that is given"},
    {" floor ceil round fix mod rem ",        " in the language: its derivative is 0 or none"},
    {" amax amin ",                           " in the language; rowmax(A) and colmax(A) are of each row and column, max(A, B) of each pair of entries"},
    {" zeros zeros_like ",                    "; it is written 0*ones(m,n)"},
    {" ones_like full ",                      "; it is written ones(m,n)"},
    {" identity_matrix ",             "; the identity is written eye(n)"},
    {" rand randn random ",                   " in the language: its data are operands"},
    {" grad gradient jacobian hessian ",    " in the language; the command derives gradients, and --hvp gives Hessian-vector products"},
};
// clang-format on

}  // namespace

std::span<const ForeignFunction> foreign_functions() {
    return kFunctions;
}

std::string_view answer_for_function(std::string_view name) {
    const std::string word = " " + std::string(name) + " ";
    const auto* row = std::find_if(
        std::begin(kFunctions), std::end(kFunctions),
        [&](const ForeignFunction& f) { return f.names.find(word) != std::string_view::npos; });
    return row == std::end(kFunctions) ? std::string_view() : row->answer;
}

}  // namespace matgrad::detail
