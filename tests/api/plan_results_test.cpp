// What a plan computes, against arithmetic done here.

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>
#include <cstring>
#include <thread>
#include <vector>

#include "matgrad/matgrad.hpp"
#include "support/random_numbers.hpp"

namespace matgrad {
namespace {

using test::random_numbers;

using Eigen::MatrixXd;
using Eigen::VectorXd;
using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr double kEps = std::numeric_limits<double>::epsilon();

/// Least squares with shared A, batched x and b.
struct LeastSquares {
    static constexpr std::int64_t m = 7, n = 3;
    explicit LeastSquares(std::int64_t problems)
        : batch(problems),
          a(random_numbers(m * n, 1)),
          x(random_numbers(n * problems, 2)),
          b(random_numbers(m * problems, 3)) {}

    std::int64_t batch;
    std::vector<double> a, x, b;
    std::vector<Operand> sizes{{"A", m, n, false}, {"x", n, 1, true}, {"b", m, 1, true}};

    [[nodiscard]] std::vector<OperandView> operands() const { return {a, x, b}; }
    [[nodiscard]] MatrixXd matrix() const { return Eigen::Map<const RowMajor>(a.data(), m, n); }
    [[nodiscard]] VectorXd residual(std::int64_t k) const {
        return matrix() * Eigen::Map<const VectorXd>(x.data() + k * n, n) -
               Eigen::Map<const VectorXd>(b.data() + k * m, m);
    }
    [[nodiscard]] VectorXd gradient(std::int64_t k) const {
        return 2 * matrix().transpose() * residual(k);
    }
    [[nodiscard]] Plan plan(PlanOptions options) const {
        options.wrt = {"x"};
        options.expected_batch = batch;
        return make_plan(parse("norm2(A*x - b)^2"), sizes, options);
    }
    // Sums of m*n products of numbers below 1, then of m: each off by at most its length in eps of
    // the sum of magnitudes, (n+1) m in the gradient; twice for the two sides.
    static constexpr double kBound = 4.0 * (m + n) * (n + 1) * m * kEps;
};

TEST(PlanResults, OfLeastSquaresAreTheTextbookOnes) {
    const LeastSquares data(33);
    const Plan plan = data.plan({});
    std::vector<double> value(33), gradient(3 * 33);
    std::vector<std::int32_t> status(33, -1);
    const RunSummary summary = plan.run(data.operands(), {value, gradient}, status);
    EXPECT_EQ(summary.problems, 33);
    EXPECT_EQ(summary.failed, 0);
    for (std::int64_t k = 0; k < 33; ++k) {
        EXPECT_EQ(status[static_cast<std::size_t>(k)], 0);
        EXPECT_NEAR(value[static_cast<std::size_t>(k)], data.residual(k).squaredNorm(),
                    LeastSquares::kBound);
        const VectorXd expected = data.gradient(k);
        for (std::int64_t i = 0; i < 3; ++i) {
            EXPECT_NEAR(gradient[static_cast<std::size_t>(3 * k + i)], expected(i),
                        LeastSquares::kBound);
        }
    }
}

TEST(PlanResults, AreTheSameBitsForEveryLayoutOfTheSameNumbers) {
    const std::int64_t m = 6, n = 4, batch = 5;
    const std::vector<double> numbers = random_numbers(m * n * batch, 4);
    const Plan plan = make_plan(parse("logdet(X'*X)"), {batched("X", m, n)}, {.wrt = {"X"}});
    const auto run = [&](const ConstView& x, const View& g) {
        std::vector<double> value(static_cast<std::size_t>(batch));
        plan.run({x}, {value, g});
        return value;
    };
    std::vector<double> plain(numbers.size());
    const auto expected = run(numbers, plain);

    // The same matrices, column by column, last problem first, problem-fastest: written and read.
    struct Layout {
        std::int64_t row, col, problem, start;
    };
    const Layout layouts[] = {{1, m, m * n, 0},
                              {n, 1, -m * n, (batch - 1) * m * n},
                              {batch, batch * m, 1, 0},
                              {-2 * n, 2, 2 * m * n, 2 * n * (m - 1)}};
    for (const Layout& layout : layouts) {
        std::vector<double> memory(2 * numbers.size() + 2, 1e300);
        std::vector<double> gradient(memory.size(), 1e300);
        const auto at = [&](std::int64_t i, std::int64_t j, std::int64_t k) {
            return static_cast<std::size_t>(layout.start + i * layout.row + j * layout.col +
                                            k * layout.problem);
        };
        const auto plain_at = [&](std::int64_t i, std::int64_t j, std::int64_t k) {
            return static_cast<std::size_t>((k * m + i) * n + j);
        };
        for (std::int64_t k = 0; k < batch; ++k) {
            for (std::int64_t i = 0; i < m; ++i) {
                for (std::int64_t j = 0; j < n; ++j) {
                    memory[at(i, j, k)] = numbers[plain_at(i, j, k)];
                }
            }
        }
        const auto value = run(strided(memory.data() + layout.start, m, n, layout.row, layout.col)
                                   .batched(batch, layout.problem),
                               strided(gradient.data() + layout.start, m, n, layout.row, layout.col)
                                   .batched(batch, layout.problem));
        EXPECT_EQ(value, expected);
        std::size_t written = 0;
        for (std::int64_t k = 0; k < batch; ++k) {
            for (std::int64_t i = 0; i < m; ++i) {
                for (std::int64_t j = 0; j < n; ++j) {
                    EXPECT_EQ(gradient[at(i, j, k)], plain[plain_at(i, j, k)]);
                }
            }
        }
        for (const double x : gradient) {
            written += x != 1e300 ? 1 : 0;
        }
        EXPECT_EQ(written, numbers.size()) << "something else was written";
    }
}

TEST(PlanResults, MayInterleaveWithAnOperandInOneArray) {
    const std::int64_t n = 4, batch = 3;
    std::vector<double> memory = random_numbers(2 * n * n * batch, 5);
    const std::vector<double> before = memory;
    const Plan plan =
        make_plan(parse("0.5*norm2(X)^2"), {batched("X", n, n)}, {.value = false, .wrt = {"X"}});
    plan.run({strided(memory.data(), n, n, 2 * n, 1).batched(batch, 2 * n * n)},
             {strided(memory.data() + n, n, n, 2 * n, 1).batched(batch, 2 * n * n)});
    for (std::size_t row = 0; row < static_cast<std::size_t>(n * batch); ++row) {
        for (std::size_t j = 0; j < n; ++j) {
            EXPECT_EQ(memory[row * 2 * n + j], before[row * 2 * n + j]);
            EXPECT_EQ(memory[row * 2 * n + n + j], before[row * 2 * n + j]);  // the gradient is X
        }
    }
}

TEST(PlanResults, SumAndMeanCoverTheBatch) {
    const LeastSquares data(50);
    VectorXd sum = VectorXd::Zero(3);
    double value_sum = 0;
    for (std::int64_t k = 0; k < 50; ++k) {
        sum += data.gradient(k);
        value_sum += data.residual(k).squaredNorm();
    }
    for (const Reduction reduction : {Reduction::sum, Reduction::mean}) {
        PlanOptions options;
        options.reduction = reduction;
        options.reductions = {{"gradient x", reduction}};
        double value = 0;
        std::vector<double> gradient(3);
        data.plan(options).run(data.operands(), {value, gradient});
        const double count = reduction == Reduction::mean ? 50 : 1;
        const double bound = 50 * (LeastSquares::kBound + 50 * kEps * 2 * 7 * 4);
        EXPECT_NEAR(value, value_sum / count, bound);
        for (std::int64_t i = 0; i < 3; ++i) {
            EXPECT_NEAR(gradient[static_cast<std::size_t>(i)], sum(i) / count, bound);
        }
    }
}

/// Four 2-by-2 matrices diag(k+1, 1), some spoilt.
std::vector<double> diagonal_matrices(const std::vector<int>& spoilt) {
    std::vector<double> s(16, 0);
    for (std::size_t k = 0; k < 4; ++k) {
        s[4 * k] = static_cast<double>(k + 1);
        s[4 * k + 3] = 1;
    }
    for (const int k : spoilt) {
        s[4 * static_cast<std::size_t>(k) + 3] = -1;
    }
    return s;
}

struct LogDetRun {
    double value = 0;
    std::vector<double> gradient = std::vector<double>(4);
    std::vector<std::int32_t> status = std::vector<std::int32_t>(4, -1);
    RunSummary summary;
};

LogDetRun run_logdet(const std::vector<int>& spoilt, Reduction reduction, std::int64_t batch = 4) {
    const std::vector<double> s = diagonal_matrices(spoilt);
    PlanOptions options;
    options.wrt = {"S"};
    options.reduction = reduction;
    options.reductions = {{"gradient S", reduction}};
    const Declaration declared[] = {parse_declaration("S=n,n:spd")};
    const Plan plan = make_plan(parse("logdet(S)", declared), {batched("S", 2, 2)}, options);
    LogDetRun run;
    run.status.resize(static_cast<std::size_t>(batch));
    run.summary =
        plan.run({row_major(s, 2, 2).batched(batch)}, {run.value, run.gradient}, run.status);
    return run;
}

TEST(PlanResults, SumAndMeanLeaveOutTheProblemsThatFailed) {
    const LogDetRun sum = run_logdet({1}, Reduction::sum);
    EXPECT_EQ(sum.summary.failed, 1);
    EXPECT_EQ(sum.status,
              (std::vector<std::int32_t>{0, make_status(StatusKind::not_positive, 2), 0, 0}));
    EXPECT_NEAR(sum.value, std::log(3.0) + std::log(4.0), 8 * kEps);
    EXPECT_NEAR(sum.gradient[0], 1 + 1.0 / 3 + 1.0 / 4, 8 * kEps);
    EXPECT_NEAR(sum.gradient[3], 3, 8 * kEps);
    const LogDetRun mean = run_logdet({1}, Reduction::mean);
    EXPECT_NEAR(mean.value, (std::log(3.0) + std::log(4.0)) / 3, 8 * kEps);
    EXPECT_NEAR(mean.gradient[3], 1, 8 * kEps);
}

TEST(PlanResults, SumOverNothingIsZeroAndMeanOverFailuresAloneIsNaN) {
    const LogDetRun sum = run_logdet({0, 1, 2, 3}, Reduction::sum);
    EXPECT_EQ(sum.summary.failed, 4);
    EXPECT_EQ(sum.value, 0);
    EXPECT_EQ(sum.gradient, std::vector<double>(4, 0.0));
    const LogDetRun mean = run_logdet({0, 1, 2, 3}, Reduction::mean);
    EXPECT_TRUE(std::isnan(mean.value));
    EXPECT_TRUE(std::isnan(mean.gradient[0]));
    const LogDetRun empty = run_logdet({}, Reduction::mean, 0);
    EXPECT_EQ(empty.summary.problems, 0);
    EXPECT_EQ(empty.value, 0);
    EXPECT_EQ(empty.gradient, std::vector<double>(4, 0.0));
}

/// f = tr(A*X) + logdet(S): the gradient A' with respect to X is one for all problems.
struct ConstantGradient {
    std::vector<double> a{1, 2, 3, 4, 5, 6};  // 3-by-2
    std::vector<double> x = random_numbers(4 * 6, 6);
    std::vector<double> s = diagonal_matrices({2});
    std::vector<double> gradient = std::vector<double>(4 * 6, 0.0);

    RunSummary run(Reduction reduction, std::span<std::int32_t> status) {
        PlanOptions options;
        options.value = false;
        options.wrt = {"X"};
        options.reductions = {{"gradient X", reduction}};
        const Declaration declared[] = {parse_declaration("S=n,n:spd")};
        const Expr f = parse("tr(A*X) + logdet(S)", declared);
        const Plan plan =
            make_plan(f, {shared("A", 3, 2), batched("X", 2, 3), batched("S", 2, 2)}, options);
        const View g = row_major(gradient, 2, 3);
        return plan.run({a, x, s}, {reduction == Reduction::none ? g.batched(4) : g}, status);
    }
};

TEST(PlanResults, ThatDoNotDependOnTheProblemAreWrittenForEachOfThem) {
    ConstantGradient data;
    std::vector<std::int32_t> status(4, -1);
    data.run(Reduction::none, status);
    const double transposed[] = {1, 3, 5, 2, 4, 6};
    for (std::size_t k = 0; k < 4; ++k) {
        for (std::size_t i = 0; i < 6; ++i) {
            const double found = data.gradient[6 * k + i];
            if (status[k] == 0) {
                EXPECT_EQ(found, transposed[i]);
            } else {
                EXPECT_TRUE(std::isnan(found));
            }
        }
    }
}

TEST(PlanResults, ThatDoNotDependOnTheProblemAreSummedOverTheBatch) {
    ConstantGradient data;
    const RunSummary summary = data.run(Reduction::sum, {});
    const double count = static_cast<double>(summary.problems - summary.failed);
    const double transposed[] = {1, 3, 5, 2, 4, 6};
    for (std::size_t i = 0; i < 6; ++i) {
        EXPECT_EQ(data.gradient[i], count * transposed[i]);
    }
}

/// f = 0.5*|x - V*u|^2 + logdet(S) with a V for all and a u for each: the derivative of the sum over the
/// batch.
TEST(PlanResults, OfASumAreSummedForSharedVariablesAndEachProblemsForBatchedOnes) {
    constexpr std::int64_t m = 3, n = 2, batch = 70;
    const std::vector<double> x = random_numbers(m * batch, 1), v = random_numbers(m * n, 2),
                              u = random_numbers(n * batch, 3), d = random_numbers(n * batch, 4);
    std::vector<double> s;
    for (std::int64_t k = 0; k < batch; ++k) {
        s.insert(s.end(), {2, 0, 0, k % 10 == 3 ? -1.0 : 1.0});
    }
    const Declaration declared[] = {parse_declaration("S=k,k:spd")};
    const Expr f = parse("0.5*norm2(x - V*u)^2 + logdet(S)", declared);
    for (const Reduction reduction : {Reduction::sum, Reduction::mean}) {
        std::vector<std::vector<double>> found;
        for (const int threads : {1, 3}) {
            PlanOptions options;
            options.wrt = {"V", "u"};
            options.hvp = {{"u", "d"}};
            options.reduction = reduction;
            options.threads = threads;
            const Plan plan = make_plan(f,
                                        {batched("x", m), shared("V", m, n), batched("u", n),
                                         batched("S", 2, 2), batched("d", n)},
                                        options);
            double value = 0;
            std::vector<double> gv(m * n), gu(n * batch), hu(n * batch);
            std::vector<std::int32_t> status(batch);
            plan.run({x, v, u, s, d}, {value, gv, gu, hu}, status);
            EXPECT_TRUE(plan.check({x, v, u, s, d}, {value, gv, gu, hu}, status).passed());
            const double count = reduction == Reduction::mean ? 63 : 1;
            const Eigen::Map<const RowMajor> V(v.data(), m, n);
            MatrixXd sum = MatrixXd::Zero(m, n);
            for (std::int64_t k = 0; k < batch; ++k) {
                const Eigen::Map<const VectorXd> uk(u.data() + k * n, n), dk(d.data() + k * n, n);
                const VectorXd r = Eigen::Map<const VectorXd>(x.data() + k * m, m) - V * uk;
                const VectorXd g = -V.transpose() * r / count;
                const VectorXd h = V.transpose() * V * dk / count;
                for (std::int64_t i = 0; i < n; ++i) {
                    const auto at = static_cast<std::size_t>(k * n + i);
                    if (k % 10 == 3) {
                        EXPECT_TRUE(std::isnan(gu[at]) && std::isnan(hu[at]));
                    } else {
                        // At most m + n + 2 roundings of sums of numbers below 12.
                        EXPECT_NEAR(gu[at], g(i), 12 * 8 * kEps);
                        EXPECT_NEAR(hu[at], h(i), 12 * 8 * kEps);
                    }
                }
                sum -= k % 10 == 3 ? MatrixXd::Zero(m, n) : MatrixXd(r * uk.transpose() / count);
            }
            for (std::int64_t i = 0; i < m * n; ++i) {
                EXPECT_NEAR(gv[static_cast<std::size_t>(i)], sum(i / n, i % n), 63 * 8 * kEps);
            }
            gu.insert(gu.end(), gv.begin(), gv.end());
            found.push_back(gu);
            // The check sees a gradient that is not divided, or divided by another count.
            hu[0] *= 1.5;
            EXPECT_FALSE(
                plan.check({x, v, u, s, d}, {value, gv, std::span(gu).first(n * batch), hu}, status)
                    .passed());
        }
        for (std::size_t i = 0; i < found[0].size(); ++i) {
            EXPECT_TRUE(found[0][i] == found[1][i] || std::isnan(found[0][i]));
        }
    }
}

TEST(PlanResults, OfAMeanAreDividedAlsoWhereTheyAreOneForAllProblems) {
    ConstantGradient data;
    PlanOptions options;
    options.wrt = {"X"};
    options.reduction = Reduction::mean;
    const Declaration declared[] = {parse_declaration("S=n,n:spd")};
    const Plan plan =
        make_plan(parse("tr(A*X) + logdet(S)", declared),
                  {shared("A", 3, 2), batched("X", 2, 3), batched("S", 2, 2)}, options);
    double value = 0;
    plan.run({data.a, data.x, data.s}, {value, data.gradient});
    for (std::size_t k = 0; k < 4; ++k) {
        if (k == 2) {
            EXPECT_TRUE(std::isnan(data.gradient[6 * k]));
        } else {
            EXPECT_EQ(data.gradient[6 * k + 1], 3.0 / 3);
            EXPECT_EQ(data.gradient[6 * k + 5], 6.0 / 3);
        }
    }
    // There is no accumulating what is divided at the end.
    try {
        plan.run({data.a, data.x, data.s}, {{"value", value}, {"gradient X", data.gradient, 1.0}});
        FAIL() << "no error";
    } catch (const OperandError& error) {
        EXPECT_EQ(
            std::string(error.what()),
            "the result gradient X is to be added to 1 times what is there: expected 0, since "
            "it is one of each problem and a mean divides it when the batch is done");
    }
}

TEST(PlanResults, DoNotDependOnTheNumberOfThreads) {
    const LeastSquares data(1000);
    std::vector<std::vector<double>> found;
    for (const int threads : {1, 2, 5}) {
        PlanOptions options;
        options.threads = threads;
        std::vector<double> value(1000), gradient(3000);
        data.plan(options).run(data.operands(), {value, gradient});
        value.insert(value.end(), gradient.begin(), gradient.end());
        found.push_back(value);
    }
    EXPECT_EQ(found[0], found[1]);
    EXPECT_EQ(found[0], found[2]);
}

TEST(PlanResults, OfOnePlanRunFromSeveralThreadsAtOnceAreTheSame) {
    const LeastSquares data(500);
    const Plan plan = data.plan({});
    std::vector<std::vector<double>> gradients(4, std::vector<double>(1500));
    std::vector<std::thread> threads;
    for (auto& gradient : gradients) {
        threads.emplace_back([&] {
            std::vector<double> value(500);
            plan.run(data.operands(), {value, gradient});
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    for (const auto& gradient : gradients) {
        EXPECT_EQ(gradient, gradients[0]);
    }
    EXPECT_NEAR(gradients[0][0], data.gradient(0)(0), LeastSquares::kBound);
}

TEST(PlanResults, OfOneEntryIsThatOfTheWholeGradient) {
    const std::int64_t m = 5, n = 3, p = 4;
    const std::vector<double> x = random_numbers(m * n, 7);
    const std::vector<double> a = random_numbers(p * n, 8);
    const MatrixXd at = Eigen::Map<const RowMajor>(x.data(), m, n);
    const MatrixXd by = Eigen::Map<const RowMajor>(a.data(), p, n);
    const MatrixXd expected = at * by.transpose() * by;
    PlanOptions options;
    options.value = false;
    options.wrt = {"X"};
    for (std::int64_t i = 0; i < m; ++i) {
        for (std::int64_t j = 0; j < n; ++j) {
            options.entry = Entry{i, j};
            double found = 0;
            make_plan(parse("0.5*norm2(X*A')^2"), {shared("X", m, n), shared("A", p, n)}, options)
                .run({x, a}, {found});
            // n*p products of numbers below 1.
            EXPECT_NEAR(found, expected(i, j), 4.0 * n * p * (n + p) * kEps);
        }
    }
}

TEST(PlanResults, OfTheHessianOfAQuadraticFormAreItsMatrixTimesTheDirection) {
    const std::int64_t n = 4, batch = 3;
    std::vector<double> a = random_numbers(n * n, 9);
    const std::vector<double> x = random_numbers(n * batch, 10);
    const std::vector<double> v = random_numbers(n * batch, 11);
    PlanOptions options;
    options.value = false;
    options.hvp = {{"x", "v"}};
    const Plan plan =
        make_plan(parse("x'*A*x"), {shared("A", n, n), batched("x", n), batched("v", n)}, options);
    ASSERT_EQ(plan.outputs().size(), 1u);
    EXPECT_EQ(plan.outputs()[0].kind, OutputKind::hvp);
    std::vector<double> hvp(n * batch);
    plan.run({{"x", x}, {"A", a}, {"v", v}}, {{"hvp x", hvp}});
    const MatrixXd matrix = Eigen::Map<const RowMajor>(a.data(), n, n);
    for (std::int64_t k = 0; k < batch; ++k) {
        const VectorXd expected =
            (matrix + matrix.transpose()) * Eigen::Map<const VectorXd>(v.data() + k * n, n);
        for (std::int64_t i = 0; i < n; ++i) {
            EXPECT_NEAR(hvp[static_cast<std::size_t>(k * n + i)], expected(i), 8.0 * n * kEps);
        }
    }
}

TEST(PlanHooks, AreToldOfProgressThatOnlyGrows) {
    const LeastSquares data(200000);
    std::vector<double> value(200000), gradient(600000);
    std::vector<std::int64_t> seen;
    RunOptions options;
    options.hooks.advance = [&](std::int64_t done) {
        seen.push_back(done);
        return true;
    };
    data.plan({}).run(data.operands(), {value, gradient}, {}, options);
    ASSERT_FALSE(seen.empty());
    EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
    EXPECT_GE(seen.front(), 0);
    EXPECT_LE(seen.back(), 200000);
}

TEST(PlanHooks, EndTheRunByReturningFalse) {
    const LeastSquares data(1000);
    std::vector<double> value(1000), gradient(3000);
    RunOptions options;
    options.hooks.advance = [](std::int64_t) { return false; };
    EXPECT_THROW(data.plan({}).run(data.operands(), {value, gradient}, {}, options), Interrupted);
}

}  // namespace
}  // namespace matgrad
