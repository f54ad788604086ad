#pragma once
/// \file Which of the problems that failed lose their numbers. The only place that knows.

#include "arguments.cuh"
#include "device.cuh"

namespace matgrad::block {

/// Status 0 is success, a positive one the number of a pivot. -k is left for kind k, k = 1 .. 31.
MATGRAD_DEVICE int failure_kind(int status) {
    return status > 0 ? kPivot : -status;
}

/// Are the numbers of a problem with this status lost, so that its results are NaN? `losing` has a
/// bit for each kind of failure that does so.
MATGRAD_DEVICE bool loses_numbers(int status, unsigned losing) {
    return status != 0 && (losing >> failure_kind(status) & 1U) != 0;
}

/// Of a problem; `status` null: no problem failed.
MATGRAD_DEVICE int status_of(const int* status, long long problem) {
    return status == nullptr ? 0 : load(status + problem);
}

}  // namespace matgrad::block
