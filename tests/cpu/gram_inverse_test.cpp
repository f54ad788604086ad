/// Solves with the factor of a Gram matrix that become a product: which ones do, and that the results stay what they are.

#include "cpu/gram_inverse.hpp"

#include <gtest/gtest.h>

#include <variant>

#include "executors/build_program.hpp"
#include "program/uses.hpp"
#include "program/verify.hpp"

namespace matgrad::test {
namespace {

struct Wanted {
    std::int64_t m = 20, n = 5;
    bool left = false;         ///< inv(X X') X, of n-by-m X, in place of X inv(X'X)
    bool of_other = false;     ///< the right-hand side is another operand
    bool factor_read = false;  ///< the first solve is a result too
    ScalarType type = ScalarType::float32;
    bool with_root = false;
};

Program solves(const Wanted& wanted) {
    ProgramBuilder build(wanted.type);
    const std::int64_t rows = wanted.left ? wanted.n : wanted.m;
    const std::int64_t cols = wanted.left ? wanted.m : wanted.n;
    const ValueId x = build.operand("X", rows, cols, true);
    const ValueId b = wanted.of_other ? build.operand("B", rows, cols, true) : x;
    const ValueId g = build.value(wanted.n, wanted.n);
    const Use of_gram = wanted.left ? use(x) : use_transposed(x);
    build.step(Syrk{of_gram, 1, false}, g);
    Potrf potrf{use(g)};
    if (wanted.with_root) {
        potrf.root = wanted.left ? use_transposed(x) : use(x);
    }
    const ValueId l = build.value(wanted.n, wanted.n);
    build.step(potrf, l);
    const Side side = wanted.left ? Side::left : Side::right;
    const ValueId half = build.value(rows, cols);
    build.step(Trsm{side, true, !wanted.left, use(l), use(b), 3}, half);
    const ValueId out = build.value(rows, cols);
    build.step(Trsm{side, true, wanted.left, use(l), use(half), 2}, out);
    build.output(out);
    if (wanted.factor_read) {
        build.output(half);
    }
    return build.finish();
}

int products(const Program& program) {
    int count = 0;
    for (const Step& step : program.steps) {
        count += std::holds_alternative<Gemm>(step.operation) ? 1 : 0;
    }
    return count;
}

TEST(GramInverse, ReplacesBothSolvesOfTheRoot) {
    for (const bool left : {false, true}) {
        const Program program = detail::with_gram_inverses(solves({.left = left}));
        ASSERT_EQ(program.steps.size(), 5U);
        const auto* inverse = std::get_if<Trsm>(&program.steps[2].operation);
        ASSERT_NE(inverse, nullptr);
        EXPECT_FALSE(is_present(inverse->b));
        EXPECT_TRUE(std::holds_alternative<Syrk>(program.steps[3].operation));
        const auto* product = std::get_if<Gemm>(&program.steps[4].operation);
        ASSERT_NE(product, nullptr);
        EXPECT_EQ(product->alpha, 6);
        EXPECT_EQ((left ? product->b : product->a).value, program.operands[0].value);
        EXPECT_TRUE(find_faults(program, Stage::scoped).empty());
    }
}

TEST(GramInverse, LeavesAloneWhatWouldLose) {
    // Another right-hand side may be small where the inverse is large.
    EXPECT_EQ(products(detail::with_gram_inverses(solves({.of_other = true}))), 0);
    // The factor of double data comes from the root where its condition asks for it.
    EXPECT_EQ(products(detail::with_gram_inverses(
                  solves({.type = ScalarType::float64, .with_root = true}))),
              0);
    // The first solve is wanted for itself; or there are fewer right-hand sides than the inverse has columns.
    EXPECT_EQ(products(detail::with_gram_inverses(solves({.factor_read = true}))), 0);
    EXPECT_EQ(products(detail::with_gram_inverses(solves({.m = 4, .n = 5}))), 0);
    // Where double is not made better either, nothing is lost.
    EXPECT_EQ(products(detail::with_gram_inverses(solves({.type = ScalarType::float64}))), 1);
}

}  // namespace
}  // namespace matgrad::test
