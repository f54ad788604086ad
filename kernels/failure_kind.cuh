#pragma once
/// \file Which of the problems that failed lose their numbers. The only place that knows.
///
/// On the device, and in the Thrust algorithms, which the simulated GPU runs as plain C++.

#include "arguments.cuh"

#ifdef __CUDACC__
#define MATGRAD_EITHER_SIDE __host__ __device__
#else
#define MATGRAD_EITHER_SIDE
#endif

namespace matgrad::block {

/// Are the numbers of a problem with this status lost, so that its results are NaN? `losing` has a
/// bit for each kind of failure that does so.
MATGRAD_EITHER_SIDE inline bool loses_numbers(int status, unsigned losing) {
    const unsigned kind = static_cast<unsigned>(status) >> detail::kStatusKindBits;
    return (losing >> (kind < 31U ? kind : 31U) & 1U) != 0;
}

MATGRAD_EITHER_SIDE inline bool has_failed(int status) {
    return loses_numbers(status, kAnyFailure);
}

}  // namespace matgrad::block
