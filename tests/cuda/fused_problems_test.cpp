/// The problems of a batch in a fused kernel of each team: nobody's numbers depend on its neighbours, on its place or on
/// the length of the batch, and whatever else a plan may be asked for is what the processor gives.

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <span>

#include "cuda/device_memory.hpp"
#include "cuda/flavour.hpp"
#include "matgrad/linearize.hpp"
#include "matgrad/matgrad.hpp"
#include "support/environment.hpp"
#include "support/random_numbers.hpp"
#include "support/strided_views.hpp"

namespace matgrad {
namespace {

using test::Environment;
using test::random_numbers;

constexpr int kTeams[] = {1, 32, 64, 128, 256};

class FusedTeam : public testing::TestWithParam<int> {
protected:
    [[nodiscard]] static std::string team() { return std::to_string(GetParam()); }
    Environment environment_{{{"MATGRAD_GPU_FUSED_THREADS", team().c_str()}}};
};
INSTANTIATE_TEST_SUITE_P(Of, FusedTeam, testing::ValuesIn(kTeams),
                         testing::PrintToStringParamName());

/// f = logdet(X'X) + sum(inv(A)*B): a Cholesky and an LU factorization, in this order.
struct Problems {
    static constexpr std::int64_t kRows = 9, kCols = 5, kOrder = 6;
    std::vector<double> X, A, B;

    explicit Problems(std::int64_t batch)
        : X(random_numbers(batch * kRows * kCols, 1)),
          A(random_numbers(batch * kOrder * kOrder, 2)),
          B(random_numbers(batch * kOrder * 2, 3)) {
        for (std::int64_t p = 0; p < batch; ++p) {
            for (std::int64_t i = 0; i < kOrder; ++i) {
                a(p)[i * kOrder + i] += 4;
            }
        }
    }
    [[nodiscard]] std::int64_t batch() const {
        return static_cast<std::int64_t>(X.size()) / (kRows * kCols);
    }
    double* x(std::int64_t p) { return X.data() + p * kRows * kCols; }
    double* a(std::int64_t p) { return A.data() + p * kOrder * kOrder; }

    /// Those of `order`, one after the other.
    [[nodiscard]] Problems named(const std::vector<std::int64_t>& order) const {
        Problems some(0);
        const auto take = [&](const std::vector<double>& from, std::vector<double>& to) {
            const auto count = static_cast<std::int64_t>(from.size()) / batch();
            for (const std::int64_t p : order) {
                to.insert(to.end(), from.begin() + p * count, from.begin() + (p + 1) * count);
            }
        };
        take(X, some.X);
        take(A, some.A);
        take(B, some.B);
        return some;
    }

    static Plan plan(Device device, Reduction reduction = Reduction::none) {
        PlanOptions options;
        options.wrt = {"X", "A"};
        options.device = device;
        options.executor =
            device.kind == DeviceKind::cuda ? GpuExecutor::fused : GpuExecutor::automatic;
        options.reduction = reduction;
        return make_plan(
            parse("logdet(X'*X) + sum(inv(A)*B)",
                  std::vector{parse_declaration("X=m,n"), parse_declaration("A=p,p"),
                              parse_declaration("B=p,q")}),
            {batched("X", kRows, kCols), batched("A", kOrder, kOrder), batched("B", kOrder, 2)},
            options);
    }
};

struct Results {
    std::vector<double> value, gx, ga;
    std::vector<std::int32_t> status;

    Results(const Plan& plan, const Problems& problems, double before = -7, double beta = 0)
        : value(plan.outputs()[0].batched ? static_cast<std::size_t>(problems.batch()) : 1, before),
          gx(problems.X.size(), before),
          ga(problems.A.size(), before),
          status(static_cast<std::size_t>(problems.batch()), -1) {
        std::vector<ResultView> views = {value, gx, ga};
        for (ResultView& view : views) {
            view.beta = beta;
        }
        plan.run({{"X", problems.X}, {"A", problems.A}, {"B", problems.B}}, views, status);
    }
    [[nodiscard]] std::vector<double> of(std::int64_t p) const {
        std::vector<double> all = {value[static_cast<std::size_t>(p)]};
        const auto take = [&](const std::vector<double>& from, std::int64_t count) {
            all.insert(all.end(), from.begin() + p * count, from.begin() + (p + 1) * count);
        };
        take(gx, Problems::kRows * Problems::kCols);
        take(ga, Problems::kOrder * Problems::kOrder);
        return all;
    }
};

void expect_same_bits(const std::vector<double>& got, const std::vector<double>& want) {
    ASSERT_EQ(got.size(), want.size());
    EXPECT_EQ(std::memcmp(got.data(), want.data(), got.size() * sizeof(double)), 0);
}

constexpr Device kCuda = {DeviceKind::cuda, 0};
constexpr Device kCpu = {DeviceKind::cpu, 0};
constexpr std::int64_t kBatch = 45;  // some rounds of every team, and a part of one

TEST_P(FusedTeam, GivesAProblemTheSameBitsAtAnyPlaceOfAnyBatch) {
    const Plan plan = Problems::plan(kCuda);
    const Problems problems(kBatch);
    const Results whole(plan, problems);
    EXPECT_EQ(whole.status, std::vector<std::int32_t>(kBatch, 0));
    for (const std::int64_t batch : {1, 3, 4, 33}) {
        std::vector<std::int64_t> order;
        for (std::int64_t i = 0; i < batch; ++i) {
            order.push_back((i * 7 + 11) % kBatch);
        }
        const Results some(plan, problems.named(order));
        for (std::int64_t i = 0; i < batch; ++i) {
            SCOPED_TRACE(testing::Message() << "problem " << i << " of " << batch);
            expect_same_bits(some.of(i), whole.of(order[static_cast<std::size_t>(i)]));
        }
    }
}

TEST_P(FusedTeam, TellsWhichProblemsFailAndLeavesTheOthersAlone) {
    const Plan plan = Problems::plan(kCuda);
    const Problems good(kBatch);
    Problems bad = good;
    constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
    std::vector<std::int32_t> want(kBatch, 0);
    const auto fail = [&](std::int64_t p, StatusKind kind, int pivot) {
        want[static_cast<std::size_t>(p)] = make_status(kind, pivot);
    };
    for (std::int64_t i = 0; i < Problems::kRows; ++i) {
        bad.x(3)[i * Problems::kCols + 2] = 0;  // the third column
        bad.x(20)[i * Problems::kCols] = 0;     // the first one
    }
    fail(3, StatusKind::not_positive, 3);
    fail(20, StatusKind::not_positive, 1);
    bad.x(17)[4] = kNan;
    fail(17, StatusKind::not_finite, 5);
    for (std::int64_t i = 0; i < Problems::kOrder; ++i) {
        bad.a(5)[i * Problems::kOrder + 3] = 0;
        bad.a(20)[i] = 0;  // the Cholesky factorization comes first
        bad.a(44)[i * Problems::kOrder + 5] = 0;
    }
    fail(5, StatusKind::singular, 4);
    fail(44, StatusKind::singular, 6);
    bad.a(31)[0] = std::numeric_limits<double>::infinity();
    fail(31, StatusKind::not_finite, 1);
    const Results before(plan, good);
    const Results after(plan, bad);
    EXPECT_EQ(after.status, want);
    const Plan oracle = Problems::plan(kCpu);
    EXPECT_EQ(Results(oracle, bad).status, want);
    for (std::int64_t p = 0; p < kBatch; ++p) {
        SCOPED_TRACE(testing::Message() << "problem " << p);
        if (want[static_cast<std::size_t>(p)] == 0) {
            expect_same_bits(after.of(p), before.of(p));
            continue;
        }
        for (const double number : after.of(p)) {
            EXPECT_TRUE(std::isnan(number));
        }
    }
    // What is added to stays where a problem fails.
    const Results added(plan, bad, 0.5, 1);
    for (std::int64_t p = 0; p < kBatch; ++p) {
        const std::vector<double> got = added.of(p);
        const std::vector<double> one = after.of(p);
        for (std::size_t i = 0; i < got.size(); ++i) {
            EXPECT_EQ(got[i], std::isnan(one[i]) ? 0.5 : 0.5 + one[i]) << "problem " << p;
        }
    }
}

/// rows x n, with singular values from 1 down to 1/condition.
Eigen::MatrixXd matrix_of_condition(std::int64_t rows, std::int64_t n, double condition,
                                    std::uint64_t seed) {
    const auto orthogonal = [&](std::int64_t m) {
        const std::vector<double> numbers =
            random_numbers(m * n, seed + static_cast<std::uint64_t>(m));
        const Eigen::MatrixXd a = Eigen::Map<const Eigen::MatrixXd>(numbers.data(), m, n);
        return Eigen::MatrixXd(Eigen::HouseholderQR<Eigen::MatrixXd>(a).householderQ() *
                               Eigen::MatrixXd::Identity(m, n));
    };
    Eigen::VectorXd values(n);
    for (std::int64_t i = 0; i < n; ++i) {
        values(i) = std::pow(condition, -static_cast<double>(i) / static_cast<double>(n - 1));
    }
    return orthogonal(rows) * values.asDiagonal() * orthogonal(n).transpose();
}

/// On the device alone, without the processor's help: the gradient 2 X inv(X'X) is off by a multiple of the condition of
/// X, not of its square.
TEST_P(FusedTeam, KeepsTheDigitsOfIllConditionedGramMatrices) {
    using Rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    using Wide = Eigen::Matrix<long double, Eigen::Dynamic, Eigen::Dynamic>;
    constexpr std::int64_t m = 34, n = 4, kProblems = 9;
    constexpr double kCondition = 3e4;
    PlanOptions options;
    options.value = false;
    options.wrt = {"X"};
    options.device = kCuda;
    options.executor = GpuExecutor::fused;
    const Plan plan = make_plan(parse("logdet(X'*X)"), {batched("X", m, n)}, options);
    std::vector<double> x;
    for (std::int64_t p = 0; p < kProblems; ++p) {
        const Rows one = matrix_of_condition(m, n, kCondition, static_cast<std::uint64_t>(100 * p));
        x.insert(x.end(), one.data(), one.data() + one.size());
    }
    test::DeviceBuffer operand(std::as_bytes(std::span(x)));
    test::DeviceBuffer result(x.size() * sizeof(double));
    test::DeviceBuffer status_memory(kProblems * sizeof(std::int32_t));
    test::DeviceBuffer workspace(plan.workspace_bytes());
    const test::TestStream stream;
    const ConstStrided from = ConstStrided::contiguous(operand.data(), m, n);
    const Strided to = Strided::contiguous(result.data(), m, n);
    plan.enqueue(operand_views(plan, kProblems, {&from, 1}),
                 result_views(plan, kProblems, {&to, 1}),
                 {reinterpret_cast<std::int32_t*>(status_memory.data()), workspace.data(),
                  plan.workspace_bytes(), stream.get()});
    stream.wait();
    std::vector<double> gradient(x.size());
    std::vector<std::int32_t> status(kProblems);
    result.download(std::as_writable_bytes(std::span(gradient)));
    status_memory.download(std::as_writable_bytes(std::span(status)));
    EXPECT_EQ(status, std::vector<std::int32_t>(kProblems, 0));
    for (std::int64_t p = 0; p < kProblems; ++p) {
        const Wide X = Eigen::Map<const Rows>(x.data() + p * m * n, m, n).cast<long double>();
        const Eigen::HouseholderQR<Wide> qr(X);
        const Wide r = qr.matrixQR().topRows(n).triangularView<Eigen::Upper>();
        const Wide q = qr.householderQ() * Wide::Identity(m, n);
        const Wide want = 2 * q * r.inverse().transpose();
        const Wide got =
            Eigen::Map<const Rows>(gradient.data() + p * m * n, m, n).cast<long double>();
        constexpr double kEps = std::numeric_limits<double>::epsilon();
        EXPECT_LE(static_cast<double>((got - want).norm() / want.norm()),
                  16 * n * kEps * kCondition)
            << "problem " << p;
    }
}

/// What a plan can be asked for beside values and gradients, and how far its numbers may be off.
struct Wish {
    const char* name;
    std::function<void(PlanOptions&)> ask;
};

std::vector<Wish> wishes() {
    return {{"products with the Hessian",
             [](PlanOptions& o) {
                 o.hvp = {{"X", "V"}};
             }},
            {"both gradients",
             [](PlanOptions& o) {
                 o.wrt = {"X", "A"};
             }},
            {"rcond", [](PlanOptions& o) { o.rcond = true; }},
            {"a mean", [](PlanOptions& o) { o.reduction = Reduction::mean; }},
            {"one entry", [](PlanOptions& o) {
                 o.entry = Entry{2, 3};
             }}};
}

struct WishRun {
    Plan plan;
    std::vector<std::vector<double>> operands, results;

    WishRun(const Wish& wish, Device device, std::int64_t batch) {
        PlanOptions options;
        options.wrt = {"X"};
        options.device = device;
        options.executor =
            device.kind == DeviceKind::cuda ? GpuExecutor::fused : GpuExecutor::automatic;
        wish.ask(options);
        std::vector<Operand> sizes = {batched("X", 9, 5), batched("A", 9, 9)};
        if (!options.hvp.empty()) {
            sizes.push_back(batched("V", 9, 5));
        }
        plan = make_plan(parse("logdet(X'*X) + norm2(A*X)^2 + sum(exp(X))",
                               std::vector{parse_declaration("X=m,n"), parse_declaration("A=m,m")}),
                         sizes, options);
        std::vector<OperandView> views;
        for (const Operand& operand : plan.operands()) {
            operands.push_back(
                random_numbers(batch * operand.rows * operand.cols, operands.size() + 1));
            views.emplace_back(operands.back());
        }
        std::vector<ResultView> to;
        for (const OutputInfo& output : plan.outputs()) {
            results.emplace_back(
                static_cast<std::size_t>((output.batched ? batch : 1) * output.rows * output.cols),
                -7);
        }
        for (std::vector<double>& result : results) {
            to.emplace_back(result);
        }
        plan.run(views, to);
    }
};

TEST_P(FusedTeam, GivesWhateverElseIsAskedFor) {
    std::vector<Wish> all = wishes();
    // Each of them takes a kernel: one to a team where kernels are dear.
    const auto turn = static_cast<std::size_t>(
        std::find(std::begin(kTeams), std::end(kTeams), GetParam()) - std::begin(kTeams));
    if (test::is_simulated() && std::getenv("MATGRAD_TEST_EVERY") == nullptr) {
        all = {all[turn]};
    }
    for (const Wish& wish : all) {
        SCOPED_TRACE(wish.name);
        const WishRun got(wish, kCuda, 10);
        const WishRun want(wish, kCpu, 10);
        for (std::size_t i = 0; i < want.results.size(); ++i) {
            double size = 0;
            for (const double x : want.results[i]) {
                size = std::max(size, std::abs(x));
            }
            for (std::size_t e = 0; e < want.results[i].size(); ++e) {
                // Conditions of some hundred at most.
                EXPECT_NEAR(got.results[i][e], want.results[i][e], 1e-11 * size)
                    << want.plan.outputs()[i].text();
            }
        }
    }
}

TEST_P(FusedTeam, BoundsItsErrors) {
    if (GetParam() != 1 && test::is_simulated() && std::getenv("MATGRAD_TEST_EVERY") == nullptr) {
        GTEST_SKIP() << "a large kernel to compile";
    }
    const Wish wish = {"error", [](PlanOptions& o) { o.error = true; }};
    const WishRun got(wish, kCuda, 6);
    const WishRun want(wish, kCpu, 6);
    ASSERT_EQ(got.plan.outputs().size(), 4U);
    for (std::size_t p = 0; p < 6; ++p) {
        const double value = want.results[0][p];
        const double bound = got.results[2][p];
        EXPECT_GT(bound, 0);
        EXPECT_LT(bound, 1e-12);
        EXPECT_LE(std::abs(got.results[0][p] - value),
                  (bound + want.results[2][p]) * std::abs(value));
    }
}

TEST_P(FusedTeam, LinearizesAndAppliesTheHessian) {
    const Wish wish = {"hvp", [](PlanOptions& o) {
                           o.value = false;
                           o.wrt = {};
                           o.hvp = {{"X", "V"}};
                       }};
    const WishRun whole(wish, kCuda, 10);
    std::vector<double> product(whole.results.back().size(), -7);
    const Linearization at =
        whole.plan.linearize({{"X", whole.operands[0]}, {"A", whole.operands[1]}});
    at.apply({{"V", whole.operands[2]}}, {{"hvp X", product}});
    double size = 0;
    for (const double x : whole.results.back()) {
        size = std::max(size, std::abs(x));
    }
    for (std::size_t i = 0; i < product.size(); ++i) {
        EXPECT_NEAR(product[i], whole.results.back()[i], 1e-11 * size);
    }
}

}  // namespace
}  // namespace matgrad
