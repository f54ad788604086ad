#pragma once
/// \file How a fused kernel works on its problems: the threads of a team, and where on chip each value lies.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cuda/fused/description.hpp"
#include "cuda/thresholds.hpp"

namespace matgrad::gpu {

/// The matrix of a value on chip.
struct ChipPlace {
    bool is_own = false;  ///< in an array of the thread, else in the memory of the block
    ScalarType type = ScalarType::float64;
    bool is_int = false;    ///< pivots
    std::int64_t line = 0;  ///< entries from one row to the next
    std::int64_t offset =
        -1;  ///< in bytes: in the team's memory, or of a shared input in the block's
    std::int64_t bytes = 0;     ///< of the block's memory
    bool is_staged = false;     ///< in the part of it that all teams share
    std::int64_t scratch = -1;  ///< where the step that makes it has memory of its own
    ValueId home =
        kNoValue;  ///< whose memory it is: its own, or that of a value whose life has ended
};

/// Entries from one row to the next of a matrix in block memory: odd, so that the entries of a column lie in
/// different banks.
[[nodiscard]] std::int64_t chip_line(std::int64_t rows, std::int64_t cols);

/// A second factorization takes so many rows of the root at a time; as panel_rows of kernels/block.
[[nodiscard]] std::int64_t second_factor_rows(std::int64_t root_rows);

/// Of a block's memory, for what primitives keep beside the matrices.
inline constexpr std::int64_t kBytesOfPrimitives = 8 << 10;

/// Of a second factorization that the step may want.
[[nodiscard]] std::int64_t scratch_bytes(const Program& program, const Step& step);

/// Is the value a list of rows that were swapped?
[[nodiscard]] bool is_pivots(const FusedDescription& what, ValueId id);

struct PanelPlan;

struct FusedConfiguration {
    int threads = 32;               ///< of a team: 1, 32, or a block
    int teams = 1;                  ///< in a block
    std::vector<ChipPlace> places;  ///< by value
    std::int64_t staged_bytes = 0;  ///< of a block: what all problems share
    std::int64_t team_bytes = 0;
    std::int64_t stage_bytes =
        0;  ///< of a block whose threads have a problem each: see staging.cuh
    /// Where a problem does not fit whole: its passes over panels.
    std::shared_ptr<const PanelPlan> panels;
    std::vector<ValueId> stored;  ///< by one of them for another, in device memory
    std::string reason;           ///< why the Program does not fit
    [[nodiscard]] int block() const { return threads * teams; }
    [[nodiscard]] std::int64_t block_bytes() const {
        return staged_bytes + stage_bytes + team_bytes * teams;
    }
};

/// `most_bytes`: that a block may have.
[[nodiscard]] FusedConfiguration configure_fused(const Program& program,
                                                 const FusedDescription& what,
                                                 const Thresholds& thresholds,
                                                 std::int64_t most_bytes);

/// What the kernel keeps in device memory includes what it stores there for itself.
[[nodiscard]] FusedDescription with_stored(FusedDescription what,
                                           const FusedConfiguration& configuration);

}  // namespace matgrad::gpu
