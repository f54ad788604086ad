#include "check/run_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "calculus/prepare.hpp"
#include "check/differential_check.hpp"
#include "check/read_matrix.hpp"
#include "check/stand_ins.hpp"
#include "expression/build.hpp"
#include "matgrad/calculus.hpp"
#include "matgrad/status.hpp"

namespace matgrad::detail {
namespace {

constexpr std::uint64_t kDirectionSeed = 7;
constexpr std::int64_t kSampleSize = 8;

Eigen::MatrixXd read(ScalarType type, const ConstStrided& view, std::int64_t rows,
                     std::int64_t cols, std::int64_t problem) {
    Eigen::MatrixXd result(rows, cols);
    read_matrix(type, view, problem, result);
    return result;
}

/// Sums over the batch of what the reference says of one output.
struct Total {
    double expected = 0;
    double bound = 0;
    double magnitude = 0;
};

/// One matrix for the batch, of all its problems.
bool is_reduced(const OutputInfo& output) {
    return !output.batched && output.reduction != Reduction::none;
}

bool any_reduced(std::span<const OutputInfo> outputs) {
    return std::any_of(outputs.begin(), outputs.end(), is_reduced);
}

/// Compares the results of one run.
class RunCheck {
public:
    RunCheck(const CheckedPlan& plan, const FinishedRun& run) : plan_(plan), run_(run) {
        const DifferentialCheck function = check_of(plan.f);
        std::vector<Declaration> known = symbols(plan.f);
        std::size_t hvp = 0;
        for (const OutputInfo& output : plan.outputs) {
            if (output.kind == OutputKind::hvp) {
                const Expr slope = slope_of_product(hvp++);
                const std::vector<Declaration> of_slope = symbols(slope);
                known.insert(known.end(), of_slope.begin(), of_slope.end());
                checks_.push_back(check_of(slope));
            } else {
                checks_.push_back(function);
            }
            report_.outputs.push_back({output.text()});
        }
        stand_ins_ = stand_ins(known, plan.operands);
        if (!run.status.empty()) {
            succeeded_ = std::count_if(run.status.begin(), run.status.end(), succeeded);
        } else {
            succeeded_ = run.batch;
        }
    }

    /// Sums and means over all problems; other results for `problems`.
    CheckReport operator()(std::span<const std::int64_t> problems) {
        std::vector<Total> totals(checks_.size());
        if (any_reduced(plan_.outputs)) {
            for (std::int64_t problem = 0; problem < run_.batch; ++problem) {
                const bool is_named =
                    std::find(problems.begin(), problems.end(), problem) != problems.end();
                look_at(problem, is_named, totals);
            }
        } else {
            for (const std::int64_t problem : problems) {
                look_at(problem, true, totals);
            }
        }
        for (std::size_t i = 0; i < checks_.size() && report_.problems > 0; ++i) {
            if (is_reduced(plan_.outputs[i])) {
                report_.outputs[i].add(compare(i, totals[i]), OutputCheck::kNoProblem);
            }
        }
        return std::move(report_);
    }

private:
    /// `is_named`: results of this problem alone are compared.
    void look_at(std::int64_t problem, bool is_named, std::vector<Total>& totals) {
        if (!take(problem)) {
            return;
        }
        const MatrixMap values = operands_of(problem);
        for (std::size_t i = 0; i < checks_.size(); ++i) {
            if (is_reduced(plan_.outputs[i])) {
                add(totals[i], i, values);
            } else if (is_named) {
                add_comparison(i, values, problem);
            }
        }
    }

    void add_comparison(std::size_t i, const MatrixMap& values, std::int64_t problem) {
        const OutputInfo& output = plan_.outputs[i];
        const Comparison found = compare(i, values, result_of(i, problem));
        const std::string variable = output.kind == OutputKind::value ? "" : output.name;
        if (found.passes() || !checks_[i].overflows(variable, values)) {
            report_.outputs[i].add(found, problem);
        }
    }

    /// The function whose gradient is Hessian-vector product `index`. The slope <grad f, V> is df(V),
    /// whatever the convention of what is differentiated next.
    [[nodiscard]] Expr slope_of_product(std::size_t index) const {
        const auto slope = [&](const HvpRequest& request) {
            return directional_function(with_subgradients(differentiate(plan_.f, request.variable),
                                                          plan_.f, request.variable),
                                        request.direction);
        };
        const std::vector<HvpRequest>& blocks = plan_.options.hvp;
        if (index < blocks.size()) {
            return slope(blocks[index]);
        }
        std::vector<Expr> slopes;
        for (const HvpRequest& request : plan_.options.joint_hvp) {
            slopes.push_back(slope(request));
        }
        return matgrad::add(slopes);
    }

    [[nodiscard]] DifferentialCheck check_of(const Expr& f) const {
        const PlanOptions& o = plan_.options;
        return {f, o.type, o.accuracy, o.tf32 && o.device.kind == DeviceKind::cuda};
    }

    /// Counts the problem; false if it has failed.
    bool take(std::int64_t problem) {
        const bool failed =
            !run_.status.empty() && !succeeded(run_.status[static_cast<std::size_t>(problem)]);
        ++(failed ? report_.failed : report_.problems);
        return !failed;
    }

    [[nodiscard]] MatrixMap operands_of(std::int64_t problem) const {
        MatrixMap values = stand_ins_;
        for (std::size_t i = 0; i < plan_.operands.size(); ++i) {
            const Operand& operand = plan_.operands[i];
            values[operand.name] = read(plan_.options.type, run_.operands[i], operand.rows,
                                        operand.cols, operand.batched ? problem : 0);
        }
        return values;
    }

    [[nodiscard]] Eigen::MatrixXd result_of(std::size_t i, std::int64_t problem) const {
        const OutputInfo& output = plan_.outputs[i];
        const Strided& view = run_.results[i];
        const bool is_divided = output.batched && output.reduction == Reduction::mean;
        return read(plan_.options.type,
                    {view.data, view.row_stride, view.col_stride, view.batch_stride}, output.rows,
                    output.cols, output.batched ? problem : 0) *
               (is_divided ? static_cast<double>(succeeded_) : 1.0);
    }

    [[nodiscard]] bool is_entry(const OutputInfo& output) const {
        return output.kind == OutputKind::gradient && plan_.options.entry.has_value();
    }

    [[nodiscard]] Comparison compare(std::size_t i, const MatrixMap& values,
                                     const Eigen::MatrixXd& result) const {
        const OutputInfo& output = plan_.outputs[i];
        const Convention convention = plan_.options.convention;
        if (output.kind == OutputKind::value) {
            return checks_[i].value(values, result(0, 0));
        }
        if (is_entry(output)) {
            return checks_[i].entry(output.name, convention, values, *plan_.options.entry,
                                    result(0, 0));
        }
        return checks_[i].gradient(output.name, convention, values, result, kDirectionSeed);
    }

    /// D of an output that is no value.
    [[nodiscard]] Eigen::MatrixXd direction(std::size_t i) const {
        const OutputInfo& output = plan_.outputs[i];
        if (!is_entry(output)) {
            return checks_[i].direction(output.name, output.rows, output.cols, kDirectionSeed);
        }
        const auto variable = std::find_if(plan_.operands.begin(), plan_.operands.end(),
                                           [&](const Operand& o) { return o.name == output.name; });
        std::int64_t rows = 0;
        std::int64_t cols = 0;
        if (variable != plan_.operands.end()) {
            rows = variable->rows;
            cols = variable->cols;
        } else {
            rows = stand_ins_.at(output.name).rows();
            cols = stand_ins_.at(output.name).cols();
        }
        return checks_[i].entry_direction(output.name, plan_.options.convention, rows, cols,
                                          *plan_.options.entry);
    }

    void add(Total& total, std::size_t i, const MatrixMap& values) const {
        const OutputInfo& output = plan_.outputs[i];
        if (output.kind == OutputKind::value) {
            const Expected one = checks_[i].expected(values);
            total.expected += one.f;
            total.bound += one.f_bound;
            total.magnitude += std::abs(one.f);
        } else {
            const Expected one = checks_[i].expected(output.name, values, direction(i));
            total.expected += one.df;
            total.bound += one.df_bound;
            total.magnitude += one.df_magnitude;
        }
    }

    [[nodiscard]] Comparison compare(std::size_t i, const Total& total) const {
        const OutputInfo& output = plan_.outputs[i];
        const Eigen::MatrixXd result = result_of(i, 0);
        const bool is_number = output.kind == OutputKind::value || is_entry(output);
        const double computed =
            is_number ? result(0, 0)
                      : checks_[i]
                            .products(output.name, plan_.options.convention, result, direction(i))
                            .sum();
        const bool is_mean = output.reduction == Reduction::mean;
        const double count = is_mean ? static_cast<double>(report_.problems) : 1;
        const double bound =
            total.bound + checks_[i].bound_of_sum(report_.problems, total.magnitude);
        return compare_numbers(total.expected / count, computed, bound / count);
    }

    const CheckedPlan& plan_;
    const FinishedRun& run_;
    MatrixMap stand_ins_;                    ///< for operands that were left out
    std::vector<DifferentialCheck> checks_;  ///< one per output
    std::int64_t succeeded_ = 0;             ///< of the whole batch
    CheckReport report_;
};

}  // namespace

std::vector<std::int64_t> sample_problems(std::int64_t batch) {
    std::vector<std::int64_t> sample;
    if (batch <= kSampleSize) {
        for (std::int64_t problem = 0; problem < batch; ++problem) {
            sample.push_back(problem);
        }
        return sample;
    }
    sample = {0, batch - 1};
    std::mt19937_64 engine(1);
    while (static_cast<std::int64_t>(sample.size()) < kSampleSize) {
        sample.push_back(static_cast<std::int64_t>(engine() % static_cast<std::uint64_t>(batch)));
    }
    std::sort(sample.begin(), sample.end());
    sample.erase(std::unique(sample.begin(), sample.end()), sample.end());
    return sample;
}

CheckReport check_results(const CheckedPlan& plan, const FinishedRun& run,
                          std::span<const std::int64_t> problems) {
    if (std::all_of(plan.outputs.begin(), plan.outputs.end(), is_reduced) && !problems.empty()) {
        throw OperandError(
            fmt::format("problem {} is to be compared, but the results are sums over the batch: "
                        "expected none to be named, since all are compared",
                        problems.front()));
    }
    for (const std::int64_t problem : problems) {
        if (problem < 0 || problem >= run.batch) {
            throw OperandError(fmt::format(
                "problem {} is to be compared: expected a number from 0 to below the batch of {}",
                problem, run.batch));
        }
    }
    RunCheck check(plan, run);
    if (!problems.empty()) {
        return check(problems);
    }
    const bool is_batched = std::any_of(plan.outputs.begin(), plan.outputs.end(),
                                        [](const OutputInfo& output) { return output.batched; });
    return check(sample_problems(is_batched ? run.batch : std::min<std::int64_t>(run.batch, 1)));
}

}  // namespace matgrad::detail
