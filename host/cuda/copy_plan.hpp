#pragma once
/// \file Plans the launches that copy a batch: which kernels of kernels/copy.cu, over which dimensions,
/// in pieces that 32-bit indices reach. Pure arithmetic.

#include <cstddef>
#include <cstdint>

#include "batch_state.hpp"
#include "copy_args.cuh"

namespace matgrad::gpu {

/// A copy as nested dimensions: problems of lines of entries.
struct CopyShape {
    struct Dimension {
        std::int64_t count = 1;
        std::int64_t from = 0, to = 0;  ///< strides of the two sides, in entries
        std::int64_t first = 0;         ///< of a piece: where it begins
    };
    struct Side {
        std::byte* data = nullptr;
        int entry_bytes = 8;
    };
    Side from, to;
    Dimension problems, lines, entries;
    bool turns = false;  ///< neighbours of a line are close in `from`, those of a column in `to`

    [[nodiscard]] std::int64_t count() const {
        return problems.count * lines.count * entries.count;
    }
};

/// Dimensions that continue each other on both sides are joined. `keeps_problems`: each problem has a
/// status, so that problems stay apart.
[[nodiscard]] CopyShape copy_shape(const Matrices& from, const Matrices& to, std::int64_t batch,
                                   bool keeps_problems);
/// Rows and columns stay apart, as lines and entries or the other way round.
[[nodiscard]] CopyShape identity_shape(const Matrices& to, std::int64_t batch);

/// Ordered from the fastest kernel to the most general one.
enum class CopyKernel {
    flat,     ///< one line, in groups of 16 bytes of the wider type: one index
    lines,    ///< lines of such groups
    tiles,    ///< read one way and written the other
    entries,  ///< one by one
};
[[nodiscard]] CopyKernel copy_kernel(const CopyShape& shape, bool has_status);

/// A launch: its arguments, but for `status` and `losing`, and its grid.
struct CopyLaunch {
    block::PieceArgs args{};
    std::int64_t blocks = 0;
};
/// Of a piece.
[[nodiscard]] CopyLaunch copy_launch(const CopyShape& piece, CopyKernel kernel);

/// 1 <= divisor < 2^31
[[nodiscard]] block::Divisor divisor_of(std::int64_t divisor);

/// Of a piece: indices, those of threads past its end included, and offsets stay below 2^31.
inline constexpr std::int64_t kMostCopied = (std::int64_t{1} << 31) - (std::int64_t{1} << 16);

/// True if it has at most `most` entries, and the first and the last of each side are no farther apart.
[[nodiscard]] bool is_piece(const CopyShape& shape, std::int64_t most);
/// Halves the dimension that reaches farthest: returns the first half, leaves the second.
[[nodiscard]] CopyShape cut_half(CopyShape& shape);

/// Calls launch(piece) for pieces that make up the shape.
template <typename Function>
void for_each_piece(CopyShape shape, std::int64_t most, const Function& launch) {
    while (!is_piece(shape, most)) {
        for_each_piece(cut_half(shape), most, launch);
    }
    launch(shape);
}

}  // namespace matgrad::gpu
