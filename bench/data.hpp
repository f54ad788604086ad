#pragma once
/// \file Operands and results of a case in memory, as several copies that are taken in turn so that
/// operands do not come from the cache.

#include <Eigen/Core>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "bench/case.hpp"

namespace matgrad::bench {

/// Where everything of one copy lies: offsets in bytes, each a multiple of 256.
struct Layout {
    std::vector<std::size_t> operands;  ///< in the order of the plan
    std::vector<std::size_t> results;
    std::size_t operand_bytes = 0;  ///< operands come first
    std::size_t bytes = 0;          ///< of one copy

    Layout(const Case& c, std::span<const OutputInfo> outputs);
    /// Views of a copy that begins at `base`.
    [[nodiscard]] std::vector<ConstStrided> operands_at(std::byte* base, const Case& c) const;
    [[nodiscard]] std::vector<Strided> results_at(std::byte* base,
                                                  std::span<const OutputInfo> outputs) const;
};

/// The views that a plan takes, of contiguous matrices.
struct PlanArguments {
    std::vector<OperandView> operands;
    std::vector<ResultView> results;

    PlanArguments(const Plan& plan, std::int64_t batch);
    /// Views of other addresses, in the order of the plan. Nothing is allocated.
    void move_to(std::span<const ConstStrided> to_operands, std::span<const Strided> to_results);

private:
    Plan plan_;
    std::int64_t batch_;
};

/// How many copies it takes to be larger than a cache, and to keep below `most` bytes; at least 1.
[[nodiscard]] std::int64_t copies_beyond(std::size_t cache_bytes, std::size_t copy_bytes,
                                         std::size_t most);

/// Host memory in large pages where the system has them, written to, 2 MiB aligned.
class HostMemory {
public:
    /// Errors: std::bad_alloc.
    explicit HostMemory(std::size_t bytes);
    [[nodiscard]] std::byte* data() const noexcept { return data_.get(); }
    [[nodiscard]] std::size_t size() const noexcept { return bytes_; }

private:
    struct Free {
        void operator()(std::byte* memory) const noexcept;
    };
    std::unique_ptr<std::byte, Free> data_;
    std::size_t bytes_;
};

/// Writes the operands of a case at `base`.
void fill_operands(const Case& c, const Layout& layout, std::byte* base);

/// Problem `problem` of contiguous row-major matrices.
[[nodiscard]] Eigen::MatrixXd matrix_at(const std::byte* data, ScalarType type, std::int64_t rows,
                                        std::int64_t cols, std::int64_t problem);

}  // namespace matgrad::bench
