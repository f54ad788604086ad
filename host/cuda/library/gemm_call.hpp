#pragma once
/// \file From result = a * b on views to a call of a BLAS, which stores by columns. Pure functions.

#include <cstdint>
#include <optional>

#include "cuda/library/blas_layout.hpp"

namespace matgrad::gpu {

/// One factor or the result, as the call takes it.
struct GemmMatrix {
    std::byte* data = nullptr;
    bool transposed = false;
    std::int64_t ld = 1;
    std::int64_t batch_stride = 0;  ///< in elements
};

/// C = op(first) op(second), column-major, C m x n. A result stored by rows is the transpose of what
/// the BLAS sees, so there the factors change places.
struct GemmCall {
    GemmMatrix first, second, result;
    std::int64_t m = 0, n = 0, k = 0;
    std::int64_t batch = 1;
    bool stacked_rows = false;     ///< one call over the rows of all problems
    bool stacked_columns = false;  ///< one call over the columns of all problems
    bool over_batch = false;       ///< its inner dimension runs over problems

    /// Strides that the strided call takes; otherwise it is one with pointers to each problem.
    [[nodiscard]] bool is_strided() const {
        return batch == 1 ||
               (first.batch_stride >= 0 && second.batch_stride >= 0 && result.batch_stride >= 0);
    }
};

/// a m x k, b k x n, result m x n; all three as blas_layout takes them: those that it does not are to
/// be copied first. Where one factor is the same for all problems (batch stride 0) and the strides of
/// the other two allow, the batch becomes part of m or n.
[[nodiscard]] GemmCall make_gemm_call(DeviceView a, DeviceView b, DeviceView result,
                                      std::int64_t batch);

/// The sum over the batch of a_p * b_p as one product, whose inner dimension runs over problems and
/// inner dimension; nothing where strides do not allow. Views of segment s start at problem s*problems.
struct InnerFold {
    DeviceView a, b;            ///< of the first segment; batch stride is that of segments
    std::int64_t segments = 0;  ///< of `problems` problems each
    std::int64_t problems = 0;
    std::int64_t left = 0;  ///< problems behind the last whole segment
};
/// Partial sums of a batch: many enough to fill a device, few enough to add up at no cost; and so
/// that they fit the memory of the products they stand for, whatever their types.
inline constexpr std::int64_t kMostSegments = 256;
inline constexpr std::int64_t kFewestProblems = 8;  ///< of a segment
inline constexpr std::int64_t kFewestToFold = 2 * kFewestProblems;
[[nodiscard]] std::optional<InnerFold> fold_inner(const DeviceView& a, const DeviceView& b,
                                                  std::int64_t batch);
/// The views of the segment that is shorter than the others.
[[nodiscard]] InnerFold last_segment(const InnerFold& fold);

}  // namespace matgrad::gpu
