#include "allocations/run_case.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "support/random_numbers.hpp"

namespace matgrad::test {
namespace {

constexpr double kUnwritten = 0.375;
constexpr std::int32_t kNoStatus = -77;

void make_positive(std::vector<double>& numbers, std::int64_t n) {
    for (std::size_t at = 0; at < numbers.size(); at += static_cast<std::size_t>(n * n)) {
        for (std::int64_t i = 0; i < n; ++i) {
            for (std::int64_t j = 0; j < i; ++j) {
                numbers[at + static_cast<std::size_t>(i * n + j)] =
                    numbers[at + static_cast<std::size_t>(j * n + i)];
            }
            numbers[at + static_cast<std::size_t>(i * n + i)] += static_cast<double>(n);
        }
    }
}

/// The last column is nearly the first.
void make_nearly_singular(std::vector<double>& numbers, std::int64_t cols) {
    for (std::size_t row = 0; row < numbers.size(); row += static_cast<std::size_t>(cols)) {
        double& last = numbers[row + static_cast<std::size_t>(cols - 1)];
        last = numbers[row] + 1e-6 * last;
    }
}

/// As numbers of the type, in memory of doubles.
std::vector<double> stored(std::vector<double> numbers, ScalarType type) {
    if (type == ScalarType::float32) {
        auto* const to = reinterpret_cast<float*>(numbers.data());
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            to[i] = static_cast<float>(numbers[i]);
        }
    }
    return numbers;
}

}  // namespace

CaseData::CaseData(const RunCase& of) : case_(of), f_(parse(of.text, of.declarations)) {
    numbers_.reserve(100);
    std::uint64_t seed = 1;
    for (const Operand& operand : of.operands) {
        add_operand(operand, seed++);
    }
    first_result_ = numbers_.size();
    const Plan plan = make_plan();
    EXPECT_NE(plan.explain().find(of.explained), std::string::npos) << plan.explain();
    names_.reserve(plan.outputs().size());
    for (const OutputInfo& output : plan.outputs()) {
        const std::int64_t count = output.batched ? of.batch : 1;
        numbers_.emplace_back(static_cast<std::size_t>(count * output.rows * output.cols));
        names_.push_back(output.text());
        const View matrix(numbers_.back().data(), of.options.type, output.rows, output.cols,
                          output.cols, 1);
        results_.emplace_back(names_.back(), output.batched ? matrix.batched(count) : matrix,
                              of.beta);
    }
    status_.resize(static_cast<std::size_t>(of.batch));
    if (of.takes_rows) {
        for (std::int64_t i = 0; i < of.batch; ++i) {
            rows_.push_back(of.batch - 1 - i);
        }
        run_options_.rows = rows_;
    }
    run_options_.check_finite = of.check_finite;
}

void CaseData::add_operand(const Operand& operand, std::uint64_t seed) {
    const std::int64_t count = operand.batched ? case_.batch : 1;
    std::vector<double> numbers = random_numbers(count * operand.rows * operand.cols, seed);
    if (operand.name == "S") {
        make_positive(numbers, operand.rows);
    }
    if (operand.name == "Z") {
        make_nearly_singular(numbers, operand.cols);
    }
    numbers_.push_back(stored(std::move(numbers), case_.options.type));
    const ConstView matrix(numbers_.back().data(), case_.options.type, operand.rows, operand.cols,
                           operand.cols, 1);
    // The name of the case's own operand, which lives as long.
    const auto same =
        std::find_if(case_.operands.begin(), case_.operands.end(),
                     [&operand](const Operand& own) { return own.name == operand.name; });
    operands_.emplace_back(same->name, operand.batched ? matrix.batched(count) : matrix);
}

Plan CaseData::make_plan() const {
    return matgrad::make_plan(f_, case_.operands, case_.options);
}

void CaseData::clear_results() {
    for (std::size_t i = first_result_; i < numbers_.size(); ++i) {
        std::fill(numbers_[i].begin(), numbers_[i].end(), kUnwritten);
    }
    std::fill(status_.begin(), status_.end(), kNoStatus);
}

RunSummary CaseData::run(const Plan& plan) {
    return plan.run(operands_, results_, status_, run_options_);
}

CheckReport CaseData::check(const Plan& plan) {
    return plan.check(operands_, results_, status_);
}

std::string CaseData::bytes() const {
    std::string all;
    for (std::size_t i = first_result_; i < numbers_.size(); ++i) {
        all.append(reinterpret_cast<const char*>(numbers_[i].data()),
                   numbers_[i].size() * sizeof(double));
    }
    all.append(reinterpret_cast<const char*>(status_.data()),
               status_.size() * sizeof(std::int32_t));
    return all;
}

}  // namespace matgrad::test
