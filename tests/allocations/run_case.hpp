#pragma once
/// \file A function with operands and results of its own, ready to be planned and run.

#include <string>
#include <string_view>
#include <vector>

#include "allocations/every_allocation.hpp"
#include "matgrad/matgrad.hpp"

namespace matgrad::test {

struct RunCase {
    std::string name;
    std::string text;
    std::vector<Declaration> declarations;
    std::vector<Operand> operands;
    PlanOptions options;
    std::int64_t batch = 1;
    std::string explained = {};  ///< what `explain` says of it
    double beta = 0;
    bool takes_rows = false;
    bool check_finite = false;
};

/// Operands and results of a case: those that are called S are positive definite, those called Z nearly singular.
class CaseData {
public:
    explicit CaseData(const RunCase& of);

    [[nodiscard]] Plan make_plan() const;
    void set_threads(int threads) { case_.options.threads = threads; }
    /// The same numbers each time, which no result is.
    void clear_results();
    RunSummary run(const Plan& plan);
    [[nodiscard]] CheckReport check(const Plan& plan);
    /// The bytes of all results and the status.
    [[nodiscard]] std::string bytes() const;

    [[nodiscard]] const RunCase& of() const { return case_; }
    [[nodiscard]] const Expr& f() const { return f_; }
    [[nodiscard]] const std::vector<OperandView>& operands() const { return operands_; }
    [[nodiscard]] const std::vector<ResultView>& results() const { return results_; }
    [[nodiscard]] std::vector<std::int32_t>& status() { return status_; }
    [[nodiscard]] const RunOptions& run_options() const { return run_options_; }

private:
    void add_operand(const Operand& operand, std::uint64_t seed);

    RunCase case_;
    Expr f_;
    std::vector<std::vector<double>> numbers_;  ///< bytes of either type
    std::vector<OperandView> operands_;
    std::vector<std::string> names_;
    std::vector<ResultView> results_;
    std::vector<std::int32_t> status_;
    std::vector<std::int64_t> rows_;
    RunOptions run_options_;
    std::size_t first_result_ = 0;
};

}  // namespace matgrad::test
