// The canonical text, LaTeX and NumPy of expressions. The text of each row is what a person would
// write for the expression on its left.

#include <gtest/gtest.h>

#include "expression/build.hpp"
#include "message.hpp"
#include "support/cookbook.hpp"

namespace matgrad {
namespace {

struct PrintCase {
    const char* text;
    const char* printed;
    const char* declarations = "";
};

TEST(Text, IsCanonical) {
    const PrintCase cases[] = {
        // the four functions' gradients
        {"X*A'*A", "X*A'*A"},
        {"2*A'*(A*x-b)", "2*A'*(A*x - b)"},
        {"(B*A)'", "A'*B'"},
        {"X*inv(X'*X)*2", "2*X*inv(X'*X)"},
        // sums
        {"A+B-C", "A + B - C"},
        {"-A+B", "B - A"},
        {"-A-B+C", "C - A - B"},
        {"-A-B", "-A - B"},
        {"1 - A", "1 - A"},
        {"A-2*B", "A - 2*B"},
        {"-(A+B)", "-(A + B)"},
        {"2*(A+B)", "2*(A + B)"},
        {"(x-a)'*W*(x-a)", "(x - a)'*W*(x - a)"},
        {"x'*A' + b'", "x'*A' + b'"},
        {"(A*x + b)'", "(A*x + b)'"},
        {"A'+B'", "A' + B'"},
        {"(A+B)'", "(A + B)'"},
        {"(A.*B)'", "(A.*B)'"},
        {"(A.^2)'", "(A.^2)'"},
        {"exp(A)'*B", "exp(A)'*B"},
        // scalars spread over matrices
        {"A+1", "A + 1"},
        {"A - 1", "A - 1"},
        {"A + 2*t*ones(m,n)", "A + 2*t", "A=m,n t=1"},
        {"A - x'*x", "A - x'*x"},
        {"ones(m,n) + 1", "2*ones(m,n)"},
        {"3*ones(m,n)", "3*ones(m,n)"},
        {"A - A", "0*ones(m,n)"},
        {"eye(n) + 1", "eye(n) + 1"},
        // products and quotients
        {"A*2", "2*A"},
        {"-2*A", "-2*A"},
        {"A*-1", "-A"},
        {"(x-a)/norm2(x-a)", "(x - a)/norm2(x - a)"},
        {"1/norm2(x)", "1/norm2(x)"},
        {"-1/norm2(x)^2", "-1/norm2(x)^2"},
        {"2/s/t", "2/s/t", "s=1 t=1"},
        {"s*s", "s^2", "s=1"},
        {"s^0.5", "s^0.5", "s=1"},
        {"s^-0.5", "1/s^0.5", "s=1"},
        {"(s+t)^2", "(s + t)^2", "s=1 t=1"},
        {"(s^0.5)^0.5", "(s^0.5)^0.5", "s=1"},
        {"(x'*y)*A", "(x'*y)*A"},
        {"2*x'*y", "2*x'*y"},
        {"s*x'*y/t", "s*x'*y/t", "s=1 t=1"},
        {"(x'*y)^2", "(x'*y)^2"},
        {"A/(x'*y)", "A/(x'*y)"},
        {"x*y'", "x*y'"},
        // powers of matrices
        {"A*A", "A^2"},
        {"A*A*B*B*B*A", "A^2*B^3*A", "A=n,n B=n,n"},
        {"(A')^2", "A'^2"},
        {"inv(A)*inv(A)", "inv(A)^2"},
        {"(A+B)^2", "(A + B)^2"},
        {"(A^2)'", "A'^2"},
        {"(A^40)*(A^40)", "A^64*A^16", "A=n,n"},
        // entry by entry
        {"A.*B", "A.*B"},
        {"A.^2", "A.^2"},
        {"A./B", "A./B"},
        {"1./A", "1./A"},
        {"2./A", "2./A"},
        {"-3./A.^2", "-3./A.^2"},
        {"A.^-0.5", "1./A.^0.5"},
        {"2*A.*B", "2*A.*B"},
        {"s*A.*B./C/t", "s*A.*B./C/t", "s=1 t=1"},
        {"(A*B).*C", "(A*B).*C"},
        {"A*(B.*C)", "A*(B.*C)"},
        {"(A.*B)*C", "(A.*B)*C"},
        {"(A+B).*C", "(A + B).*C"},
        {"(A*B).^2", "(A*B).^2"},
        {"(A^2).^2", "(A^2).^2"},
        {"(A.^0.5).^0.5", "(A.^0.5).^0.5"},
        {"A'.^2", "A'.^2"},
        {"(1./A)*B", "(1./A)*B"},
        // functions
        {"dot(A,B)", "dot(A, B)"},
        {"sum(X)+norm1(X)+norm2(X)", "sum(X) + norm1(X) + norm2(X)"},
        {"diag(v)*diag(A)", "diag(v)*diag(A)"},
        {"diag(A)'", "diag(A)'"},
        {"inv(A)'", "inv(A)'"},
        {"eye(k)", "eye(k)"},
        {"ones(m,3)", "ones(m,3)"},
        {"rowsum(A)*colsum(B)", "rowsum(A)*colsum(B)"},
        {"sigmoid(exp(A))", "sigmoid(exp(A))"},
        // numbers
        {"0.1", "0.1"},
        {"1e-5", "1e-05"},
        {"100000", "100000"},
        {"1e20", "1e+20"},
        {"1/3", "1/3"},
        {"3/7*x.^2", "3/7*x.^2"},
        {"-3/7*x.^2", "-3/7*x.^2"},
        {"3*x.^2/7", "3/7*x.^2"},
        {"x'*y/3", "x'*y/3"},
        {"2*(x + y)/3/s", "2/3*(x + y)/s", "s=1"},
        {"A.*B/3 - C/7", "A.*B/3 - C/7"},
        {"A + 1/3", "A + 1/3"},
        {"s^(0.3333333333333333)/3", "s^0.3333333333333333/3", "s=1"},
        {"3.141592653589793*A", "3.141592653589793*A"},
        {"-2", "-2"},
        {"-0", "0"},
        {"(-2)^0.5", "(-2)^0.5"},
        {"1/0", "0^-1"},
    };
    for (const PrintCase& c : cases) {
        const Expr e = parse(c.text, parse_declarations(c.declarations));
        EXPECT_EQ(to_text(e), c.printed) << c.text;
        EXPECT_EQ(parse(to_text(e), symbols(e)), e) << c.text;
        EXPECT_EQ(to_text(parse(to_text(e), symbols(e))), c.printed) << c.text;
    }
}

TEST(Text, OfADifferentialIsDX) {
    const Expr x = parse("X");
    EXPECT_EQ(to_text(differential(x)), "dX");
    EXPECT_EQ(to_text(transpose(differential(x))), "dX'");
    EXPECT_EQ(to_text(differential(parse("X*A"))), "d(X*A)");
}

TEST(Latex, IsMathematics) {
    const PrintCase cases[] = {
        {"2*X*inv(X'*X)", R"(2 X (X^{\top} X)^{-1})"},
        {"inv(X)'", "X^{-\\top}"},
        {"2*A'*(A*x - b)", R"(2 A^{\top} (A x - b))"},
        {"(x-a)/norm2(x-a)", "\\frac{x - a}{\\left\\|x - a\\right\\|_{2}}"},
        {"norm2(X)^2", "\\left\\|X\\right\\|_{F}^{2}"},
        {"norm1(x) + norm1(X)",
         R"(\left\|x\right\|_{1} + \left\|\operatorname{vec}(X)\right\|_{1})"},
        {"logdet(X)", R"(\log\left|\det X\right|)"},
        {"det(X)*tr(X)", R"(\det(X) \operatorname{tr}(X))"},
        {"A.*B./C", "A \\odot B \\oslash C"},
        {"2./A", "2 \\oslash A"},
        {"A.^2", "A^{\\circ 2}"},
        {"A^3", "A^{3}"},
        {"(A+B)^3", "(A + B)^{3}"},
        {"dot(A,A)/2", R"(\frac{1}{2} \left\|A\right\|_{F}^{2})"},
        {"dot(x - y, x - y)", R"(\left\|x - y\right\|_{2}^{2})"},
        {"dot(A,B)", "\\left\\langle A, B \\right\\rangle"},
        {"eye(n) + 2*ones(n,n)", "I_{n} + 2"},
        {"2*ones(m,3)", "2 \\mathbf{1}_{m \\times 3}"},
        {"sqrt(t)*abs(s)", "\\sqrt{t} \\left|s\\right|", "s=1 t=1"},
        {"sqrt(A)", R"(A^{\circ 1/2})"},
        {"W_in*x_0*beta'", R"(W_{\mathrm{in}} x_{0} \beta^{\top})"},
        {"1e-7*A", "10^{-7} A"},
        {"2.5e-7*A", "2.5 \\cdot 10^{-7} A"},
        {"exp(-t)/t^2", R"(\frac{\exp(-t)}{t^{2}})", "t=1"},
        {"sigmoid(A)", R"(\sigma(A))"},
        {"2*10^400", "2 \\cdot 10^{400}"},
        {"-(x'*y)*A", R"(-(x^{\top} y) A)"},
        {"inv(X'*X)^2", R"((X^{\top} X)^{-2})"},
        {"inv(A)'^2", R"(A^{-2\top})"},
        {"0.5*x'*x", R"(\frac{1}{2} x^{\top} x)"},
        {"3*sum(x.^3)/7", R"(\frac{3}{7} \operatorname{sum}(x^{\circ 3}))"},
        {"0.1*A", "0.1 A"},
        {"(x - y)'*(x - y)/(2*s)", R"(\frac{(x - y)^{\top} (x - y)}{2 s})", "s=1"},
        {"(x'*y)/s", R"(\frac{x^{\top} y}{s})", "s=1"},
        {"(s + t)/(2*(s - t))", R"(\frac{s + t}{2 (s - t)})", "s=1 t=1"},
        {"s^0.5*x", R"(\sqrt{s} x)", "s=1"},
        {"s^1.5*x", R"(s^{3/2} x)", "s=1"},
        {"x/s^0.5", R"(\frac{x}{\sqrt{s}})", "s=1"},
        {"exp(x/s)", R"(\exp\left(\frac{x}{s}\right))", "s=1"},
        {"-A*x + b", "b - A x"},
        {"lambda*eye(n)", R"(\lambda I_{n})", "lambda=1"},
        {"rate*x_i", R"(\mathit{rate} x_{i})", "rate=1"},
        {"max(A, t)", R"(\max(A, t))", "t=1"},
        {"asinh(x) + lgamma(x)", R"(\operatorname{arsinh}(x) + \log\Gamma(x))"},
        {"normcdf(x) - polygamma(2, x)", R"(\Phi(x) - \psi^{(2)}(x))"},
        {"2*(A < B)", R"(2 \left[A < B\right])"},
        {"where(A <= t, A, 0)", R"(\operatorname{where}\left(\left[A \le t\right], A, 0\right))",
         "t=1"},
        {"x.^p + t^p", R"(x^{\circ p} + t^{p})", "p=1 t=1"},
        {"atan(x) + log1p(x)", R"(\arctan(x) + \operatorname{log1p}(x))"},
    };
    for (const PrintCase& c : cases) {
        EXPECT_EQ(to_latex(parse(c.text, parse_declarations(c.declarations))), c.printed) << c.text;
    }
}

TEST(Latex, SetsADifferentialOffFromWhatFollows) {
    const Expr dx = differential(parse("X"));
    EXPECT_EQ(to_latex(multiply(transpose(dx), parse("X"))), R"(\mathrm{d}X^{\top}\, X)");
    EXPECT_EQ(to_latex(multiply(transpose(parse("X")), dx)), R"(X^{\top} \mathrm{d}X)");
}

TEST(Numpy, WritesWhatAPersonWouldWrite) {
    const PrintCase cases[] = {
        {"2*X*inv(X'*X)", "2 * X @ np.linalg.inv(X.T @ X)"},
        {"2*A'*(A*x - b)", "2 * A.T @ (A @ x - b)"},
        {"a*b'", "np.outer(a, b)"},
        {"A*a*b'*B'", "np.outer(A @ a, b @ B.T)"},
        {"(a - b)*b'", "np.outer(a - b, b)"},
        {"a'*X*b", "a @ X @ b"},
        {"x'", "(x)[np.newaxis, :]"},
        {"tr(X)*eye(n)", "np.trace(X) * np.eye(X.shape[0])", "X=n,n"},
        {"2*sum(X)*ones(m,n)", "2 * np.sum(X) * np.ones((X.shape[0], X.shape[1]))", "X=m,n"},
        {"eye(k)", "np.eye(k)"},
        {"logdet(X)", "np.linalg.slogdet(X)[1]"},
        {"logsumexp(x)", "np.logaddexp.reduce(x, axis=None)"},
        {"softplus(x)", "np.logaddexp(0, x)"},
        {"sigmoid(x - y)", "np.exp(-np.logaddexp(0, -(x - y)))"},
        {"atan(X)", "np.arctan(X)"},
        {"erf(X - 1)", "scipy.special.erf(X - 1)"},
        {"scipy*X", "scipy_ * X", "scipy=1"},
        {"max(X, t)", "np.maximum(X, t)", "t=1"},
        {"min(X, Y)", "np.minimum(X, Y)"},
        {"lgamma(X) + lognormcdf(X)", "scipy.special.gammaln(X) + scipy.special.log_ndtr(X)"},
        {"polygamma(2, X)", "scipy.special.polygamma(2, X)"},
        {"2*normhazard(-X)", "2 * (np.sqrt(2 / np.pi) / scipy.special.erfcx((-X) / np.sqrt(2)))"},
        {"X > t", "np.less(t, X).astype(float)", "t=1"},
        {"where(X < Y, Z, 0)", "np.where(np.less(X, Y).astype(float), Z, 0)"},
        {"X.^p", "np.power(X, p)", "p=1"},
        {"X^5", "np.linalg.matrix_power(X, 5)"},
        {"t^0.5 + t^2", "np.power(t, 0.5) + t**2", "t=1"},
        {"lambda*np", "lambda_ * np_", "lambda=1 np=m,n"},
        {"r*X", "(r[0] @ X)[np.newaxis, :]", "r=1,n"},
        {"3/7*x", "3 / 7 * x"},
        {"-A*x + b", "b - A @ x"},
        // a chain goes from the vectors on
        {"x - W*W'*x", "x - W @ (W.T @ x)"},
        {"A*B*C*x", "A @ (B @ (C @ x))"},
        {"x'*A*B*C", "(x @ A @ B @ C)[np.newaxis, :]"},
        {"A*B*C", "A @ B @ C"},
        {"A*B*U*V'", "A @ (B @ U) @ V.T", "A=100,100 B=100,100 U=100,2 V=100,2"},
    };
    for (const PrintCase& c : cases) {
        EXPECT_EQ(to_numpy(parse(c.text, parse_declarations(c.declarations))), c.printed) << c.text;
    }
}

TEST(Numpy, FindsSizesInTheArraysAtHand) {
    const Declaration at_hand[] = {"X=m,n"};
    const Expr gradient = ones("m", "n");
    EXPECT_EQ(to_numpy(gradient), "np.ones((m, n))");
    EXPECT_EQ(to_numpy(gradient, at_hand), "np.ones((X.shape[0], X.shape[1]))");
    EXPECT_EQ(to_numpy(apply(Op::tril, gradient), at_hand),
              "np.tril(np.ones((X.shape[0], X.shape[1])))");
}

TEST(Numpy, WritesAFunctionThatComputesRepeatedPartsOnce) {
    EXPECT_EQ(to_numpy_function(parse("inv(A + X*X')*X - inv(A + X*X')^2*X"), "gradient"),
              "def gradient(A, X):\n"
              "    Y = np.linalg.inv(A + X @ X.T)\n"
              "    return Y @ X - np.linalg.matrix_power(Y, 2) @ X\n");
    const Declaration parameters[] = {"X=m,n", "lambda=1"};
    EXPECT_EQ(to_numpy_function(ones("m", "n"), "g", parameters),
              "def g(X, lambda_):\n"
              "    return np.ones((X.shape[0], X.shape[1]))\n");
    EXPECT_EQ(to_numpy_function(parse("(r*A + s).*exp(r*A + s)", {"r=1,n", "s=1,p"}), "g"),
              "def g(r, A, s):\n"
              "    y = r[0] @ A + s[0]\n"
              "    return (y * np.exp(y))[np.newaxis, :]\n");
}

TEST(Numpy, RefusesTheAtomsOfADerivation) {
    EXPECT_EQ(message_of<UnsupportedError>([] { return to_numpy(differential(parse("X"))); }),
              "the atom dX of a derivation has no NumPy text");
}

TEST(Cookbook, EveryRowParsesPrintsAndParsesAgain) {
    const std::vector<CookbookRow> rows = read_cookbook();
    ASSERT_EQ(rows.size(), 66U);
    for (const CookbookRow& row : rows) {
        for (const std::string& text : {row.f, row.gradient}) {
            const Expr e = parse(text, row.declarations);
            EXPECT_EQ(parse(to_text(e), symbols(e)), e) << row.equation << ": " << text;
        }
        EXPECT_TRUE(parse(row.f, row.declarations).shape().is_scalar()) << row.equation;
        const Shape shape = parse(row.gradient, row.declarations).shape();
        const Shape variable = parse(row.wrt, row.declarations).shape();
        // A gradient such as eye(n) names a dimension that only the variable's declaration knows.
        EXPECT_EQ(shape, variable) << row.equation;
    }
}

}  // namespace
}  // namespace matgrad
