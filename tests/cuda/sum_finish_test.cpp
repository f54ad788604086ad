/// Sums over the batch of products, whose inner dimension runs over the problems, in host memory on a GPU: a chunk that a
/// problem without a finite part has spoiled is run again by the processor.

#include <gtest/gtest.h>

#include <cmath>

#include "cuda/device_run.hpp"
#include "cuda/finished_runs.hpp"
#include "cuda/flavour.hpp"
#include "executors/naive.hpp"
#include "matgrad/status.hpp"
#include "support/plan_request.hpp"

namespace matgrad::test {
namespace {

constexpr std::int64_t kBatch = 250;
constexpr std::int64_t d = 4;
constexpr std::int64_t r = 3;

bool is_bad(std::int64_t p) {
    return p == 7 || p == 130;
}

enum class Bad { overflows, is_nan_in_the_second_sum };

/// The gradients of norm2(x - V*u)^2/2 + norm2(y - W*t)^2/2 by V and W, summed over the batch, and no value.
Program gradients(ScalarType type, bool mean) {
    const std::string f = "0.5*norm2(x - V*u)^2 + 0.5*norm2(y - W*t)^2";
    PlanRequest request = value_and_gradient_request(f, "V",
                                                     {{"x", d, 1, true},
                                                      {"V", d, r, false},
                                                      {"u", r, 1, true},
                                                      {"y", d, 1, true},
                                                      {"W", d, r, false},
                                                      {"t", r, 1, true}},
                                                     type, Accuracy::robust, kBatch);
    request.outputs[0] = {
        OutputKind::gradient, "W", derive(parse(f), {"W"}).gradients.front().form, {}};
    std::swap(request.outputs[0], request.outputs[1]);
    for (OutputRequest& output : request.outputs) {
        output.summed = true;
        output.mean = mean;
    }
    return make_program(request);
}

Naive gradient_of(const Matrices& x, const Matrices& V, const Matrices& u, std::int64_t p) {
    const Naive residual = plus(matrix(x, p), scaled(-1, multiply(matrix(V, 0), matrix(u, p))));
    return scaled(-1, multiply(residual, transpose(matrix(u, p))));
}

class SumFinish : public testing::TestWithParam<std::tuple<ScalarType, Bad, bool>> {};
INSTANTIATE_TEST_SUITE_P(All, SumFinish,
                         testing::Combine(testing::ValuesIn(kTypes),
                                          testing::Values(Bad::overflows,
                                                          Bad::is_nan_in_the_second_sum),
                                          testing::Bool()));

TEST_P(SumFinish, LeavesOutWhatIsNotFinite) {
    const auto [type, bad, mean] = GetParam();
    Matrices operands[6] = {{type, kBatch, d, 1}, {type, 1, d, r}, {type, kBatch, r, 1},
                            {type, kBatch, d, 1}, {type, 1, d, r}, {type, kBatch, r, 1}};
    auto& [x, V, u, y, W, t] = operands;
    for (std::uint32_t i = 0; i < 6; ++i) {
        operands[i].fill_random(i);
    }
    const double large = type == ScalarType::float32 ? 1e30 : 1e200;
    Naive want[2] = {{d, r}, {d, r}};
    for (std::int64_t p = 0; p < kBatch; ++p) {
        if (is_bad(p)) {
            // Each factor is finite; the product is not.
            y.set(p, 2, 0, bad == Bad::overflows ? large : std::nan(""));
            t.set(p, 1, 0, bad == Bad::overflows ? large : 1);
            continue;
        }
        want[0] = plus(want[0], gradient_of(x, V, u, p));
        want[1] = plus(want[1], gradient_of(y, W, t, p));
    }
    const double divisor = mean ? static_cast<double>(kBatch - 2) : 1;
    const double rounding = 10 * kBatch * static_cast<double>(unit(type));
    const Program program = gradients(type, mean);
    for (const int devices : {1, 2}) {
        gpu::ExecutorOptions options = devices == 1 ? finished_options() : chunked_options(program);
        options.all_devices = devices == 2 && have_second_device();
        const auto executor = module_under_test().make_executor(program, options);
        Matrices got[2] = {{type, 1, d, r}, {type, 1, d, r}};
        got[0].fill_random(7);
        const Matrices before = got[0];
        const RunResult result = run_in_host_memory(*executor, kBatch, {&x, &V, &u, &y, &W, &t},
                                                    {got, got + 1}, {{0.5, 0}, {}});
        EXPECT_EQ(result.summary.failed, 2);
        for (std::int64_t p = 0; p < kBatch; ++p) {
            EXPECT_EQ(result.status[static_cast<std::size_t>(p)],
                      is_bad(p) ? make_status(StatusKind::not_finite) : 0)
                << p;
        }
        for (std::int64_t i = 0; i < d; ++i) {
            for (std::int64_t j = 0; j < r; ++j) {
                EXPECT_NEAR(
                    got[0].get(0, i, j),
                    static_cast<double>(want[0](i, j)) / divisor + 0.5 * before.get(0, i, j),
                    rounding);
                EXPECT_NEAR(got[1].get(0, i, j), static_cast<double>(want[1](i, j)) / divisor,
                            rounding);
            }
        }
    }
}

}  // namespace
}  // namespace matgrad::test
