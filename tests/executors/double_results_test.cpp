/// Results of float data that steps compute in double, and keep in double until they leave.

#include <gtest/gtest.h>

#include "executors/entrywise_cases.hpp"
#include "executors/naive.hpp"

namespace matgrad::test {
namespace {

constexpr long double kFloat = 0x1p-24L;
constexpr long double kDouble = 0x1p-53L;

/// b = 3 A y, a vector, and D = (1 + 1e-9) A A' - A A', of which every digit is lost that is rounded to float on the
/// way: the sum has to be made in double.
struct Results {
    Program program;

    Results(std::int64_t m, std::int64_t n) {
        constexpr auto kWide = ScalarType::float64;
        ProgramBuilder build(ScalarType::float32);
        const ValueId of_a = build.operand("A", m, n, true);
        const ValueId of_y = build.operand("y", n, 1, true);
        const auto wide = [&](std::int64_t rows, std::int64_t cols) {
            return build.value(rows, cols, Scope::problem, kWide);
        };
        const ValueId a = wide(m, n);
        build.step(Copy{use(of_a)}, a, kWide);
        const ValueId y = wide(n, 1);
        build.step(Copy{use(of_y)}, y, kWide);
        const ValueId b = wide(m, 1);
        build.step(Gemm{use(a), use(y), 3, 0, {}}, b, kWide);
        const ValueId square = wide(m, m);
        build.step(Gemm{use(a), use_transposed(a), 1, 0, {}}, square, kWide);
        const ValueId more = wide(m, m);
        build.step(
            Map{{{{use(square), Broadcast::none}}, {load(0), {MapOp::scale, 0, -1, 1 + 1e-9}}}},
            more, kWide);
        const ValueId difference = wide(m, m);
        build.step(Gemm{use(a), use_transposed(a), -1, 1, use(more)}, difference, kWide);
        build.output(b);
        build.output(difference);
        program = build.finish();
    }
};

TEST(DoubleResults, AreRoundedOnceWhereTheyLeave) {
    for (const ExecutorUnderTest& executor : executors_under_test()) {
        for (const Sizes& size :
             {Sizes{4, 3}, Sizes{16, 16}, Sizes{13, 7}, Sizes{48, 40}, Sizes{33, 70}}) {
            SCOPED_TRACE(testing::Message() << executor.name << " " << size.m << "x" << size.n);
            const auto [m, n] = size;
            constexpr std::int64_t kProblems = 37;
            const Results results(m, n);
            Matrices A(ScalarType::float32, kProblems, m, n);
            A.fill_random(1);
            Matrices y(ScalarType::float32, kProblems, n, 1);
            y.fill_random(2);
            Matrices b(ScalarType::float32, kProblems, m, 1);
            Matrices D(ScalarType::float32, kProblems, m, m);
            run(executor, results.program, kProblems, {&A, &y}, {&b, &D});
            EXPECT_TRUE(b.guards_intact());
            EXPECT_TRUE(D.guards_intact());
            for (std::int64_t p = 0; p < kProblems; ++p) {
                const Naive a = matrix(A, p);
                const Naive x = matrix(y, p);
                const auto terms = static_cast<long double>(n + 3);
                const auto bound = [&](const Naive& exact, const Naive& sizes, long double times) {
                    return plus(scaled(kFloat, absolute(exact)),
                                scaled(times * terms * kDouble, sizes));
                };
                const Naive of_b = scaled(3, multiply(a, x));
                expect_within(matrix(b, p), of_b,
                              bound(of_b, multiply(absolute(a), absolute(x)), 3));
                const Naive of_d = scaled(1e-9L, multiply(a, transpose(a)));
                expect_within(matrix(D, p), of_d,
                              bound(of_d, multiply(absolute(a), transpose(absolute(a))), 3));
                ASSERT_FALSE(HasFailure());
            }
        }
    }
}

}  // namespace
}  // namespace matgrad::test
