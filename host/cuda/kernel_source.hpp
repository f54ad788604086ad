#pragma once
/// \file The text of the kernels that a Program needs, generated step by step: every size, type and
/// instruction is a constant of the text, pointers and strides are its arguments.
///
/// The text is short and calls the primitives of kernels/*.cuh. It is compiled once per Program.
/// Equal requests give one kernel.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "cuda/kernel_source_body.hpp"
#include "program/program.hpp"

namespace matgrad::gpu {

enum class KernelKind { map, reduce, batch_sum, count_failed, divide, fused };

/// Describes a kernel to its launch.
struct KernelInfo {
    KernelKind kind = KernelKind::map;
    std::string name;  ///< its symbol
    int operands = 0;
    std::int64_t rows = 0, cols = 0;  ///< of the domain
    std::int64_t outputs = 0;         ///< results per problem
    int block = 256;                  ///< threads in a block
    std::int64_t items = 1;           ///< entries or problems that one thread does
    int slices = 1;                   ///< threads that share one result
    ReduceOver over = ReduceOver::all;
    int group = 0;   ///< entries that a map reads and writes at once where it may; 0: it never may
    int groups = 0;  ///< that one thread does then
    std::int64_t teams = 1;         ///< of a fused kernel: problems that a block works on together
    std::int64_t shared_bytes = 0;  ///< and its dynamic block memory
    /// Of a map: by operand, whether it is read entry by entry, as a scalar, or not at all.
    std::vector<detail::Reading> readings = {};
};

using KernelId = int;

class KernelSource {
public:
    /// out = body over rows x cols, computed in `type`.
    KernelId add_map(const MapBody& body, std::int64_t rows, std::int64_t cols, ScalarType type,
                     std::span<const ScalarType> operands, ScalarType out);
    /// One result per problem, row or column, by `step.over`; `signed_product` reads pivots.
    KernelId add_reduce(const Reduce& step, ScalarType type, std::span<const ScalarType> operands,
                        ScalarType out);
    /// totals += sum over the problems whose status is 0, in double.
    KernelId add_batch_sum(std::int64_t rows, std::int64_t cols, ScalarType from);
    /// *failed += number of problems whose status is not 0.
    KernelId add_count_failed();
    /// out = in / (batch - *failed), in double, rounded to `type`: the mean over those that succeeded.
    /// A batch of 0 problems leaves it as it is.
    KernelId add_divide(std::int64_t rows, std::int64_t cols, ScalarType type);

    /// Of text that fused/source.hpp makes.
    KernelId add_fused(const std::string& text, std::size_t matrices, int block, std::int64_t teams,
                       std::int64_t shared_bytes);

    [[nodiscard]] std::span<const KernelInfo> kernels() const { return kernels_; }
    /// The whole translation unit; empty if there is no kernel.
    [[nodiscard]] std::string text() const;

private:
    KernelId add(KernelInfo info, const std::string& body);

    std::vector<KernelInfo> kernels_;
    std::vector<std::string> bodies_;
};

/// A header of kernels/ as it was embedded at build time.
struct EmbeddedHeader {
    const char* name;
    const char* text;
};
[[nodiscard]] std::span<const EmbeddedHeader> embedded_headers();
/// What a kernel in a file of its own is checked with.
[[nodiscard]] std::span<const EmbeddedHeader> standalone_headers();

}  // namespace matgrad::gpu
