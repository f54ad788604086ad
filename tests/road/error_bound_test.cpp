// The promise of PlanOptions::error: the bound holds in 99.9% of random and adversarial cases and is within
// 100 times of the error, or of eps, in 90%. Float results are compared with the naive evaluation in double of the
// same numbers; double ones with a singular value decomposition in long double.

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>
#include <iostream>
#include <limits>

#include "matgrad/matgrad.hpp"
#include "road/random_function.hpp"
#include "road/road_check.hpp"
#include "support/cookbook.hpp"
#include "support/functions.hpp"

namespace matgrad {
namespace {

enum class Draw { plain, ill, integers, large_and_small };

/// What makes a float program lose digits, of a random matrix of no structure.
void make_adversarial(Eigen::MatrixXd& m, Draw draw) {
    if (draw == Draw::ill) {  // columns that nearly agree
        for (Eigen::Index j = 1; j < m.cols(); ++j) {
            m.col(j) = m.col(0) + std::pow(10.0, -1.0 - 0.5 * static_cast<double>(j)) * m.col(j);
        }
    } else if (draw == Draw::integers) {
        m = (3 * m).array().round().matrix();
    } else if (draw == Draw::large_and_small) {
        for (Eigen::Index i = 0; i < m.rows(); ++i) {
            m.row(i) *= std::pow(10.0, static_cast<double>(i % 5) - 2.0);
        }
    }
}

/// How the bounds of many results fared.
struct Tally {
    int cases = 0;
    int broken = 0;  ///< the error was larger
    int loose = 0;   ///< more than 100 times max(error, eps)
    std::string first_broken;

    void add(double error, double bound, double epsilon, const std::string& what) {
        if (!std::isfinite(error)) {
            return;  // of what is 0
        }
        ++cases;
        loose += bound > 100 * std::max(error, epsilon) ? 1 : 0;
        if (!(error <= bound)) {
            ++broken;
            first_broken = first_broken.empty() ? what : first_broken;
        }
    }
    void expect_kept() const {
        std::cout << cases << " results, " << broken << " beyond their bound, " << loose
                  << " bounds more than 100 times max(error, eps)\n";
        EXPECT_LE(broken * 1000, cases) << "of " << cases << ", first " << first_broken;
        constexpr int kEnough = 200;  // fewer come of so few functions that one of them decides
        if (cases >= kEnough) {
            EXPECT_LE(loose * 10, cases) << "of " << cases;
        }
    }
};

constexpr std::int64_t kBatch = 6;

struct Problems {
    std::vector<Operand> operands;
    std::vector<std::vector<float>> buffers;
    std::vector<MatrixMap> values;
};

Problems draw_problems(const std::vector<Declaration>& declarations, const Sizes& sizes,
                       Draw draw) {
    Problems problems;
    problems.buffers.resize(declarations.size());
    for (const Declaration& d : declarations) {
        problems.operands.push_back(
            batched(d.name, size_of_dim(d.shape.rows, sizes), size_of_dim(d.shape.cols, sizes)));
    }
    for (std::int64_t b = 0; b < kBatch; ++b) {
        MatrixMap values = random_values(declarations, sizes, 40 + static_cast<std::uint64_t>(b));
        for (std::size_t k = 0; k < declarations.size(); ++k) {
            Eigen::MatrixXd& m = values.at(declarations[k].name);
            if (declarations[k].structure == Structure::general && m.size() > 1) {
                make_adversarial(m, draw);
            }
            const Eigen::Matrix<float, -1, -1, Eigen::RowMajor> rounded = m.cast<float>();
            m = rounded.cast<double>();
            problems.buffers[k].insert(problems.buffers[k].end(), rounded.data(),
                                       rounded.data() + rounded.size());
        }
        problems.values.push_back(std::move(values));
    }
    return problems;
}

double relative(const Eigen::MatrixXd& found, const Eigen::MatrixXd& exact) {
    const double size = exact.stableNorm();
    return size == 0 ? std::numeric_limits<double>::infinity()
                     : (found - exact).stableNorm() / size;
}

void count(const Expr& f, const std::string& wrt, const Sizes& sizes, Draw draw, Accuracy accuracy,
           Tally& tally) {
    const Problems problems = draw_problems(symbols(f), sizes, draw);
    PlanOptions options;
    options.type = ScalarType::float32;
    options.accuracy = accuracy;
    options.wrt = {wrt};
    options.error = true;
    options.device = test_device().device;
    (void)verified_program(detail::make_request(f, problems.operands, options));
    const Plan plan = make_plan(f, problems.operands, options);
    std::vector<OperandView> inputs;
    for (std::size_t k = 0; k < problems.operands.size(); ++k) {
        const Operand& o = problems.operands[k];
        inputs.emplace_back(o.name,
                            row_major(problems.buffers[k].data(), o.rows, o.cols).batched(kBatch));
    }
    const OutputInfo gradient_info = plan.outputs()[1];
    const std::int64_t entries = gradient_info.rows * gradient_info.cols;
    std::vector<float> value(kBatch);
    std::vector<float> gradient(static_cast<std::size_t>(kBatch * entries));
    std::vector<float> errors[2] = {value, value};
    std::vector<std::int32_t> status(kBatch, -1);
    plan.run(inputs,
             {{"value", row_major(value.data(), 1, 1).batched(kBatch)},
              {"gradient " + wrt,
               row_major(gradient.data(), gradient_info.rows, gradient_info.cols).batched(kBatch)},
              {"error value", row_major(errors[0].data(), 1, 1).batched(kBatch)},
              {"error gradient " + wrt, row_major(errors[1].data(), 1, 1).batched(kBatch)}},
             status);
    const Expr g = differentiate(f, wrt);
    for (std::size_t b = 0; b < kBatch; ++b) {
        // Beyond this condition the naive evaluation in double is no more exact than the results.
        constexpr double kWorstCondition = 1e7;
        if (!succeeded(status[b]) ||
            worst_condition(g, problems.values[b], sizes) > kWorstCondition) {
            continue;
        }
        const std::string what = to_text(f) + ", draw " + std::to_string(static_cast<int>(draw));
        const auto exact = [&](const Expr& e) {
            return evaluate_reference(e, problems.values[b], sizes);
        };
        using Rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
        const Eigen::Map<const Rows> found(gradient.data() + static_cast<std::int64_t>(b) * entries,
                                           gradient_info.rows, gradient_info.cols);
        const double epsilon = std::numeric_limits<float>::epsilon();
        tally.add(relative(Eigen::MatrixXd::Constant(1, 1, double{value[b]}), exact(f)),
                  double{errors[0][b]}, epsilon, what);
        tally.add(relative(found.cast<double>(), exact(g)), double{errors[1][b]}, epsilon,
                  "gradient of " + what);
    }
}

Sizes test_sizes() {
    return {{"m", 9}, {"n", 5}, {"p", 4}, {"q", 3}, {"k", 3}};
}

class ErrorBounds : public testing::TestWithParam<Accuracy> {};

TEST_P(ErrorBounds, HoldForTheFunctionsOfTheCookbook) {
    Tally tally;
    const Sizes sizes = test_sizes();
    for (const Draw draw : {Draw::plain, Draw::ill, Draw::integers, Draw::large_and_small}) {
        int at = static_cast<int>(draw);
        const auto is_turn = [&at] { return at++ % test_device().every == 0; };
        for (const CookbookRow& row : read_cookbook()) {
            if (is_turn()) {
                count(parse(row.f, row.declarations), row.wrt, sizes, draw, GetParam(), tally);
            }
        }
        for (const FunctionCase& c : kFunctions) {
            if (is_turn()) {
                count(parse(c.f, parse_declarations(c.declarations)), c.wrt, sizes, draw,
                      GetParam(), tally);
            }
        }
    }
    EXPECT_GT(tally.cases, 4500 / test_device().every);
    tally.expect_kept();
}

TEST_P(ErrorBounds, HoldForFunctionsNobodyWrote) {
    constexpr std::uint64_t kSeedsWhereSlow =
        8;  // a plan with bounds has some fifty kernels of its own
    Tally tally;
    const Seeds seeds;
    for (std::uint64_t seed = seeds.first; seed <= seeds.last; ++seed) {
        const RandomFunction random = random_function(seed);
        if (random.f && (test_device().every == 1 || seed <= kSeedsWhereSlow)) {
            count(random.f, random.wrt, test_sizes(), Draw::plain, GetParam(), tally);
        }
    }
    EXPECT_GT(tally.cases, 0);
    tally.expect_kept();
}

INSTANTIATE_TEST_SUITE_P(Float, ErrorBounds, testing::Values(Accuracy::fast, Accuracy::robust),
                         [](const auto& info) {
                             return info.param == Accuracy::fast ? "Fast" : "Robust";
                         });

void expect_programs_with_diagnostics(const Expr& f, const std::string& wrt) {
    std::vector<Operand> operands;
    for (const Declaration& d : symbols(f)) {
        operands.push_back(batched(d.name, size_of_dim(d.shape.rows, test_sizes()),
                                   size_of_dim(d.shape.cols, test_sizes())));
    }
    for (const ScalarType type : {ScalarType::float32, ScalarType::float64}) {
        for (const Accuracy accuracy : {Accuracy::fast, Accuracy::robust}) {
            PlanOptions options;
            options.type = type;
            options.accuracy = accuracy;
            options.wrt = {wrt};
            options.error = true;
            (void)verified_program(detail::make_request(f, operands, options));
            options.rcond = options.jitter = true;
            (void)verified_program(detail::make_request(f, operands, options));
        }
    }
}

TEST(Diagnostics, LeaveAProgramAfterEveryPass) {
    for (const CookbookRow& row : read_cookbook()) {
        expect_programs_with_diagnostics(parse(row.f, row.declarations), row.wrt);
    }
    for (const FunctionCase& c : kFunctions) {
        expect_programs_with_diagnostics(parse(c.f, parse_declarations(c.declarations)), c.wrt);
    }
}

/// logdet(X'*X) of condition 1 to 1e12.
TEST(ErrorBoundsOfDouble, HoldForGramMatricesOfAnyCondition) {
    using LongMatrix = Eigen::Matrix<long double, Eigen::Dynamic, Eigen::Dynamic>;
    using Rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    constexpr std::int64_t kM = 12;
    constexpr std::int64_t kN = 5;
    constexpr std::int64_t kProblems = 130;
    std::vector<double> data;
    std::vector<long double> values;
    std::vector<LongMatrix> gradients;
    for (std::int64_t b = 0; b < kProblems; ++b) {
        const auto seed = static_cast<std::uint64_t>(b) + 1;
        const Eigen::MatrixXd u = random_value(Structure::orthogonal, kM, kN, seed);
        const Eigen::MatrixXd v = random_value(Structure::orthogonal, kN, kN, seed + 500);
        Eigen::VectorXd s(kN);
        for (Eigen::Index i = 0; i < kN; ++i) {
            s(i) = std::pow(10.0, -static_cast<double>((b % 13) * i) / (kN - 1));
        }
        const Rows x = u * (2 * s).asDiagonal() * v.transpose();
        data.insert(data.end(), x.data(), x.data() + x.size());
        const Eigen::JacobiSVD<LongMatrix> svd(x.cast<long double>(),
                                               Eigen::ComputeThinU | Eigen::ComputeThinV);
        values.push_back(2 * svd.singularValues().array().log().sum());
        gradients.push_back(2 * svd.matrixU() * svd.singularValues().cwiseInverse().asDiagonal() *
                            svd.matrixV().transpose());
    }
    const Plan plan = make_plan(parse("logdet(X'*X)"), {batched("X", kM, kN)},
                                {.wrt = {"X"}, .device = test_device().device, .error = true});
    std::vector<double> value(kProblems);
    std::vector<double> gradient(data.size());
    std::vector<double> of_value(kProblems);
    std::vector<double> of_gradient(kProblems);
    std::vector<std::int32_t> status(kProblems, -1);
    plan.run({data}, {value, gradient, of_value, of_gradient}, status);
    Tally tally;
    for (std::size_t b = 0; b < kProblems; ++b) {
        ASSERT_EQ(status[b], 0);
        const double epsilon = std::numeric_limits<double>::epsilon();
        const auto lost = static_cast<double>(std::abs((value[b] - values[b]) / values[b]));
        const Eigen::Map<const Rows> found(gradient.data() + static_cast<std::int64_t>(b) * kM * kN,
                                           kM, kN);
        const auto error = static_cast<double>((found.cast<long double>() - gradients[b]).norm() /
                                               gradients[b].norm());
        tally.add(lost, of_value[b], epsilon, "value " + std::to_string(b));
        tally.add(error, of_gradient[b], epsilon, "gradient " + std::to_string(b));
        EXPECT_LT(of_gradient[b], 1) << "problem " << b;
    }
    tally.expect_kept();
}

}  // namespace
}  // namespace matgrad
