#pragma once
/// \file How fast a case could be at best: the least it must move and compute, over what the machine
/// does at most.

#include "bench/case.hpp"

namespace matgrad::bench {

/// Of a whole batch.
struct Work {
    double bytes = 0;       ///< each operand that is needed read once, each result written once
    double operations = 0;  ///< of the Program: matrix steps and entrywise ones
};

[[nodiscard]] Work minimal_work(const Case& c);

/// What a machine was measured to do.
struct Rates {
    double copy_bytes_per_s = 0;          ///< read and written, in a copy of a large array
    double multiply_add_flops_per_s = 0;  ///< a multiply-add is two
};

struct Ceilings {
    Rates float32, float64;
    [[nodiscard]] const Rates& of(ScalarType type) const {
        return type == ScalarType::float32 ? float32 : float64;
    }
};

/// The larger of both times.
[[nodiscard]] double bound_seconds(const Work& work, const Rates& rates);

}  // namespace matgrad::bench
