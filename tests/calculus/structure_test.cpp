// Variables with a declared structure, and the convention for symmetric ones.

#include <gtest/gtest.h>

#include "support/check_gradient.hpp"
#include "support/cookbook.hpp"

namespace matgrad {
namespace {

std::string gradient_text(const char* f, const char* declarations, Convention convention) {
    return to_text(differentiate(parse(f, parse_declarations(declarations)), "X", convention));
}

TEST(Structure, SymmetricGradientIsProjected) {
    EXPECT_EQ(gradient_text("tr(A*X)", "A=n,n X=n,n:sym", Convention::projected), "0.5*(A' + A)");
    EXPECT_EQ(gradient_text("logdet(X)", "X=n,n:spd", Convention::projected), "inv(X)");
}

TEST(Structure, FreeEntriesCountEachOffDiagonalPairOnce) {  // Matrix Cookbook 138, 141
    EXPECT_EQ(gradient_text("logdet(X)", "X=n,n:spd", Convention::free_entries),
              "2*inv(X) - diag(diag(inv(X)))");
    EXPECT_EQ(gradient_text("tr(A*X)", "A=n,n X=n,n:sym", Convention::free_entries),
              "A' + A - diag(diag(A))");
}

TEST(Structure, DiagonalAndTriangularVariablesKeepTheirPart) {
    EXPECT_EQ(gradient_text("tr(A*X)", "A=n,n X=n,n:diag", Convention::projected), "diag(diag(A))");
    EXPECT_EQ(gradient_text("tr(A*X)", "A=n,n X=n,n:lower", Convention::projected), "tril(A')");
    EXPECT_EQ(gradient_text("tr(A*X)", "A=n,n X=n,n:upper", Convention::projected), "triu(A')");
    EXPECT_EQ(gradient_text("tr(A*X)", "A=n,n X=n,n:orth", Convention::projected), "A'");
}

TEST(Structure, GradientIsTheDifferentialWithinTheStructure) {
    for (const char* structure : {"sym", "spd", "diag", "lower", "upper"}) {
        const auto declarations = parse_declarations(std::string("A=n,n B=n,n X=n,n:") + structure);
        for (const char* f : {"tr(A*X*B*X)", "sum(exp(X).*A)", "tr(A*inv(X)*B)", "logdet(X)"}) {
            const Expr e = parse(f, declarations);
            expect_gradient(e, "X", differentiate(e, "X"), 1e-10);
        }
    }
}

TEST(Structure, FreeEntriesAreTheDerivativesByTheFreeEntries) {
    const auto declarations = parse_declarations("A=n,n B=n,n X=n,n:sym");
    const Expr f = parse("tr(A*X*B*X)", declarations);
    const Sizes sizes = distinct_sizes(declarations);
    const MatrixMap values = random_values(declarations, sizes, 3);
    const Eigen::MatrixXd g =
        evaluate_reference(differentiate(f, "X", Convention::free_entries), values, sizes);
    for (Eigen::Index i = 0; i < g.rows(); ++i) {
        for (Eigen::Index j = 0; j <= i; ++j) {  // x_ij and x_ji are one entry
            MatrixMap move;
            move["X"] = Eigen::MatrixXd::Zero(g.rows(), g.cols());
            move["X"](i, j) = move["X"](j, i) = 1;
            const double df = evaluate_differential(f, values, move, sizes).differential(0, 0);
            EXPECT_NEAR(g(i, j), df, 1e-12 * (1 + std::abs(df)));
        }
    }
}

TEST(Structure, ConstantOrthogonalInverseIsItsTranspose) {
    EXPECT_EQ(gradient_text("tr(inv(Q)*X)", "Q=n,n:orth X=n,n", Convention::projected), "Q");
}

}  // namespace
}  // namespace matgrad
