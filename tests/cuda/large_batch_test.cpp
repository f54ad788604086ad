/// A batch past 65,535, the most blocks of a grid's second and third side, through every kind of step.
///
/// Every problem is checked against its closed form:
///
///     S = s [2 1; 1 2]     inv(S) = 1/(3 s) [2 -1; -1 2]
///     A = t [0 2; 4 1]     inv(A) = 1/t [-1/8 1/4; 1/2 0]

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "cuda/flavour.hpp"
#include "cuda/pipeline_run.hpp"
#include "matgrad/status.hpp"

namespace matgrad::test {
namespace {

class LargeBatch : public testing::TestWithParam<ScalarType> {};
INSTANTIATE_TEST_SUITE_P(Types, LargeBatch, testing::ValuesIn(kTypes), [](const auto& test) {
    return std::string(test.param == ScalarType::float32 ? "Float" : "Double");
});

constexpr std::int64_t kLength = 70000;

/// Numbers of problem p, none of them those of its neighbours.
struct Problem {
    explicit Problem(std::int64_t p)
        : s(static_cast<double>(1 + p % 7)),
          t(static_cast<double>(1 + p % 5)),
          b{{static_cast<double>(p % 1021), static_cast<double>(p % 509)},
            {static_cast<double>(p % 251 + 1), static_cast<double>(p % 127 - 60)}} {}
    double s, t;
    double b[2][2];

    /// (inv(S) B)(r, c)
    [[nodiscard]] double g(int r, int c) const { return (2 * b[r][c] - b[1 - r][c]) / (3 * s); }
    /// (inv(A) B)(r, c)
    [[nodiscard]] double h(int r, int c) const {
        return (r == 0 ? b[1][c] / 4 - b[0][c] / 8 : b[0][c] / 2) / t;
    }
    [[nodiscard]] double size() const {
        return std::max({b[0][0], b[0][1], b[1][0], std::abs(b[1][1]), 1.0});
    }
};

/// C = [1 2; -1 0.5], which all problems share.
constexpr double kC[2][2] = {{1, 2}, {-1, 0.5}};

double hc(const Problem& problem, int r, int c) {
    return problem.h(r, 0) * kC[0][c] + problem.h(r, 1) * kC[1][c] + problem.g(r, c);
}

TEST_P(LargeBatch, BeyondTheBlocksOfAGridGivesEveryProblemItsOwn) {
    const std::set<std::int64_t> failing = {17, 65534, 65536, kLength - 2};
    const Pipeline pipeline(GetParam(), 2, 2, true);
    PipelineData data(pipeline, kLength);
    for (std::int64_t p = 0; p < kLength; ++p) {
        const Problem problem(p);
        const double sign = failing.count(p) > 0 ? -1 : 1;
        for (int r = 0; r < 2; ++r) {
            for (int c = 0; c < 2; ++c) {
                data.S.set(p, r, c, sign * problem.s * (r == c ? 2 : 1));
                data.A.set(p, r, c, problem.t * (r == 0 ? 2 * c : 4 - 3 * c));
                data.B.set(p, r, c, problem.b[r][c]);
                data.C.set(0, r, c, kC[r][c]);
            }
        }
    }
    Matrices sum(GetParam(), 1, 2, 2);
    Matrices flipped(GetParam(), 1, 2, 2);
    Matrices total(GetParam(), 1, 1, 1);
    PipelineHost host(pipeline, kLength);
    const auto executor = module_under_test().make_executor(pipeline.program, {});
    const RunResult result = run_on_device(*executor, kLength, data.all(),
                                           {&sum, &flipped, &total, &host.HC, &host.V, &host.G});

    EXPECT_EQ(result.summary.failed, static_cast<std::int64_t>(failing.size()));
    // Each solve has a condition number of at most 4 and errs by a few roundings of its operands, whose
    // entries are below `size`; a product with C adds up two of them.
    const auto rounding = static_cast<double>(64 * unit(GetParam()));
    double sums[2][2] = {};
    double sum_bound = 0;
    double total_want = 0;
    for (std::int64_t p = 0; p < kLength && !HasFailure(); ++p) {
        SCOPED_TRACE(testing::Message() << "problem " << p);
        if (failing.count(p) > 0) {
            EXPECT_EQ(result.status[static_cast<std::size_t>(p)],
                      make_status(StatusKind::not_positive, 1));
            EXPECT_TRUE(std::isnan(host.V.get(p, 0, 0)));
            EXPECT_TRUE(std::isnan(host.G.get(p, 1, 1)));
            EXPECT_TRUE(std::isnan(host.HC.get(p, 1, 1)));
            continue;
        }
        EXPECT_EQ(result.status[static_cast<std::size_t>(p)], 0);
        const Problem problem(p);
        const double bound = rounding * problem.size();
        double v = 0;
        for (int r = 0; r < 2; ++r) {
            for (int c = 0; c < 2; ++c) {
                EXPECT_NEAR(host.G.get(p, c, r), problem.g(r, c), bound);
                EXPECT_NEAR(host.HC.get(p, r, c), hc(problem, r, c), 4 * bound);
                v += std::tanh(problem.g(r, c));
                sums[r][c] += hc(problem, r, c);
            }
        }
        EXPECT_NEAR(host.V.get(p, 0, 0), v, 5 * bound);
        total_want += v;
        sum_bound += 5 * bound;
    }
    if (HasFailure()) {
        return;
    }
    // The sums themselves are rounded once more, to the type of the result.
    const auto rounded = [&](double x) {
        return sum_bound + static_cast<double>(unit(GetParam())) * std::abs(x);
    };
    EXPECT_NEAR(total.get(0, 0, 0), total_want, rounded(total_want));
    for (int r = 0; r < 2; ++r) {
        for (int c = 0; c < 2; ++c) {
            EXPECT_NEAR(sum.get(0, r, c), sums[r][c], rounded(sums[r][c]));
            EXPECT_NEAR(flipped.get(0, c, r), sums[r][c], rounded(sums[r][c]));
        }
    }
}

}  // namespace
}  // namespace matgrad::test
