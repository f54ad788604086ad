#include "cli/eval_check.hpp"

#include <algorithm>

#include "check/run_check.hpp"
#include "cli/own_matrices.hpp"

namespace matgrad {
namespace {

constexpr std::int64_t kSumSize = 16;

}  // namespace

EvalCheck::EvalCheck(const EvalRequest& request, const Plan& plan)
    : plan_(plan),
      type_(request.options.type),
      is_reduced_(std::any_of(plan.outputs().begin(), plan.outputs().end(),
                              [](const OutputInfo& output) {
                                  return !output.batched && output.reduction != Reduction::none;
                              })),
      sample_(detail::sample_problems(request.batch)) {}

void EvalCheck::add(const Piece& piece) {
    if (!is_reduced_) {
        add_sample(piece);
    } else if (piece.first == 0) {
        add_sum(piece);
    }
}

void EvalCheck::add_sample(const Piece& piece) {
    std::vector<std::int64_t> problems;
    for (const std::int64_t problem : sample_) {
        const std::int64_t k = problem - piece.first;
        if (k >= 0 && k < piece.count) {
            problems.push_back(k);
        }
    }
    if (!problems.empty()) {
        report_.add(plan_.check(piece.operands, piece.results, piece.status, problems),
                    piece.first);
    }
}

void EvalCheck::add_sum(const Piece& piece) {
    const std::int64_t count = std::min(piece.count, kSumSize);
    OwnResults sums(plan_, type_, count);
    std::vector<OperandView> first_problems(piece.operands.begin(), piece.operands.end());
    for (OperandView& operand : first_problems) {
        if (operand.view.batch() != ConstView::kOneMatrix) {
            operand.view = operand.view.batched(count, operand.view.batch_stride());
        }
    }
    plan_.run(first_problems, sums.views(), sums.status());
    report_.add(plan_.check(first_problems, sums.views(), sums.status()), 0);
}

}  // namespace matgrad
