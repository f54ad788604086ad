/// Reductions of domains that are large enough to be reduced in two stages.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "cuda/device_run.hpp"
#include "executors/build_program.hpp"

namespace matgrad::test {
namespace {

constexpr double kScale = -0.5;

struct Domain {
    std::int64_t rows, cols;
    const char* route;
};

/// Rows first, columns first where there are too many rows, and one stage for what is too narrow.
constexpr Domain kDomains[] = {{300, 230, "reduce kernel of parts, reduce kernel"},
                               {8, 8192, "reduce kernel of parts, reduce kernel"},
                               {70000, 9, "reduce kernel of parts, reduce kernel"},
                               {70000, 1, "reduce kernel"},
                               {255, 257, "reduce kernel"}};

Program reduction(ScalarType type, const Domain& d, ReduceOp op) {
    ProgramBuilder build(type);
    const ValueId x = build.operand("X", d.rows, d.cols, true);
    const ValueId out = build.value(1, 1);
    build.step(
        Reduce{op,
               ReduceOver::all,
               {"m", d.rows},
               {"n", d.cols},
               {{{use(x), Broadcast::none}}, {{MapOp::load, 0, -1, 0}, {MapOp::offset, 0, -1, 1}}},
               kScale,
               {}},
        out);
    build.output(out);
    return build.finish();
}

class LargeDomain : public testing::TestWithParam<ScalarType> {
protected:
    static constexpr std::int64_t kBatch = 2;

    /// The results of both problems.
    static Matrices reduced(const Domain& d, ReduceOp op, const Matrices& x) {
        const auto executor = module_under_test().make_executor(reduction(GetParam(), d, op), {});
        EXPECT_NE(executor->explain().find(std::string(": ") + d.route + "\n"), std::string::npos)
            << executor->explain();
        Matrices out(GetParam(), kBatch, 1, 1);
        run_on_device(*executor, kBatch, {&x}, {&out});
        return out;
    }
};

INSTANTIATE_TEST_SUITE_P(Types, LargeDomain, testing::ValuesIn(kTypes), [](const auto& test) {
    return std::string(test.param == ScalarType::float32 ? "Float" : "Double");
});

TEST_P(LargeDomain, IsSummedOverEveryEntryOnce) {
    for (const Domain& d : kDomains) {
        Matrices x(GetParam(), kBatch, d.rows, d.cols, Order::padded_rows);
        x.fill_random(5);
        const Matrices out = reduced(d, ReduceOp::sum, x);
        for (std::int64_t p = 0; p < kBatch; ++p) {
            long double sum = 0;
            long double size = 0;
            for (std::int64_t r = 0; r < d.rows; ++r) {
                for (std::int64_t c = 0; c < d.cols; ++c) {
                    sum += 1 + static_cast<long double>(x.get(p, r, c));
                    size += std::abs(1 + static_cast<long double>(x.get(p, r, c)));
                }
            }
            // A thread adds the entries of a 256th of the domain in turn at most.
            const long double depth = static_cast<long double>(d.rows * d.cols) / 256 + 2 * 8 + 2;
            EXPECT_LE(std::abs(out.get(p, 0, 0) - kScale * sum), depth * unit(GetParam()) * size)
                << d.rows << "x" << d.cols;
        }
    }
}

TEST_P(LargeDomain, HasTheLargestOfAllEntriesAsItsMaximumUnlessOneIsNan) {
    for (const Domain& d : kDomains) {
        Matrices x(GetParam(), kBatch, d.rows, d.cols);
        x.fill_random(6);
        x.set(0, d.rows - 1, d.cols - 1, 5);
        x.set(1, d.rows / 2, d.cols / 2, std::numeric_limits<double>::quiet_NaN());
        const Matrices out = reduced(d, ReduceOp::max, x);
        EXPECT_EQ(out.get(0, 0, 0), kScale * 6);
        EXPECT_TRUE(std::isnan(out.get(1, 0, 0)));
    }
}

}  // namespace
}  // namespace matgrad::test
