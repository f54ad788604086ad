// The whole road: text, gradient, Program, CPU executor, against the oracle. Every row of the
// table, operands shared and batched, float and double, in both layouts' sizes.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "matgrad/matgrad.hpp"
#include "reference/random_problem.hpp"
#include "reference/reference.hpp"
#include "support/cookbook.hpp"
#include "support/functions.hpp"

namespace matgrad {
namespace {

using Sizes = std::map<std::string, std::int64_t>;

std::int64_t size_of_dim(const Dim& d, const Sizes& sizes) {
    return d.name.empty() ? d.size : sizes.at(d.name);
}

/// Row-major copies of `count` random problems (one if shared).
template <typename T>
struct Data {
    std::vector<std::vector<T>> buffers;
    std::vector<MatrixMap> problems;  ///< exactly what the buffers hold, in double
};

template <typename T>
Data<T> random_batch(const std::vector<Declaration>& declarations, const Sizes& sizes,
                     const std::vector<bool>& batched, std::int64_t batch) {
    Data<T> data;
    data.buffers.resize(declarations.size());
    for (std::int64_t b = 0; b < batch; ++b) {
        const MatrixMap own =
            random_values(declarations, sizes, 1000 + static_cast<std::uint64_t>(b));
        const MatrixMap common = random_values(declarations, sizes, 999);
        MatrixMap problem;
        for (std::size_t k = 0; k < declarations.size(); ++k) {
            const std::string& name = declarations[k].name;
            const Eigen::MatrixXd& m = (batched[k] ? own : common).at(name);
            const Eigen::Matrix<T, -1, -1> rounded = m.cast<T>();
            problem[name] = rounded.template cast<double>();
            if (batched[k] || b == 0) {
                for (Eigen::Index i = 0; i < m.rows(); ++i) {
                    for (Eigen::Index j = 0; j < m.cols(); ++j) {
                        data.buffers[k].push_back(rounded(i, j));
                    }
                }
            }
        }
        data.problems.push_back(std::move(problem));
    }
    return data;
}

/// How far an expression moves when every operand moves by one unit in the last place of T.
template <typename T>
double sensitivity(const Expr& e, const std::vector<Declaration>& declarations,
                   const MatrixMap& values, const Sizes& sizes, const Eigen::MatrixXd& at) {
    constexpr double kEps = std::numeric_limits<T>::epsilon();
    double worst = 0;
    for (std::uint64_t k = 0; k < 3; ++k) {
        const MatrixMap noise = random_directions(declarations, sizes, 77 + k);
        MatrixMap moved = values;
        for (auto& [name, m] : moved) {
            m += kEps * m.norm() / std::max(noise.at(name).norm(), 1e-30) * noise.at(name);
        }
        worst = std::max(worst, (evaluate_reference(e, moved, sizes) - at).norm());
    }
    return worst;
}

struct Case {
    Sizes sizes;
    bool all_batched;
    std::int64_t batch;
};

template <typename T>
void expect_row(const Expr& f, const std::string& wrt, const Case& c, Accuracy accuracy) {
    const std::vector<Declaration> declarations = symbols(f);
    std::vector<Operand> operands;
    std::vector<bool> batched;
    for (const Declaration& d : declarations) {
        batched.push_back(c.all_batched || d.name == wrt);
        operands.push_back({d.name, size_of_dim(d.shape.rows, c.sizes),
                            size_of_dim(d.shape.cols, c.sizes), batched.back()});
    }
    const Data<T> data = random_batch<T>(declarations, c.sizes, batched, c.batch);
    PlanOptions options;
    options.type = sizeof(T) == 4 ? ScalarType::float32 : ScalarType::float64;
    options.accuracy = accuracy;
    options.wrt = {wrt};
    const Plan plan = make_plan(f, operands, c.batch, options);
    std::vector<ConstBatch> inputs;
    ASSERT_EQ(plan.operands().size(), operands.size());
    for (const Operand& o : plan.operands()) {
        for (std::size_t k = 0; k < operands.size(); ++k) {
            if (operands[k].name == o.name) {
                inputs.push_back(ConstBatch::contiguous(data.buffers[k].data(), o.rows, o.cols));
            }
        }
    }
    const OutputInfo& info = plan.outputs()[1];
    const auto batch = static_cast<std::size_t>(c.batch);
    std::vector<T> value(batch, T(-1));
    std::vector<T> gradient(batch * static_cast<std::size_t>(info.rows * info.cols), T(-1));
    std::vector<std::int32_t> status(batch, -1);
    const Batch results[] = {Batch::contiguous(value.data(), 1, 1),
                             Batch::contiguous(gradient.data(), info.rows, info.cols)};
    plan.run(c.batch, inputs, results, status);

    const Expr g = differentiate(f, wrt);
    for (std::size_t b = 0; b < batch; ++b) {
        SCOPED_TRACE("problem " + std::to_string(b) + " of " + to_text(f));
        EXPECT_EQ(status[b], 0);
        const MatrixMap& problem = data.problems[b];
        // c * n * eps * (what the result is made of): rounding of inner products, plus what one
        // unit in the last place of the operands does to the result (its condition).
        const double n = 64.0 * std::numeric_limits<T>::epsilon();
        const Eigen::MatrixXd expected_f = evaluate_reference(f, problem, c.sizes);
        // A determinant may lie beyond the range of T: infinity, zero or a subnormal is right then.
        const double size = expected_f.norm();
        if (size > 1e-6 * double{std::numeric_limits<T>::max()} ||
            size < 1e6 * double{std::numeric_limits<T>::min()}) {
            continue;
        }
        const double f_bound = n * expected_f.norm() +
                               64 * sensitivity<T>(f, declarations, problem, c.sizes, expected_f);
        EXPECT_NEAR(static_cast<double>(value[b]), expected_f(0, 0), f_bound);
        const Eigen::MatrixXd expected = evaluate_reference(g, problem, c.sizes);
        Eigen::MatrixXd ours(info.rows, info.cols);
        for (Eigen::Index i = 0; i < info.rows; ++i) {
            for (Eigen::Index j = 0; j < info.cols; ++j) {
                ours(i, j) = static_cast<double>(
                    gradient[b * static_cast<std::size_t>(info.rows * info.cols) +
                             static_cast<std::size_t>(i * info.cols + j)]);
            }
        }
        const double g_bound =
            n * expected.norm() + 64 * sensitivity<T>(g, declarations, problem, c.sizes, expected);
        EXPECT_LE((ours - expected).norm(), g_bound) << to_text(g);
    }
}

class Road : public testing::TestWithParam<CookbookRow> {
protected:
    [[nodiscard]] Expr f() const { return parse(GetParam().f, GetParam().declarations); }
    static std::vector<Case> cases() {
        return {{{{"m", 7}, {"n", 3}, {"p", 5}, {"q", 2}}, true, 5},
                {{{"m", 7}, {"n", 3}, {"p", 5}, {"q", 2}}, false, 37},
                {{{"m", 2}, {"n", 1}, {"p", 3}, {"q", 1}}, true, 3},
                {{{"m", 150}, {"n", 65}, {"p", 33}, {"q", 17}}, false, 2}};
    }
};

TEST_P(Road, DoubleAgreesWithTheOracle) {
    for (const Case& c : cases()) {
        expect_row<double>(f(), GetParam().wrt, c, Accuracy::robust);
    }
}

TEST_P(Road, RobustFloatAgreesWithTheOracle) {
    for (const Case& c : cases()) {
        expect_row<float>(f(), GetParam().wrt, c, Accuracy::robust);
    }
}

INSTANTIATE_TEST_SUITE_P(Row, Road, testing::ValuesIn(read_cookbook()), [](const auto& row) {
    std::string name = "Eq" + row.param.equation;
    for (char& c : name) {
        if (c == '-') {
            c = '_';
        }
    }
    return name;
});

class EveryFunction : public testing::TestWithParam<FunctionCase> {};

TEST_P(EveryFunction, AgreesWithTheOracleInDoubleAndFloat) {
    const Expr f = parse(GetParam().f, parse_declarations(GetParam().declarations));
    const Case cases[] = {{{{"m", 7}, {"n", 5}, {"p", 6}, {"q", 4}}, true, 19},
                          {{{"m", 7}, {"n", 5}, {"p", 6}, {"q", 4}}, false, 3},
                          {{{"m", 90}, {"n", 70}, {"p", 80}, {"q", 75}}, false, 2}};
    for (const Case& c : cases) {
        expect_row<double>(f, GetParam().wrt, c, Accuracy::robust);
        expect_row<float>(f, GetParam().wrt, c, Accuracy::robust);
    }
}

INSTANTIATE_TEST_SUITE_P(Case, EveryFunction, testing::ValuesIn(kFunctions));

TEST(RoadEdge, GradientAloneMayNeedNoOperandButItsSize) {
    const Operand operands[] = {{"X", 3, 3, true}};
    PlanOptions options;
    options.value = false;
    options.wrt = {"X"};
    const Plan plan = make_plan(parse("tr(X)"), operands, 2, options);
    const std::vector<double> x(18, 7.0);
    std::vector<double> g(18, -1.0);
    const ConstBatch inputs[] = {ConstBatch::contiguous(x.data(), 3, 3)};
    const Batch results[] = {Batch::contiguous(g.data(), 3, 3)};
    plan.run(2, inputs, results);
    for (std::size_t i = 0; i < 18; ++i) {
        EXPECT_EQ(g[i], i % 9 % 4 == 0 ? 1.0 : 0.0) << i;
    }
}

}  // namespace
}  // namespace matgrad
