#pragma once
/// \file The whole road held against the oracle: text, gradient, Program, executor.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "api/plan_making.hpp"
#include "expression/node.hpp"
#include "matgrad/matgrad.hpp"
#include "reference/random_problem.hpp"
#include "reference/reference.hpp"
#include "road/test_device.hpp"
#include "support/scatter.hpp"
#include "support/verified_program.hpp"

namespace matgrad {

using Sizes = std::map<std::string, std::int64_t>;

inline std::int64_t size_of_dim(const Dim& d, const Sizes& sizes) {
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
        worst = std::max(worst, (evaluate_reference(e, moved, sizes) - at).stableNorm());
    }
    return worst;
}

/// Which operands have one matrix per problem.
enum class Batched { all, variable, others };

struct Case {
    Sizes sizes;
    Batched batched;
    std::int64_t batch;
    Reduction reduction = Reduction::none;
};

/// What one run gave: value and gradient of each problem, or one reduced over them, in double.
struct Outcome {
    std::vector<double> values;
    std::vector<Eigen::MatrixXd> gradients;
    std::vector<std::int32_t> status;
    std::vector<MatrixMap> problems;  ///< the operands of each problem
};

template <typename T>
Outcome run_road(const Expr& f, const std::string& wrt, Case c, Accuracy accuracy) {
    const std::vector<Declaration> declarations = symbols(f);
    std::vector<Operand> operands;
    std::vector<bool> batched;
    for (const Declaration& d : declarations) {
        batched.push_back(c.batched == Batched::all ||
                          (d.name == wrt) == (c.batched == Batched::variable));
        operands.push_back({d.name, size_of_dim(d.shape.rows, c.sizes),
                            size_of_dim(d.shape.cols, c.sizes), batched.back()});
    }
    if (std::find(batched.begin(), batched.end(), true) == batched.end()) {
        c.batch = 1;  // a function of the variable alone, and that shared
    }
    const Data<T> data = random_batch<T>(declarations, c.sizes, batched, c.batch);
    PlanOptions options;
    options.type = sizeof(T) == 4 ? ScalarType::float32 : ScalarType::float64;
    options.accuracy = accuracy;
    options.wrt = {wrt};
    options.reduction = c.reduction;
    if (c.reduction != Reduction::none) {
        options.reductions = {{"gradient " + wrt, c.reduction}};  // of a batched variable too
    }
    options.expected_batch = c.batch;
    options.device = test_device().device;
    options.executor = test_device().executor;
    (void)verified_program(detail::make_request(f, operands, options));
    const Plan plan = make_plan(f, operands, options);
    std::vector<OperandView> inputs;
    for (std::size_t k = 0; k < operands.size(); ++k) {
        const Operand& o = operands[k];
        const ConstView matrix = row_major(data.buffers[k].data(), o.rows, o.cols);
        inputs.emplace_back(o.name, o.batched ? matrix.batched(c.batch) : matrix);
    }
    const OutputInfo& info = plan.outputs()[1];
    const auto batch = static_cast<std::size_t>(c.batch);
    const auto count = static_cast<std::size_t>(info.rows * info.cols);
    const std::size_t results_of_each = c.reduction == Reduction::none ? batch : 1;
    std::vector<T> value(results_of_each, T(-1));
    std::vector<T> gradient(results_of_each * count, T(-1));
    Outcome outcome;
    outcome.status.assign(batch, -1);
    const auto whole = [&](const View& one) { return info.batched ? one.batched(c.batch) : one; };
    plan.run(inputs,
             {whole(row_major(value.data(), 1, 1)),
              whole(row_major(gradient.data(), info.rows, info.cols))},
             outcome.status);
    for (std::size_t b = 0; b < results_of_each; ++b) {
        using Rows = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
        const Eigen::Map<const Rows> g(gradient.data() + b * count, info.rows, info.cols);
        outcome.values.push_back(static_cast<double>(value[b]));
        outcome.gradients.push_back(g.template cast<double>());
    }
    outcome.problems = data.problems;
    return outcome;
}

/// What an expression should be, and how far rounding may take it: c * n * eps * (its size), for
/// inner products, plus what one unit in the last place of the operands does to it (its condition).
struct Expected {
    Eigen::MatrixXd value;
    double bound = 0;

    /// False where nothing can be said: not finite, or beyond the range or the digits of T, as a
    /// determinant may be.
    template <typename T>
    [[nodiscard]] bool is_determined() const {
        const double size = value.stableNorm();
        return std::isfinite(bound) && size < 1e-6 * double{std::numeric_limits<T>::max()} &&
               size > 1e6 * double{std::numeric_limits<T>::min()} && bound < 0.1 * size;
    }
};

/// The largest condition number among what `e` inverts or takes the determinant of.
inline double worst_condition(const Expr& e, const MatrixMap& problem, const Sizes& sizes) {
    double worst = 1;
    const Expr roots[] = {e};
    for (const Expr& node : topological_order(roots)) {
        if (node->op != Op::inverse && node->op != Op::det && node->op != Op::logdet) {
            continue;
        }
        const Eigen::MatrixXd inner = evaluate_reference(node->children.front(), problem, sizes);
        if (!inner.allFinite()) {
            return std::numeric_limits<double>::infinity();
        }
        const auto s = Eigen::JacobiSVD<Eigen::MatrixXd>(inner).singularValues();
        worst = std::max(worst, s(0) / s(s.size() - 1));
    }
    return worst;
}

/// True if nothing on the way to `e` leaves the range that even powers of it fit in T.
template <typename T>
bool is_moderate(const Expr& e, const MatrixMap& problem, const Sizes& sizes) {
    constexpr double kLargest = sizeof(T) == 4 ? 1e9 : 1e75;
    const Expr roots[] = {e};
    for (const Expr& node : topological_order(roots)) {
        const Eigen::MatrixXd value = evaluate_reference(node, problem, sizes);
        for (const double x : value.reshaped()) {
            if (!(std::abs(x) < kLargest) || (x != 0 && std::abs(x) < 1 / kLargest)) {
                return false;
            }
        }
    }
    return true;
}

template <typename T>
Expected expected_of(const Expr& e, const Expr& f, const MatrixMap& problem, const Sizes& sizes) {
    Expected result;
    result.value = evaluate_reference(e, problem, sizes);
    result.bound = 64.0 * std::numeric_limits<T>::epsilon() * result.value.stableNorm() +
                   64 * sensitivity<T>(e, symbols(f), problem, sizes, result.value);
    return result;
}

/// Functions from a table are tame; in random ones an intermediate of T may overflow where the
/// oracle's double does not, and what is inverted may be ill conditioned in a way that no small
/// change of the operands shows.
enum class Kind { tame, random };

/// Holds every problem of a run against the oracle. Returns how many comparisons were made.
template <typename T>
int expect_row(const Expr& f, const std::string& wrt, const Case& c, Accuracy accuracy,
               Kind kind = Kind::tame) {
    const Outcome outcome = run_road<T>(f, wrt, c, accuracy);
    const Expr g = differentiate(f, wrt);
    int compared = 0;
    for (std::size_t b = 0; b < outcome.values.size(); ++b) {
        SCOPED_TRACE("problem " + std::to_string(b) + " of " + to_text(f) + " by " + wrt);
        Expected value = expected_of<T>(f, f, outcome.problems[b], c.sizes);
        Expected gradient = expected_of<T>(g, f, outcome.problems[b], c.sizes);
        if (kind == Kind::random) {
            constexpr double kEps = std::numeric_limits<T>::epsilon();
            const double cond = std::max(worst_condition(f, outcome.problems[b], c.sizes),
                                         worst_condition(g, outcome.problems[b], c.sizes));
            value.bound += 64 * kEps * cond * value.value.stableNorm();
            gradient.bound += 64 * kEps * cond * gradient.value.stableNorm();
        }
        for (auto& [form, expected] :
             {std::pair<const Expr&, Expected&>(f, value), {g, gradient}}) {
            expected.bound +=
                8 * scatter(form, outcome.problems[b], c.sizes, std::numeric_limits<T>::epsilon());
        }
        if (!value.template is_determined<T>() || !gradient.template is_determined<T>()) {
            continue;
        }
        const double size = gradient.value.stableNorm();
        const bool is_extreme = sizeof(T) == 4 || !(size > 1e-50 && size < 1e50);
        if (kind == Kind::random && is_extreme &&
            !is_moderate<T>(g, outcome.problems[b], c.sizes)) {
            continue;
        }
        ++compared;
        EXPECT_EQ(outcome.status[b], 0);
        EXPECT_NEAR(outcome.values[b], value.value(0, 0), value.bound);
        EXPECT_LE((outcome.gradients[b] - gradient.value).stableNorm(), gradient.bound)
            << to_text(g);
    }
    return compared;
}

/// Holds the sum or mean over the batch against the oracle's. Returns 0 where some problem is not
/// determined.
template <typename T>
int expect_reduced_row(const Expr& f, const std::string& wrt, const Case& c) {
    const Outcome outcome = run_road<T>(f, wrt, c, Accuracy::robust);
    const Expr g = differentiate(f, wrt);
    SCOPED_TRACE("reduction of " + to_text(f) + " by " + wrt);
    const Expr parts[] = {f, g};
    const Eigen::MatrixXd got[] = {Eigen::MatrixXd::Constant(1, 1, outcome.values[0]),
                                   outcome.gradients[0]};
    for (std::size_t i = 0; i < 2; ++i) {
        Expected total;
        double sizes = 0;
        for (const MatrixMap& problem : outcome.problems) {
            const Expected one = expected_of<T>(parts[i], f, problem, c.sizes);
            if (!one.template is_determined<T>()) {
                return 0;
            }
            total.value = total.value.size() == 0 ? one.value : total.value + one.value;
            total.bound += one.bound;
            sizes += one.value.stableNorm();
        }
        const auto batch = static_cast<double>(c.batch);
        // The additions, in any order; the products of a sum of products may be among them.
        total.bound += batch * std::numeric_limits<T>::epsilon() * sizes;
        if (c.reduction == Reduction::mean) {
            total.value /= batch;
            total.bound /= batch;
        }
        EXPECT_LE((got[i] - total.value).stableNorm(), total.bound) << to_text(parts[i]);
    }
    for (const std::int32_t status : outcome.status) {
        EXPECT_EQ(status, 0);
    }
    return 1;
}

}  // namespace matgrad
