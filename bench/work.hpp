#pragma once
/// \file How fast a case could be at best: the least it must move and compute, over what the machine
/// does at most.

#include "bench/case.hpp"

namespace matgrad::bench {

/// Of a whole batch.
struct Work {
    double bytes_read = 0;     ///< each operand that is needed, once
    double bytes_written = 0;  ///< each result, once
    /// Of the Program, matrix steps and entrywise ones, by the type that each step computes in: a
    /// `robust` case of float32 has steps in double.
    double float_operations = 0;
    double double_operations = 0;

    [[nodiscard]] double bytes() const { return bytes_read + bytes_written; }
    [[nodiscard]] double operations() const { return float_operations + double_operations; }
};

[[nodiscard]] Work minimal_work(const Case& c);

/// What a machine was measured to do.
struct Rates {
    double copy_bytes_per_s = 0;  ///< read and written, in a copy of a large array; on a processor
                                  ///< by non-temporal stores, where a byte written costs one
    double multiply_add_flops_per_s = 0;  ///< a multiply-add is two
    double read_bytes_per_s = 0;          ///< of a large array, on a processor
    double memcpy_bytes_per_s = 0;        ///< read and written by the C library, on a processor
};

struct Ceilings {
    Rates float32, float64;
    [[nodiscard]] const Rates& of(ScalarType type) const {
        return type == ScalarType::float32 ? float32 : float64;
    }
};

/// The largest of three times: all bytes at the rate of a copy, those read at the rate of reading, and
/// the operations of each type at the rate of that type.
[[nodiscard]] double bound_on_processor(const Work& work, const Ceilings& ceilings);

/// The larger of two times: all bytes at the rate of a copy, all operations at the rate of one type.
[[nodiscard]] double bound_on_gpu(const Work& work, const Rates& rates);

}  // namespace matgrad::bench
