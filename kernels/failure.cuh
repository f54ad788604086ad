#pragma once
/// \file The status of problems, as kernels read it.

#include "device.cuh"
#include "failure_kind.cuh"

namespace matgrad::block {

/// Of a problem; `status` null: no problem failed.
MATGRAD_DEVICE int status_of(const int* status, long long problem) {
    return status == nullptr ? 0 : load(status + problem);
}

}  // namespace matgrad::block
