#include "cli/eval_check.hpp"

#include <algorithm>
#include <cmath>
#include <random>

#include "reference/random_problem.hpp"

namespace matgrad {
namespace {

constexpr std::int64_t kSampleSize = 8;
constexpr std::int64_t kSumSize = 16;

std::vector<std::int64_t> draw_sample(std::int64_t batch) {
    std::vector<std::int64_t> sample;
    if (batch <= kSampleSize) {
        for (std::int64_t k = 0; k < batch; ++k) {
            sample.push_back(k);
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

template <typename T>
Eigen::MatrixXd matrix_at(const ConstBatch& view, std::int64_t k, std::int64_t rows,
                          std::int64_t cols) {
    const T* data = static_cast<const T*>(view.data) + k * view.batch_stride;
    Eigen::MatrixXd result(rows, cols);
    for (std::int64_t i = 0; i < rows; ++i) {
        for (std::int64_t j = 0; j < cols; ++j) {
            result(i, j) = static_cast<double>(data[i * view.row_stride + j * view.col_stride]);
        }
    }
    return result;
}

Eigen::MatrixXd matrix_of(ScalarType type, const ConstBatch& view, bool batched, std::int64_t k,
                          std::int64_t rows, std::int64_t cols) {
    const std::int64_t at = batched ? k : 0;
    return type == ScalarType::float32 ? matrix_at<float>(view, at, rows, cols)
                                       : matrix_at<double>(view, at, rows, cols);
}

MatrixMap values_of(const EvalRequest& request, const Piece& piece, std::int64_t k) {
    MatrixMap values;
    for (std::size_t i = 0; i < request.sources.size(); ++i) {
        const Operand& operand = request.sources[i].operand();
        values[operand.name] = matrix_of(request.options.type, piece.operands[i], operand.batched,
                                         k, operand.rows, operand.cols);
    }
    return values;
}

Eigen::MatrixXd result_of(const EvalRequest& request, const OutputInfo& output, const void* data,
                          std::int64_t k) {
    return matrix_of(request.options.type, ConstBatch::contiguous(data, output.rows, output.cols),
                     output.batched, k, output.rows, output.cols);
}

/// With the device that was settled on.
PlanOptions options_of(const EvalRequest& request, const Plan& plan) {
    PlanOptions options = request.options;
    options.device = plan.device();
    return options;
}

Plan make_unreduced(const EvalRequest& request, const Plan& plan) {
    PlanOptions options = options_of(request, plan);
    options.reduction = Reduction::none;
    return make_plan(request.question.f, request.operands(), 1, options);
}

/// Results of a plan for a few problems, in memory of their own.
struct OwnResults {
    std::vector<std::vector<double>> memory;  // doubles are aligned for floats too
    std::vector<const void*> data;
    std::vector<std::int32_t> status;
};

OwnResults run_few(const Plan& plan, std::int64_t count, std::span<const ConstBatch> operands) {
    OwnResults results;
    std::vector<Batch> targets;
    for (const OutputInfo& output : plan.outputs()) {
        const std::int64_t entries = output.rows * output.cols * (output.batched ? count : 1);
        results.memory.emplace_back(static_cast<std::size_t>(entries));
        results.data.push_back(results.memory.back().data());
        targets.push_back(
            Batch::contiguous(results.memory.back().data(), output.rows, output.cols));
    }
    results.status.resize(static_cast<std::size_t>(count));
    plan.run(count, operands, targets, results.status);
    return results;
}

}  // namespace

EvalCheck::EvalCheck(const EvalRequest& request, const Plan& plan)
    : request_(request),
      plan_(plan),
      outputs_(plan.outputs()),
      sample_(draw_sample(request.batch)),
      check_(request.question.f, options_of(request, plan), plan.outputs()) {
    if (request.options.reduction != Reduction::none) {
        unreduced_ = make_unreduced(request, plan);
    }
}

void EvalCheck::add(const Piece& piece) {
    if (unreduced_) {
        if (piece.first == 0) {
            add_reduced(piece);
        }
        return;
    }
    for (const std::int64_t problem : sample_) {
        const std::int64_t k = problem - piece.first;
        if (k >= 0 && k < piece.count && piece.status[static_cast<std::size_t>(k)] == 0) {
            add_problem(piece, k);
        }
    }
}

void EvalCheck::add_problem(const Piece& piece, std::int64_t k) {
    std::vector<Eigen::MatrixXd> results;
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
        results.push_back(result_of(request_, outputs_[i], piece.results[i], k));
    }
    (void)check_.add(piece.first + k, values_of(request_, piece, k), results);
}

void EvalCheck::add_reduced(const Piece& piece) {
    const std::int64_t count = std::min(piece.count, kSumSize);
    const OwnResults sums = run_few(plan_, count, piece.operands);
    const OwnResults each = run_few(*unreduced_, count, piece.operands);
    std::vector<Eigen::MatrixXd> totals;
    for (const OutputInfo& output : outputs_) {
        totals.push_back(Eigen::MatrixXd::Zero(output.rows, output.cols));
    }
    std::vector<double> bounds(outputs_.size(), 0);
    for (std::int64_t k = 0; k < count; ++k) {
        if (each.status[static_cast<std::size_t>(k)] != 0) {
            continue;
        }
        std::vector<Eigen::MatrixXd> results;
        for (std::size_t i = 0; i < outputs_.size(); ++i) {
            results.push_back(result_of(request_, unreduced_->outputs()[i], each.data[i], k));
            totals[i] += results.back();
        }
        const std::vector<double> found = check_.add(k, values_of(request_, piece, k), results);
        for (std::size_t i = 0; i < outputs_.size(); ++i) {
            bounds[i] += found[i];
        }
    }
    // Both sides are as far from the true sum, in this direction, as the bounds together allow.
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
        const OutputInfo& output = outputs_[i];
        const Eigen::MatrixXd sum = result_of(request_, output, sums.data[i], 0);
        const Eigen::MatrixXd direction =
            sum.size() == 1 ? Eigen::MatrixXd::Ones(1, 1)
                            : random_direction(Structure::general, output.rows, output.cols,
                                               ResultCheck::kDirectionSeed);
        const double residual = std::abs((sum - totals[i]).cwiseProduct(direction).sum());
        if (std::isfinite(residual)) {
            check_.note({residual, 4 * bounds[i]}, "sum of " + std::to_string(count) + " results",
                        0);
        }
    }
}

}  // namespace matgrad
