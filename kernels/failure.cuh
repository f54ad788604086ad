#pragma once
/// \file Which of the problems that failed lose their numbers. The only place that knows.

#include "arguments.cuh"
#include "device.cuh"

namespace matgrad::block {

/// Are the numbers of a problem with this status lost, so that its results are NaN? `losing` has a
/// bit for each kind of failure that does so.
MATGRAD_DEVICE bool loses_numbers(int status, unsigned losing) {
    const int kind = status > 0 ? kPivot : kNone - status;
    return (losing >> kind & 1U) != 0;
}

/// Of a problem; `status` null: no problem failed.
MATGRAD_DEVICE int status_of(const int* status, long long problem) {
    return status == nullptr ? 0 : load(status + problem);
}

}  // namespace matgrad::block
