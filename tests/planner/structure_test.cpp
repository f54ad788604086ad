// factor_kind and factor_sums: what expressions tell the planner before anything is lowered.

#include "planner/structure.hpp"

#include <gtest/gtest.h>

#include "planner/factoring.hpp"
#include "planner/plan_support.hpp"

namespace matgrad::testing {
namespace {

const std::vector<std::string> kDeclared{
    "X=m,n", "Y=n,n", "S=n,n:spd", "W=n,n:sym", "T=n,n:lower", "D=n,n:diag", "A=n,n", "b=n", "c=n"};

Expr parsed(const std::string& text) {
    std::vector<Declaration> declarations;
    for (const std::string& d : kDeclared) {
        declarations.push_back(parse_declaration(d));
    }
    return parse(text, declarations);
}

TEST(Structure, DecidesTheFactorization) {
    const std::pair<const char*, LinkKind> rows[] = {
        {"X'*X", LinkKind::cholesky},
        {"S", LinkKind::cholesky},
        {"S + X'*X", LinkKind::cholesky},
        {"2*S", LinkKind::cholesky},
        {"X*S*X'", LinkKind::cholesky},
        {"eye(n) + A*A'", LinkKind::cholesky},
        {"W", LinkKind::lu},
        {"Y", LinkKind::lu},
        {"W + X'*X", LinkKind::lu},
        {"S - X'*X", LinkKind::lu},
        {"-X'*X", LinkKind::lu},
        {"Y*Y", LinkKind::lu},
        {"T", LinkKind::triangular},
        {"T'", LinkKind::triangular},
        {"D", LinkKind::diagonal},
        {"diag(b)", LinkKind::diagonal},
    };
    for (const auto& [text, kind] : rows) {
        EXPECT_EQ(factor_kind(parsed(text)), kind) << text;
    }
}

TEST(Factoring, PullsCommonEndsOutWhereThatSavesWork) {
    // Each factor counts 100 operations, each product of two or more that much a factor.
    const ProductCost cost = [](std::span<const Expr> factors) {
        return factors.size() < 2 ? 0.0 : 100.0 * static_cast<double>(factors.size() - 1);
    };
    const std::pair<const char*, const char*> rows[] = {
        {"A*Y + A'*Y", "(A + A')*Y"},         {"A*Y + A*Y'", "A*(Y + Y')"},
        {"2*A*Y - 3*S*Y", "(2*A - 3*S)*Y"},   {"A*Y*S + A*W*S", "A*(Y + W)*S"},
        {"exp(A*Y + S*Y)", "exp((A + S)*Y)"}, {"A*Y + Y*A", "A*Y + Y*A"},
        {"(A + S)*Y", "(A + S)*Y"},
    };
    for (const auto& [text, expected] : rows) {
        EXPECT_EQ(to_text(factor_sums(parsed(text), cost)), to_text(parsed(expected))) << text;
    }
}

TEST(Factoring, LeavesOuterProductsThatAreCheaperAsTheyAre) {
    const Problem p{{"Y*b*c' + Y*c*b'"}, {"Y=n,n", "b=n", "c=n"}, {{"n", 20}}, {}};
    const Program program = program_for(p);
    for (const Step& s : steps_of<Gemm>(program)) {
        EXPECT_EQ(program.value(s.out).cols.size, 1) << "products with vectors only";
    }
}

}  // namespace
}  // namespace matgrad::testing
