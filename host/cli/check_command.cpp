#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "cli/check_draw.hpp"
#include "cli/command.hpp"
#include "cli/own_matrices.hpp"
#include "cli/printable.hpp"
#include "cli/question.hpp"
#include "matgrad/plan.hpp"

namespace matgrad {
namespace {

PlanOptions options_of(const Question& question, const CheckArguments& arguments, ScalarType type) {
    PlanOptions options;
    options.device = arguments.device.device;
    options.device_memory = arguments.device.memory;
    options.tf32 = arguments.device.tf32;
    options.executor = arguments.device.executor;
    options.type = type;
    options.expected_batch = arguments.batch;
    options.convention = arguments.question.convention;
    options.wrt = question.wrt;
    return options;
}

/// The operands of a batch of problems.
struct Problems {
    std::vector<Operand> operands;
    std::vector<OwnMatrices> matrices;
    std::vector<OperandView> views;
};

Problems store(const Question& question, ScalarType type, const std::vector<MatrixMap>& drawn) {
    Problems problems;
    const auto batch = static_cast<std::int64_t>(drawn.size());
    for (std::size_t i = 0; i < question.symbols.size(); ++i) {
        const std::string& name = question.symbols[i].name;
        const Eigen::MatrixXd& first = drawn[0].find(name)->second;
        problems.operands.push_back({name, first.rows(), first.cols(), true});
        problems.matrices.emplace_back(type, first.rows(), first.cols(), batch);
        for (std::int64_t k = 0; k < batch; ++k) {
            problems.matrices[i].store(k, drawn[static_cast<std::size_t>(k)].find(name)->second);
        }
    }
    for (const OwnMatrices& matrices : problems.matrices) {
        problems.views.emplace_back(matrices.view().batched(batch));
    }
    return problems;
}

/// Runs the batch in one type and compares every problem that succeeded. True if all is well.
bool check_type(const Question& question, const Draw& draw, const CheckArguments& arguments,
                ScalarType type) {
    const char* name = type == ScalarType::float32 ? "float32" : "float64";
    const DrawnProblems drawn = draw_problems(question, draw, type, arguments.batch);
    if (drawn.values.empty()) {
        fmt::print("{}  not compared: at such data it leaves no digits\n", name);
        return true;
    }
    const std::int64_t batch = arguments.batch;
    const Problems problems = store(question, type, drawn.values);
    const Plan plan =
        make_plan(question.f, problems.operands, options_of(question, arguments, type));
    OwnResults results(plan, type, batch);
    const RunSummary summary = plan.run(problems.views, results.views(), results.status());

    std::vector<std::int64_t> all(static_cast<std::size_t>(batch));
    std::iota(all.begin(), all.end(), 0);
    const CheckReport report = plan.check(problems.views, results.views(), results.status(), all);
    const std::string place =
        plan.device().kind == DeviceKind::cpu ? "" : " on " + to_text(plan.device());
    const std::string again =
        drawn.drawn_again == 0 ? "" : fmt::format("  ({} drawn again)", drawn.drawn_again);
    fmt::print("{}{}  {}{}\n", name, place, report.text(), again);
    if (summary.failed > 0) {
        fmt::print(stderr, "matgrad: {} of {} problems failed in {}\n", summary.failed,
                   summary.problems, name);
    }
    return report.passed() && summary.failed == 0;
}

}  // namespace

int check_command(const CheckArguments& arguments) {
    const Question question = resolve_question(arguments.question, true);
    const Draw draw = choose_draw(question, arguments.dims);
    std::string sizes;
    for (const auto& [name, size] : draw.dims) {
        sizes += fmt::format("{}{}={}", sizes.empty() ? "" : ", ", name, size);
    }
    fmt::print("{}  wrt {}{}{}{}{}\n", printable(question.text), fmt::join(question.wrt, ", "),
               sizes.empty() ? "" : ", ", sizes, draw.positive_entries ? ", entries positive" : "",
               draw.small_variables ? ", variables small" : "");
    const bool in_double = check_type(question, draw, arguments, ScalarType::float64);
    const bool in_float = check_type(question, draw, arguments, ScalarType::float32);
    return in_double && in_float ? kSuccess : kSomeFailed;
}

}  // namespace matgrad
