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
        {"-A+B", "-A + B"},
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
        {"1/3", "0.3333333333333333"},
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
        {"2*X*inv(X'*X)", "2 X \\left(X^{\\top} X\\right)^{-1}"},
        {"inv(X)'", "X^{-\\top}"},
        {"2*A'*(A*x - b)", "2 A^{\\top} \\left(A x - b\\right)"},
        {"(x-a)/norm2(x-a)", "\\frac{x - a}{\\left\\|x - a\\right\\|_{2}}"},
        {"norm2(X)^2", "\\left\\|X\\right\\|_{F}^{2}"},
        {"norm1(x) + norm1(X)",
         "\\left\\|x\\right\\|_{1} + \\left\\|\\operatorname{vec}\\left(X\\right)\\right\\|_{1}"},
        {"logdet(X)", "\\log\\left|\\det\\left(X\\right)\\right|"},
        {"det(X)*tr(X)", "\\det\\left(X\\right) \\operatorname{tr}\\left(X\\right)"},
        {"A.*B./C", "A \\odot B \\oslash C"},
        {"2./A", "2 \\oslash A"},
        {"A.^2", "A^{\\circ 2}"},
        {"A^3", "A^{3}"},
        {"(A+B)^3", "\\left(A + B\\right)^{3}"},
        {"dot(A,B)", "\\left\\langle A, B \\right\\rangle"},
        {"eye(n) + 2*ones(n,n)", "I_{n} + 2"},
        {"2*ones(m,3)", "2 \\mathbf{1}_{m \\times 3}"},
        {"sqrt(t)*abs(s)", "\\sqrt{t} \\left|s\\right|", "s=1 t=1"},
        {"sqrt(A)", "\\operatorname{sqrt}\\left(A\\right)"},
        {"W_in*x_0*beta'", "W_{\\mathrm{in}} x_{\\mathrm{0}} \\mathit{beta}^{\\top}"},
        {"1e-7*A", "10^{-7} A"},
        {"2.5e-7*A", "2.5 \\cdot 10^{-7} A"},
        {"exp(-t)/t^2", "\\frac{\\exp\\left(-t\\right)}{t^{2}}", "t=1"},
        {"sigmoid(A)", "\\sigma\\left(A\\right)"},
        {"2*10^400", "2 \\cdot 10^{400}"},
        {"-(x'*y)*A", "-\\left(x^{\\top} y\\right) A"},
        {"max(A, t)", R"(\max\left(A, t\right))", "t=1"},
        {"atan(x) + log1p(x)", R"(\arctan\left(x\right) + \operatorname{log1p}\left(x\right))"},
    };
    for (const PrintCase& c : cases) {
        EXPECT_EQ(to_latex(parse(c.text, parse_declarations(c.declarations))), c.printed) << c.text;
    }
}

TEST(Numpy, WritesWhatAPersonWouldWrite) {
    const PrintCase cases[] = {
        {"2*X*inv(X'*X)", "2 * X @ np.linalg.inv(X.T @ X)"},
        {"2*A'*(A*x - b)", "2 * A.T @ (A @ x - b)"},
        {"a*b'", "np.outer(a, b)"},
        {"A*a*b'*B'", "np.outer(A @ a, b @ B.T)"},
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
        {"X^5", "np.linalg.matrix_power(X, 5)"},
        {"t^0.5 + t^2", "np.power(t, 0.5) + t**2", "t=1"},
        {"lambda*np", "lambda_ * np_", "lambda=1 np=m,n"},
        {"r*X", "(r[0] @ X)[np.newaxis, :]", "r=1,n"},
    };
    for (const PrintCase& c : cases) {
        EXPECT_EQ(to_numpy(parse(c.text, parse_declarations(c.declarations))), c.printed) << c.text;
    }
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
