#pragma once
/// \file Work on the device by Thrust: operands made there, results compared there. Everything is
/// enqueued on a stream and nothing waits.

#include <cstdint>

#include "library.hpp"

namespace matgrad::probe {

/// Matrices by columns, one after the other. Their entries depend on the seed and the place alone.
enum class Kind {
    uniform,  ///< in [-1/2, 1/2)
    spd,  ///< symmetric, eigenvalues in (0, 2): a factor and both its triangles are well conditioned
    swapped,  ///< well conditioned, and every pivot is found in another row
    nan,
    infinity,
    zero,
    zero_diagonal,  ///< else like spd
};
void fill(Kind kind, Type type, void* data, Size rows, Size cols, Size batch, std::uint64_t seed,
          cudaStream_t stream);

/// out[p] = base + p * stride_bytes.
void fill_pointers(void** out, void* base, Size stride_bytes, Size count, cudaStream_t stream);

/// What of the matrices is compared: all entries, or of square ones the upper triangle.
struct Compared {
    Type type = Type::f32;
    Size count = 0;
    Size upper_of_order = 0;  ///< 0: all entries
    double tolerance = -1;    ///< of |a - b| / (1 + |b|); below 0: the bits are to be the same
    bool nan_is_nan = true;   ///< else a NaN differs from all
};
/// Makes *flag 1 if something differs.
void compare(const Compared& what, const void* a, const void* b, int* flag, cudaStream_t stream);

}  // namespace matgrad::probe
