#include <fmt/format.h>

#include <optional>

#include "cli/command.hpp"
#include "cli/eval_check.hpp"
#include "cli/eval_outputs.hpp"
#include "cli/eval_request.hpp"
#include "cli/eval_stream.hpp"
#include "cli/eval_summary.hpp"
#include "cli/interrupt.hpp"
#include "cli/printable.hpp"
#include "matgrad/status.hpp"

namespace matgrad {
namespace {

/// Means are sums until the last piece is in.
Plan plan_for(const EvalRequest& request, bool explain_passes) {
    PlanOptions options = request.options;
    options.explain_passes = explain_passes;
    if (options.reduction == Reduction::mean) {
        options.reduction = Reduction::sum;
    }
    options.expected_batch = request.batch;
    return make_plan(request.question.f, request.operands(), options);
}

void report_failures(const StreamTotals& totals) {
    if (totals.jittered > 0) {
        fmt::print(stderr, "matgrad: {} of {} problems have a jitter, of at most {:.0e}\n",
                   totals.jittered, totals.problems, totals.largest_jitter);
    }
    if (totals.failed > 0) {
        fmt::print(stderr, "matgrad: {} of {} problems failed; first: problem {}, {}\n",
                   totals.failed, totals.problems, totals.first_failed,
                   to_text(totals.first_status));
    }
}

}  // namespace

int eval_command(const EvalArguments& arguments) {
    watch_for_interrupts();
    const EvalRequest request = make_eval_request(arguments);
    const Plan plan = plan_for(request, arguments.explain_passes);
    if (arguments.explain) {
        fmt::print("{}", printable_lines(plan.explain()));
        if (request.options.reduction == Reduction::mean) {
            fmt::print("results are divided by how many problems succeed\n");
        }
    }
    ResultFiles files(request, plan.outputs());
    for (const std::string& remark : request.remarks()) {
        fmt::print(stderr, "matgrad: {}\n", remark);
    }
    std::vector<bool> shown;
    bool shows_any = false;
    for (const auto& path : request.result_paths) {
        shown.push_back(!path.has_value());
        shows_any = shows_any || shown.back();
    }
    shown.resize(plan.outputs().size(), false);
    EvalSummary summary(request, plan.outputs(), shown);
    std::optional<EvalCheck> check;
    if (arguments.check) {
        check.emplace(request, plan);
    }

    const StreamTotals totals =
        stream(request, plan, arguments.memory, files, [&](const Piece& piece) {
            if (shows_any) {
                summary.add(piece);
            }
            if (check) {
                check->add(piece);
            }
        });
    stop_if_interrupted();
    files.commit();

    if (shows_any) {
        summary.print(totals);
    }
    report_failures(totals);
    if (check) {
        fmt::print("check: {}\n", check->text());
        if (!check->passed()) {
            fmt::print(stderr, "matgrad: the check exceeded its bound: {}\n", check->text());
        }
    }
    return totals.failed == 0 && (!check || check->passed()) ? kSuccess : kSomeFailed;
}

}  // namespace matgrad
