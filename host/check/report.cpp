#include <fmt/format.h>

#include <algorithm>

#include "expression/guarded.hpp"
#include "matgrad/check.hpp"

namespace matgrad {
namespace {

/// The worst output; of equally bad ones the first problem's.
const OutputCheck* worst_of(const std::vector<OutputCheck>& outputs) {
    const OutputCheck* worst = nullptr;
    for (const OutputCheck& output : outputs) {
        const bool is_worse =
            worst == nullptr || output.worst.is_worse_than(worst->worst) ||
            (!worst->worst.is_worse_than(output.worst) && output.problem < worst->problem);
        worst = is_worse ? &output : worst;
    }
    return worst;
}

}  // namespace

void OutputCheck::add(const Comparison& comparison, std::int64_t at) {
    if (!compared || comparison.is_worse_than(worst)) {
        worst = comparison;
        problem = at;
    }
    compared = true;
}

bool CheckReport::passed() const noexcept {
    return std::all_of(outputs.begin(), outputs.end(),
                       [](const OutputCheck& output) { return output.worst.passes(); });
}

void CheckReport::add(const CheckReport& piece, std::int64_t first) try {
    problems += piece.problems;
    failed += piece.failed;
    outputs.resize(std::max(outputs.size(), piece.outputs.size()));
    for (std::size_t i = 0; i < piece.outputs.size(); ++i) {
        const OutputCheck& found = piece.outputs[i];
        const bool is_total = found.problem == OutputCheck::kNoProblem;
        outputs[i].output = found.output;
        if (!found.compared) {
            continue;
        }
        outputs[i].add(found.worst, is_total ? found.problem : first + found.problem);
    }
} catch (...) {
    detail::throw_as_matgrad();
}

std::string CheckReport::text() const try {
    const OutputCheck* worst = worst_of(outputs);
    if (problems == 0 || worst == nullptr) {
        return failed > 0 ? fmt::format("no problem to compare, {} failed: ok", failed)
                          : "no problem to compare: ok";
    }
    if (std::none_of(outputs.begin(), outputs.end(),
                     [](const OutputCheck& output) { return output.compared; })) {
        return fmt::format("{} problem{}, beyond the range of the type, not compared: ok", problems,
                           problems == 1 ? "" : "s");
    }
    const std::string where = worst->problem == OutputCheck::kNoProblem
                                  ? "over all of them"
                                  : fmt::format("of problem {}", worst->problem);
    return fmt::format("{} problem{}, worst residual {:.1e} ({} {}), bound {:.1e}: {}", problems,
                       problems == 1 ? "" : "s", worst->worst.residual, worst->output, where,
                       worst->worst.bound, passed() ? "ok" : "FAILED");
} catch (...) {
    detail::throw_as_matgrad();
}

}  // namespace matgrad
