#pragma once
/// \file A plan's Program cut at the directions of its Hessian-vector products, and what is kept of a point.

#include <cstddef>
#include <functional>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <vector>

#include "executor/executor.hpp"
#include "executor/workspace.hpp"
#include "matgrad/linearize.hpp"
#include "planner/split.hpp"

namespace matgrad::detail {

/// Both parts, ready to run.
struct LinearPlan {
    /// Where a Program's operand comes from.
    enum class Source { operand, kept };
    struct From {
        Source source = Source::operand;
        std::size_t index = 0;  ///< of the plan's operands, or of the kept values
    };
    /// A kept value: one matrix for each problem or one alone, row-major.
    struct Kept {
        std::int64_t rows = 0, cols = 0;
        bool batched = false;
    };

    ScalarType type = ScalarType::float64;
    std::vector<Operand> operands;  ///< of the plan, directions included
    std::vector<std::string> operand_names;
    std::vector<Operand> point_operands, directions;
    std::vector<std::string> point_names, direction_names;
    std::vector<OutputInfo> point_outputs, products;
    std::vector<std::string> point_output_names, product_names;
    std::vector<std::size_t> early_operands;  ///< indices of point_operands
    std::vector<From> late_operands;
    std::vector<std::string> read_again;
    std::vector<Kept> kept;
    std::unique_ptr<const Executor> early, late;
};

/// Of a plan's Program. `make_executor` makes an executor of the plan's device.
/// Errors: OperandError where the plan has no Hessian-vector product.
[[nodiscard]] std::shared_ptr<const LinearPlan> make_linear_plan(
    const Program& whole, std::span<const Operand> operands, std::span<const OutputInfo> outputs,
    std::span<const std::string> directions,
    const std::function<std::unique_ptr<const Executor>(Program)>& make_executor);

/// Host memory of kept values.
class KeptMemory {
public:
    KeptMemory() = default;
    explicit KeptMemory(std::size_t bytes)
        : data_(static_cast<std::byte*>(
              ::operator new (bytes, std::align_val_t{kWorkspaceAlignment}))),
          size_(bytes) {}
    [[nodiscard]] std::byte* data() const noexcept { return data_.get(); }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

private:
    struct Free {
        void operator()(std::byte* data) const noexcept {
            ::operator delete (data, std::align_val_t{kWorkspaceAlignment});
        }
    };
    std::unique_ptr<std::byte, Free> data_;
    std::size_t size_ = 0;
};

/// What is kept of one point.
struct LinearPoint {
    std::shared_ptr<const LinearPlan> plan;
    std::vector<OperandView> operands;  ///< those of the point, named
    std::vector<ConstStrided> kept;
    KeptMemory memory;
    std::vector<std::int32_t> status;
    RunSummary summary;
};

/// Runs the early part. Errors: those of Plan::run.
[[nodiscard]] std::shared_ptr<const LinearPoint> linearize_at(
    std::shared_ptr<const LinearPlan> plan, std::span<const OperandView> operands,
    std::span<const ResultView> results, std::span<std::int32_t> status);

}  // namespace matgrad::detail
