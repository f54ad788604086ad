#pragma once
/// \file The numbers at which the library executor takes another way. thresholds/ has a table for each
/// architecture, and one of documents for what was not measured on it.
///
/// Each is an environment variable too, MATGRAD_GPU_<NAME>, for sweeps on a device.

#include <cstdint>
#include <span>
#include <string>

namespace matgrad::gpu {

enum class Limit {
    slice_bytes,           ///< of workspace that a slice of a batch may take
    cholesky_alone_order,  ///< at least this order, and at most that batch: potrf one by one
    cholesky_alone_batch,
    own_cholesky_order,  ///< up to this order the Cholesky factor is a kernel of our own; 0: never
    lu_alone_order,      ///< the same for LU: getrf and getrs one by one
    lu_alone_batch,
    trsm_alone_order,  ///< the same for triangular solves: trsm one by one
    trsm_alone_batch,
    syrk_order,     ///< from this order half a symmetric product, where that is enough, is a syrk
    reduce_domain,  ///< entries of a domain that is reduced by many blocks, in two stages
    fused_threads,  ///< of a team of a fused kernel: 1, 32, 64, 128, 256; 0: the executor chooses
    fused_thread_order,  ///< a thread alone has a problem: up to this order of what is factored,
    fused_thread_bytes,  ///< these bytes of numbers at once,
    fused_thread_operations,  ///< and these operations, all of which are in its text one by one
    fused_warp_entries,       ///< a warp has a problem up to so many entries of a value
    fused_panel_batch,  ///< problems that go through panels, a block each, are at least so many
    fused_block_bytes,  ///< of memory that a block of a fused kernel may have; 0: what the device has
    count,
};

/// A row of a table.
struct Threshold {
    Limit limit = Limit::count;
    const char* name = "";
    std::int64_t value = 0;
    const char* source = "";  ///< the measurement or the document that it comes from
};

/// Of one device.
class Thresholds {
public:
    /// Errors: OperandError for an environment variable that is no number of at least 0.
    static Thresholds of(int major);

    [[nodiscard]] std::int64_t operator[](Limit limit) const {
        return values_[static_cast<std::size_t>(limit)];
    }
    /// `MATGRAD_GPU_SLICE_BYTES=1024`, with spaces between; empty where nothing is overridden.
    [[nodiscard]] const std::string& overridden() const { return overridden_; }

private:
    void set(const Threshold& threshold) {
        values_[static_cast<std::size_t>(threshold.limit)] = threshold.value;
    }

    std::int64_t values_[static_cast<std::size_t>(Limit::count)] = {};
    std::string overridden_;
};

/// Every limit.
[[nodiscard]] std::span<const Threshold> thresholds_of_documents();
/// What was measured on an architecture; it goes before the documents.
[[nodiscard]] std::span<const Threshold> thresholds_of_ampere();     ///< sm_80 and later
[[nodiscard]] std::span<const Threshold> thresholds_of_hopper();     ///< sm_90
[[nodiscard]] std::span<const Threshold> thresholds_of_blackwell();  ///< sm_100 and later

}  // namespace matgrad::gpu
