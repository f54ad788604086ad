/// Batches in host memory whose Gram matrices are of every condition, on a GPU: what it marks, the processor finishes.
/// Those problems then have the processor's bits (which gram_care_test.cpp holds to a QR in long double); the
/// others have the GPU's, as if they were alone; and sums hold both.

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "cpu/cpu_executor.hpp"
#include "cuda/device_run.hpp"
#include "cuda/finished_runs.hpp"
#include "cuda/flavour.hpp"
#include "executors/naive.hpp"
#include "matgrad/status.hpp"
#include "support/plan_request.hpp"

namespace matgrad::test {
namespace {

constexpr std::int64_t m = 9;
constexpr std::int64_t n = 4;

/// What the problems of a batch are, in turns.
enum class Kind { good, sharpened, ill, beyond, singular };
Kind kind_of(ScalarType type, std::int64_t p) {
    const bool is_far = type == ScalarType::float64 && p / 10 % 12 < 4;  // from ill: 1e2 to 1e5
    return p % 10 == 3   ? (is_far ? Kind::sharpened : Kind::ill)
           : p % 10 == 6 ? Kind::beyond
           : p % 10 == 8 ? Kind::singular
                         : Kind::good;
}
bool is_finished(ScalarType type, std::int64_t p) {
    return kind_of(type, p) != Kind::good && kind_of(type, p) != Kind::sharpened;
}

/// Columns that are nearly orthogonal, the last two of a length of about 1/condition. Of a singular one the last
/// column is 0.
Matrices roots(ScalarType type, std::int64_t batch) {
    Matrices X(type, batch, m, n);
    X.fill_random(1, 0, 0);
    std::mt19937 engine(7);
    std::uniform_real_distribution<double> number(0.5, 1);
    for (std::int64_t p = 0; p < batch; ++p) {
        const Kind kind = kind_of(type, p);
        double condition = 1.5;
        if (kind == Kind::ill || kind == Kind::sharpened) {
            condition = type == ScalarType::float32
                            ? 3e5
                            : std::pow(10, 2 + static_cast<double>(p / 10 % 12));
        } else if (kind == Kind::beyond) {
            condition = type == ScalarType::float32 ? 1e7 : 1e16;
        }
        const std::int64_t columns = kind == Kind::singular ? n - 1 : n;
        for (std::int64_t c = 0; c < columns; ++c) {
            const double size = number(engine) / (c < 2 ? 1 : condition);
            X.set(p, 2 * c, c, size);
            X.set(p, 2 * c + 1, c, size / 3);
            X.set(p, 8, c, size / 5);
        }
    }
    return X;
}

enum class Sum { none, sum, mean };

Program program_of(ScalarType type, Sum sum) {
    PlanRequest request = value_and_gradient_request("logdet(X'*X)", "X", {{"X", m, n, true}}, type,
                                                     Accuracy::robust, 100);
    request.outputs[0].summed = sum != Sum::none;
    request.outputs[0].mean = sum == Sum::mean;
    return make_program(request);
}

RunResult run_on_processor(const Program& program, std::int64_t batch,
                           const std::vector<const Matrices*>& operands,
                           const std::vector<Matrices*>& results, const CallWishes& wishes = {}) {
    return run_in_host_memory(*make_cpu_executor(program, 1), batch, operands, results, wishes);
}

class GramFinish : public testing::TestWithParam<ScalarType> {
protected:
    [[nodiscard]] static ScalarType type() { return GetParam(); }
};
INSTANTIATE_TEST_SUITE_P(Types, GramFinish, testing::ValuesIn(kTypes), [](const auto& test) {
    return std::string(test.param == ScalarType::float32 ? "Float" : "Double");
});

/// The batch is run twice: the second run finds what the first one has left.
void expect_like_processor(ScalarType type, const gpu::ExecutorOptions& options) {
    constexpr std::int64_t kBatch = 250;
    const Matrices X = roots(type, kBatch);
    const Program program = program_of(type, Sum::none);
    Matrices want_value(type, kBatch, 1, 1);
    Matrices want(type, kBatch, m, n);
    const RunResult wanted = run_on_processor(program, kBatch, {&X}, {&want_value, &want});
    Matrices value(type, kBatch, 1, 1);
    Matrices gradient(type, kBatch, m, n);
    const auto executor = module_under_test().make_executor(program, options);
    for (int again = 0; again < 2; ++again) {
        const RunResult result = run_in_host_memory(*executor, kBatch, {&X}, {&value, &gradient});
        EXPECT_EQ(result.status, wanted.status);
        EXPECT_EQ(result.summary.failed, wanted.summary.failed);
        EXPECT_EQ(result.summary.problems, kBatch);
        for (std::int64_t p = 0; p < kBatch; ++p) {
            if (is_finished(type, p)) {
                EXPECT_TRUE(value.same_bits(p, want_value, p)) << p;
                EXPECT_TRUE(gradient.same_bits(p, want, p)) << p;
                continue;
            }
            // Values below 100 and gradients below 10*condition, with the roundings of some tens of operations,
            // of which the condition makes more.
            const double condition = kind_of(type, p) == Kind::good
                                         ? 1
                                         : std::pow(10, 2 + static_cast<double>(p / 10 % 12));
            const double near = 1e3 * condition * static_cast<double>(unit(type));
            EXPECT_NEAR(value.get(p, 0, 0), want_value.get(p, 0, 0), near) << p;
            for (std::int64_t i = 0; i < m * n; ++i) {
                EXPECT_NEAR(gradient.get(p, i / n, i % n), want.get(p, i / n, i % n),
                            condition * near)
                    << p;
            }
        }
    }
}

TEST_P(GramFinish, GivesSuspiciousProblemsTheProcessorsBits) {
    const Program program = program_of(type(), Sum::none);
    expect_like_processor(type(), finished_options());
    expect_like_processor(type(), chunked_options(program));
}

TEST_P(GramFinish, OfSeveralDevicesIsTheSame) {
    if (!have_second_device()) {
        GTEST_SKIP() << "one GPU alone";
    }
    gpu::ExecutorOptions options = chunked_options(program_of(type(), Sum::none));
    options.all_devices = true;
    expect_like_processor(type(), options);
}

TEST_P(GramFinish, MarksWhatNobodyFinishes) {
    constexpr std::int64_t kBatch = 40;
    const Matrices X = roots(type(), kBatch);
    Matrices value(type(), kBatch, 1, 1);
    Matrices gradient(type(), kBatch, m, n);
    const RunResult result =
        run_in_host_memory(*module_under_test().make_executor(program_of(type(), Sum::none), {}),
                           kBatch, {&X}, {&value, &gradient});
    for (std::int64_t p = 0; p < kBatch; ++p) {
        const StatusKind kind = status_kind(result.status[static_cast<std::size_t>(p)]);
        EXPECT_EQ(std::isnan(value.get(p, 0, 0)), is_finished(type(), p)) << p;
        EXPECT_EQ(std::isnan(gradient.get(p, 0, 0)), is_finished(type(), p)) << p;
        if (kind_of(type(), p) == Kind::ill) {
            EXPECT_TRUE(kind == StatusKind::ill_conditioned || kind == StatusKind::not_positive);
        } else if (kind_of(type(), p) == Kind::good) {
            EXPECT_EQ(kind, StatusKind::success) << p;
        }
    }
}

TEST_P(GramFinish, LeavesTheBitsOfGoodProblemsAlone) {
    constexpr std::int64_t kBatch = 60;
    const Matrices X = roots(type(), kBatch);
    Matrices all_good = X;
    for (std::int64_t p = 0; p < kBatch; ++p) {
        for (std::int64_t i = 0; i < m * n && is_finished(type(), p); ++i) {
            all_good.set(p, i / n, i % n, X.get(0, i / n, i % n));
        }
    }
    const auto executor =
        module_under_test().make_executor(program_of(type(), Sum::none), finished_options());
    Matrices value[2] = {{type(), kBatch, 1, 1}, {type(), kBatch, 1, 1}};
    Matrices gradient[2] = {{type(), kBatch, m, n}, {type(), kBatch, m, n}};
    (void)run_in_host_memory(*executor, kBatch, {&X}, {value, gradient});
    (void)run_in_host_memory(*executor, kBatch, {&all_good}, {value + 1, gradient + 1});
    for (std::int64_t p = 0; p < kBatch; ++p) {
        if (!is_finished(type(), p)) {
            EXPECT_TRUE(value[0].same_bits(p, value[1], p)) << p;
            EXPECT_TRUE(gradient[0].same_bits(p, gradient[1], p)) << p;
        }
    }
}

TEST_P(GramFinish, SumsAndMeansHoldTheFinishedProblems) {
    constexpr std::int64_t kBatch = 250;
    const Matrices X = roots(type(), kBatch);
    Matrices each(type(), kBatch, 1, 1);
    Matrices gradients(type(), kBatch, m, n);
    const RunResult wanted =
        run_on_processor(program_of(type(), Sum::none), kBatch, {&X}, {&each, &gradients});
    long double total = 0;
    long double size = 0;
    for (std::int64_t p = 0; p < kBatch; ++p) {
        if (succeeded(wanted.status[static_cast<std::size_t>(p)])) {
            total += each.get(p, 0, 0);
            size += std::abs(each.get(p, 0, 0));
        }
    }
    const auto count = static_cast<double>(kBatch - wanted.summary.failed);
    for (const Sum sum : {Sum::sum, Sum::mean}) {
        const Program program = program_of(type(), sum);
        for (const bool chunked : {false, true}) {
            for (const double beta : {0.0, 2.0}) {
                SCOPED_TRACE(testing::Message() << chunked << " " << beta);
                const auto executor = module_under_test().make_executor(
                    program, chunked ? chunked_options(program) : finished_options());
                Matrices value(type(), 1, 1, 1);
                Matrices gradient(type(), kBatch, m, n);
                value.set(0, 0, 0, 3);
                CallWishes wishes;
                wishes.beta = {beta, 0};
                const RunResult result =
                    run_in_host_memory(*executor, kBatch, {&X}, {&value, &gradient}, wishes);
                EXPECT_EQ(result.status, wanted.status);
                const double divisor = sum == Sum::mean ? count : 1;
                const double want = static_cast<double>(total) / divisor + beta * 3;
                // Each problem's part, and what a chunk's sum is rounded to.
                const double bound = 20 * static_cast<double>(unit(type())) *
                                     (static_cast<double>(size) / divisor + beta * 3);
                EXPECT_NEAR(value.get(0, 0, 0), want, bound);
            }
        }
    }
}

TEST_P(GramFinish, KnowsRowsAndAddsToResults) {
    constexpr std::int64_t kBatch = 40;
    const Matrices X = roots(type(), 50);
    const Program program = program_of(type(), Sum::none);
    CallWishes wishes;
    wishes.beta = {1, 0.5};
    for (std::int64_t i = 0; i < kBatch; ++i) {
        wishes.rows.push_back(48 - i);
    }
    Matrices value[2] = {{type(), kBatch, 1, 1}, {type(), kBatch, 1, 1}};
    Matrices gradient[2] = {{type(), kBatch, m, n}, {type(), kBatch, m, n}};
    for (int i = 0; i < 2; ++i) {
        value[i].fill_random(1);
        gradient[i].fill_random(2);
    }
    const RunResult want = run_on_processor(program, kBatch, {&X}, {value, gradient}, wishes);
    const RunResult got =
        run_in_host_memory(*module_under_test().make_executor(program, finished_options()), kBatch,
                           {&X}, {value + 1, gradient + 1}, wishes);
    EXPECT_EQ(got.status, want.status);
    for (std::int64_t p = 0; p < kBatch; ++p) {
        if (is_finished(type(), 48 - p)) {
            EXPECT_TRUE(value[0].same_bits(p, value[1], p)) << p;
            EXPECT_TRUE(gradient[0].same_bits(p, gradient[1], p)) << p;
        }
    }
}

/// X'X is factored once for all problems.
TEST_P(GramFinish, OfAFactorThatAllShare) {
    const Matrices all = roots(type(), 54);  // the last one is ill-conditioned
    Matrices X(type(), 1, m, n);
    for (std::int64_t i = 0; i < m * n; ++i) {
        X.set(0, i / n, i % n, all.get(53, i / n, i % n));
    }
    ProgramBuilder build(type());
    const ValueId x = build.operand("X", m, n, false);
    const ValueId b = build.operand("B", m, n, true);
    const ValueId gram = build.value(n, n, Scope::shared, ScalarType::float64);
    build.step(Syrk{use_transposed(x), 1, true}, gram, ScalarType::float64);
    const ValueId l = build.value(n, n, Scope::shared, ScalarType::float64);
    build.step(Potrf{use(gram), use(x), 1}, l, ScalarType::float64);
    const ValueId shared = build.value(m, n, Scope::shared);
    build.step(Trsm{Side::right, true, true, use(l), use(x)}, shared, ScalarType::float64);
    const ValueId each = build.value(m, n);
    build.step(Trsm{Side::right, true, true, use(l), use(b)}, each, ScalarType::float64);
    build.output(shared);
    build.output(each);
    const Program program = build.finish();
    for (const std::int64_t batch : {0, 1, 70}) {
        SCOPED_TRACE(batch);
        Matrices B(type(), batch, m, n);
        B.fill_random(3);
        Matrices single[2] = {{type(), 1, m, n}, {type(), 1, m, n}};
        Matrices own[2] = {{type(), batch, m, n}, {type(), batch, m, n}};
        (void)run_on_processor(program, batch, {&X, &B}, {single, own});
        const RunResult got =
            run_in_host_memory(*module_under_test().make_executor(program, finished_options()),
                               batch, {&X, &B}, {single + 1, own + 1});
        EXPECT_EQ(got.summary.failed, 0);
        EXPECT_FALSE(std::isnan(single[1].get(0, 0, 0)));
        EXPECT_TRUE(single[0].same_bits(0, single[1], 0));
        for (std::int64_t p = 0; p < batch; ++p) {
            EXPECT_TRUE(own[0].same_bits(p, own[1], p)) << p;
        }
    }
}

TEST_P(GramFinish, AsksForAnExecutorWhenTheFirstProblemNeedsIt) {
    constexpr std::int64_t kBatch = 40;
    const Matrices X = roots(type(), kBatch);
    Matrices good(type(), kBatch, m, n);
    for (std::int64_t p = 0; p < kBatch; ++p) {
        for (std::int64_t i = 0; i < m * n; ++i) {
            good.set(p, i / n, i % n, X.get(0, i / n, i % n));
        }
    }
    gpu::ExecutorOptions options = finished_options();
    int asked = 0;
    options.make_finisher = [&asked, make = options.make_finisher](Program program) {
        ++asked;
        return make(std::move(program));
    };
    const auto executor = module_under_test().make_executor(program_of(type(), Sum::none), options);
    Matrices value(type(), kBatch, 1, 1);
    Matrices gradient(type(), kBatch, m, n);
    (void)run_in_host_memory(*executor, kBatch, {&good}, {&value, &gradient});
    EXPECT_EQ(asked, 0);
    (void)run_in_host_memory(*executor, kBatch, {&X}, {&value, &gradient});
    executor->release();
    (void)run_in_host_memory(*executor, kBatch, {&X}, {&value, &gradient});
    EXPECT_EQ(asked, 1);
}

TEST_P(GramFinish, ToldProgressEndsWithTheLastProblemAndMayRefuse) {
    constexpr std::int64_t kBatch = 250;
    const Matrices X = roots(type(), kBatch);
    const auto executor =
        module_under_test().make_executor(program_of(type(), Sum::none), finished_options());
    Matrices value(type(), kBatch, 1, 1);
    Matrices gradient(type(), kBatch, m, n);
    std::vector<std::int64_t> told;
    (void)run_in_host_memory(*executor, kBatch, {&X}, {&value, &gradient}, {},
                             {[&told](std::int64_t done) {
                                 told.push_back(done);
                                 return true;
                             }});
    ASSERT_GE(told.size(), 2U);
    EXPECT_TRUE(std::is_sorted(told.begin(), told.end()));
    EXPECT_EQ(told.back(), kBatch);
    EXPECT_LT(told[told.size() - 2], kBatch);
    EXPECT_THROW((void)run_in_host_memory(*executor, kBatch, {&X}, {&value, &gradient}, {},
                                          {[](std::int64_t done) { return done < kBatch; }}),
                 Interrupted);
}

}  // namespace
}  // namespace matgrad::test
