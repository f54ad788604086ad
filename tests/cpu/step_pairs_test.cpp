// Which products run together, so that a large matrix is read once.

#include "cpu/plain/step_pairs.hpp"

#include <gtest/gtest.h>

#include "executors/build_program.hpp"

namespace matgrad::test {
namespace {

/// y = A x + b, something between, z = A' y.
struct LeastSquares {
    ProgramBuilder build{ScalarType::float64};
    ValueId a, x, early, y, between, z;

    explicit LeastSquares(std::int64_t rows, std::int64_t cols = 200)
        : a(build.operand("A", rows, cols, true)),
          x(build.value(cols, 1)),
          early(build.value(cols, 1)),
          y(build.value(rows, 1)),
          between(build.value(cols, 1)),
          z(build.value(cols, 1)) {
        const ValueId given = build.operand("x", cols, 1, true);
        build.step(Copy{use(given)}, x);
        build.step(Copy{use(given)}, early);
        build.step(Gemm{use(a), use(x), 1, 0, {}}, y);
        build.step(Copy{use(early)}, between);
        build.step(Gemm{use_transposed(a), use(y), 1, 0, {}}, z);
        build.output(z);
    }
    [[nodiscard]] std::vector<int> pairs() {
        const Program program = build.finish();
        std::vector<const Step*> steps;
        for (const Step& step : program.steps) {
            steps.push_back(&step);
        }
        return detail::find_step_pairs(program, steps);
    }
};

const std::vector<int> kPaired = {-1, -1, 4, -1, -1};
const std::vector<int> kApart = {-1, -1, -1, -1, -1};

TEST(StepPairs, AreFoundWhereTheMatrixIsLarge) {
    EXPECT_EQ(LeastSquares(1000).pairs(), kPaired);
    EXPECT_EQ(LeastSquares(100).pairs(), kApart);
}

TEST(StepPairs, AreNotMadeWhereTheSecondWritesOverTheFirstsOperand) {
    LeastSquares f(1000);
    f.build.share_memory(f.z, f.x);
    EXPECT_EQ(f.pairs(), kApart);
}

TEST(StepPairs, AreNotMadeWhereTheSecondWritesOverWhatIsReadBetween) {
    LeastSquares f(1000);
    f.build.share_memory(f.z, f.early);
    EXPECT_EQ(f.pairs(), kApart);
}

TEST(StepPairs, AreNotMadeWhereTheSecondReadsAStepBetween) {
    ProgramBuilder build(ScalarType::float64);
    const ValueId a = build.operand("A", 1000, 200, true);
    const ValueId x = build.operand("x", 200, 1, true);
    const ValueId y = build.value(1000, 1);
    const ValueId between = build.value(200, 1);
    const ValueId z = build.value(200, 1);
    build.step(Gemm{use(a), use(x), 1, 0, {}}, y);
    build.step(Copy{use(x)}, between);
    build.step(Gemm{use_transposed(a), use(y), 1, 1, use(between)}, z);
    build.output(z);
    const Program program = build.finish();
    EXPECT_EQ(
        detail::find_step_pairs(program, {&program.steps[0], &program.steps[1], &program.steps[2]}),
        (std::vector<int>{-1, -1, -1}));
}

}  // namespace
}  // namespace matgrad::test
