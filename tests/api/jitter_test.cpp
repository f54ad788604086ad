// PlanOptions::jitter: what it mends, by how much, and what it leaves.

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "matgrad/matgrad.hpp"

namespace matgrad {
namespace {

/// n-by-n with ones on the diagonal and `off` beside it: the eigenvalues are 1 - off and 1 + (n-1)*off.
template <typename T>
void append_equicorrelated(std::vector<T>& to, int n, double off) {
    for (int i = 0; i < n; ++i) {
        for (int j = 0; j < n; ++j) {
            to.push_back(static_cast<T>(i == j ? 1 : off));
        }
    }
}

template <typename T>
void check_sizes(int least_exponent) {
    for (const int n : {2, 3, 20, 70}) {
        SCOPED_TRACE("n = " + std::to_string(n));
        // The least eigenvalue is 1 - off: 0.5, 0, -0.004, -3. Multiplying the diagonal by 1 + t adds t to it.
        const double offs[] = {0.5, 1, 1.004, 4};
        const int problems = 24;
        std::vector<T> s;
        for (int b = 0; b < problems; ++b) {
            append_equicorrelated(s, n, offs[b % 4]);
        }
        PlanOptions options{.type = sizeof(T) == 4 ? ScalarType::float32 : ScalarType::float64,
                            .jitter = true};
        const Expr f = parse("logdet(S)", {"S=n,n:spd"});
        const Plan plan = make_plan(f, {batched("S", n, n)}, options);
        std::vector<T> value(problems);
        std::vector<std::int32_t> status(problems, -1);
        const RunSummary summary = plan.run({s}, {value}, status);
        EXPECT_EQ(summary.failed, problems / 4);
        for (int b = 0; b < problems; ++b) {
            const std::int32_t found = status[static_cast<std::size_t>(b)];
            const double logdet = static_cast<double>(value[static_cast<std::size_t>(b)]);
            const auto of = [n](double diagonal, double off) {
                return (n - 1) * std::log(diagonal - off) + std::log(diagonal + (n - 1) * off);
            };
            switch (b % 4) {
                case 0:
                    EXPECT_EQ(found, 0);
                    EXPECT_NEAR(logdet, of(1, 0.5), 1e-5 * n);
                    break;
                case 1:
                    EXPECT_EQ(status_kind(found), StatusKind::jittered);
                    EXPECT_LE(status_pivot(found), least_exponent);
                    EXPECT_GE(status_pivot(found), least_exponent - 3);
                    break;
                case 2:
                    EXPECT_EQ(found, make_status(StatusKind::jittered, 2)) << to_text(found);
                    EXPECT_NEAR(logdet, of(1.01, 1.004), 1e-3 * n);
                    break;
                default:  // no diagonal below 1.1 helps
                    EXPECT_EQ(found, make_status(StatusKind::not_positive, 2)) << to_text(found);
                    EXPECT_TRUE(std::isnan(logdet));
            }
        }
    }
}

TEST(Jitter, IsTheLeastPowerOf10ThatHelps) {
    check_sizes<double>(12);
    check_sizes<float>(6);
}

TEST(Jitter, ChangesNoProblemThatNeedsNone) {
    std::vector<double> s;
    for (int b = 0; b < 40; ++b) {
        append_equicorrelated(s, 4, b == 7 ? 1.0 : 0.01 * b);
    }
    const Expr f = parse("logdet(S)", {"S=n,n:spd"});
    const std::vector<Operand> operands{batched("S", 4, 4)};
    std::vector<double> with(40), without(40);
    make_plan(f, operands, {.jitter = true}).run({s}, {with});
    make_plan(f, operands).run({s}, {without});
    for (std::size_t b = 0; b < 40; ++b) {
        EXPECT_EQ(b == 7, std::isnan(without[b]));
        EXPECT_TRUE(b == 7 || with[b] == without[b]) << b;
    }
    EXPECT_TRUE(std::isfinite(with[7]));
}

TEST(Jitter, MendsGramMatricesThatAreSingularByNumberOrShape) {
    const std::vector<double> x{1, 0, 0, 1, 1, 1,   // full rank
                                1, 1, 2, 2, 3, 3};  // rank 1
    std::vector<double> value(2);
    std::vector<std::int32_t> status(2);
    const Expr f = parse("logdet(X'*X)");
    make_plan(f, {batched("X", 3, 2)}, {.jitter = true}).run({x}, {value}, status);
    EXPECT_EQ(status[0], 0);
    EXPECT_NEAR(value[0], std::log(3.0), 1e-14);
    EXPECT_EQ(status_kind(status[1]), StatusKind::jittered);
    EXPECT_EQ(status_jitter(status[1]), std::pow(10.0, -status_pivot(status[1])));
    make_plan(f, {batched("X", 2, 3)}, {.jitter = true}).run({x}, {value}, status);
    EXPECT_EQ(status_kind(status[0]), StatusKind::jittered);
    EXPECT_TRUE(std::isfinite(value[0]));
}

TEST(Jitter, DoesNotMendWhatIsNotFinite) {
    const std::vector<double> s{1, 0, 0, NAN};
    std::vector<double> value(1);
    std::vector<std::int32_t> status(1);
    make_plan(parse("logdet(S)", {"S=n,n:spd"}), {batched("S", 2, 2)}, {.jitter = true})
        .run({s}, {value}, status);
    EXPECT_EQ(status[0], make_status(StatusKind::not_finite, 2));
}

TEST(Jitter, OfSeveralFactorsTheLargestIsReported) {
    // S is singular, T needs more.
    const std::vector<double> s{1, 1, 1, 1};
    const std::vector<double> t{1, 1.004, 1.004, 1};
    std::vector<double> value(1);
    std::vector<std::int32_t> status(1);
    for (const char* text : {"logdet(S) + logdet(T)", "logdet(T) + logdet(S)"}) {
        make_plan(parse(text, {"S=n,n:spd", "T=n,n:spd"}), {batched("S", 2, 2), batched("T", 2, 2)},
                  {.jitter = true})
            .run({{"S", row_major(s.data(), 2, 2).batched(1)},
                  {"T", row_major(t.data(), 2, 2).batched(1)}},
                 {{"value", row_major(value.data(), 1, 1).batched(1)}}, status);
        EXPECT_EQ(status[0], make_status(StatusKind::jittered, 2)) << text;
    }
    EXPECT_EQ(to_text(status[0]), "jittered by 1e-2");
}

}  // namespace
}  // namespace matgrad
