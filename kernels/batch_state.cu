// Compiled by nvcc for the module, and as plain C++ with Thrust's sequential device system for the
// simulated GPU, where an algorithm runs later than its call: functors own all that they need.
#include <thrust/tabulate.h>
#include <thrust/transform.h>

#include <algorithm>

#include "batch_state.hpp"
#include "for_each.hpp"

namespace matgrad::gpu {
namespace {

/// out[i] = function(i) for i = 0 .. count-1.
template <typename T, typename Function>
void run_tabulate(cudaStream_t stream, T* out, std::int64_t count, Function function) {
    if (count > 0) {
        run(stream, "thrust::tabulate", [out, count, function](auto policy) {
            thrust::tabulate(policy, out, out + count, function);
        });
    }
}

struct FillPointers {
    void** pointers;
    std::int64_t batch;
    std::int64_t count;
    PointerArray arrays[kMostPointerArrays];
    MATGRAD_EITHER_SIDE void operator()(std::int64_t p) const {
        for (std::int64_t k = 0; k < count; ++k) {
            pointers[k * batch + p] =
                static_cast<std::byte*>(arrays[k].base) + p * arrays[k].stride_bytes;
        }
    }
};

struct StartStatus {
    const std::int32_t* shared;
    MATGRAD_EITHER_SIDE std::int32_t operator()(std::int64_t) const {
        return shared != nullptr ? *shared : 0;
    }
};

struct Narrow {
    MATGRAD_EITHER_SIDE std::int32_t operator()(std::int64_t pivot) const {
        return static_cast<std::int32_t>(pivot);
    }
};

template <typename T>
MATGRAD_EITHER_SIDE bool is_finite(T x) {
    return x - x == T(0);
}

/// Of the pivot with the number k, from 0.
MATGRAD_EITHER_SIDE std::int32_t failed_at(StatusKind kind, std::int64_t k) {
    const std::int64_t most = detail::kStatusPivotMask;
    const auto number = static_cast<std::int32_t>(k < most ? k + 1 : most);
    return static_cast<std::int32_t>(kind) << detail::kStatusKindBits | number;
}

template <typename T>
MATGRAD_EITHER_SIDE T& pivot_of(const Diagonals& d, std::int64_t p, std::int64_t k) {
    return static_cast<T*>(const_cast<void*>(d.data))[p * d.batch_stride + k * d.stride];
}

/// What a problem's status is before its factor is looked at.
MATGRAD_EITHER_SIDE std::int32_t known_status(const Statuses& status, std::int64_t p) {
    if (!status.are_new) {
        return status.data[p];
    }
    return status.shared != nullptr ? *status.shared : 0;
}

/// Of new statuses: one thread has all pivots of a problem, and writes in any case.
template <typename Fails>
struct StartFromPivots {
    Fails fails;
    std::int64_t n;
    Statuses status;

    MATGRAD_EITHER_SIDE void operator()(std::int64_t p) const {
        const std::int32_t known = known_status(status, p);
        std::int32_t found = 0;
        for (std::int64_t k = 0; k < n && found == 0 && block::may_fail(known); ++k) {
            found = fails(p, k) ? fails.status(p, k) : 0;
        }
        status.data[p] = found == 0 ? known : found;
    }
};

/// Finds the first pivot that fails. So many threads share a problem that each has kPivotsEach pivots;
/// the one that finds a failure looks at those before its part too, so that exactly one thread writes.
template <typename Fails>
struct ReadStatus {
    Fails fails;
    std::int64_t n;
    std::int64_t parts;
    std::int32_t* status;

    MATGRAD_EITHER_SIDE void operator()(std::int64_t i) const {
        const std::int64_t p = i / parts;
        const std::int64_t begin = i % parts * kPivotsEach;
        const std::int64_t end = begin + kPivotsEach < n ? begin + kPivotsEach : n;
        if (!block::may_fail(status[p])) {
            return;
        }
        const std::int64_t first = first_failure(p, begin, end);
        if (first < end && first_failure(p, 0, begin) == begin) {
            status[p] = fails.status(p, first);
        }
    }

    MATGRAD_EITHER_SIDE std::int64_t first_failure(std::int64_t p, std::int64_t begin,
                                                   std::int64_t end) const {
        for (std::int64_t k = begin; k < end; ++k) {
            if (fails(p, k)) {
                return k;
            }
        }
        return end;
    }
};

template <typename Fails>
void read_status(const Fails& fails, std::int64_t n, const Statuses& status, std::int64_t batch,
                 cudaStream_t stream) {
    if (status.are_new) {
        run_for_each(stream, batch, StartFromPivots<Fails>{fails, n, status});
        return;
    }
    const std::int64_t parts = (n + kPivotsEach - 1) / kPivotsEach;
    run_for_each(stream, batch * parts, ReadStatus<Fails>{fails, n, parts, status.data});
}

template <typename T>
struct CholeskyFails {
    Diagonals diagonals;
    const int* info;
    MATGRAD_EITHER_SIDE bool operator()(std::int64_t p, std::int64_t k) const {
        const T pivot = pivot_of<T>(diagonals, p, k);
        return !(pivot > T(0) && is_finite(pivot)) || is_named(p, k) || k >= diagonals.rank;
    }
    MATGRAD_EITHER_SIDE std::int32_t status(std::int64_t p, std::int64_t k) const {
        if (diagonals.rank < diagonals.n) {
            return failed_at(StatusKind::singular, diagonals.rank);
        }
        const T pivot = pivot_of<T>(diagonals, p, k);
        const bool is_nan = !(pivot == pivot);
        bool finite = is_finite(pivot) || (is_nan && is_named(p, k));
        for (std::int64_t left = 1; left <= k && finite; ++left) {
            finite = is_finite((&pivot_of<T>(diagonals, p, k))[-left * diagonals.col_stride]);
        }
        return failed_at(finite ? StatusKind::not_positive : StatusKind::not_finite, k);
    }
    /// By the library.
    MATGRAD_EITHER_SIDE bool is_named(std::int64_t p, std::int64_t k) const {
        return info != nullptr && info[p] == k + 1;
    }
};

template <typename T>
struct LuFails {
    Diagonals diagonals;
    MATGRAD_EITHER_SIDE bool operator()(std::int64_t p, std::int64_t k) const {
        const T pivot = pivot_of<T>(diagonals, p, k);
        return pivot == T(0) || !is_finite(pivot);
    }
    MATGRAD_EITHER_SIDE std::int32_t status(std::int64_t p, std::int64_t k) const {
        const bool finite = is_finite(pivot_of<T>(diagonals, p, k));
        return failed_at(finite ? StatusKind::singular : StatusKind::not_finite, k);
    }
};

/// Where a zero is a result like others: all pivots of a problem are one thread's.
template <typename T>
struct SettleZeroPivots {
    Diagonals diagonals;
    Statuses status;
    MATGRAD_EITHER_SIDE void operator()(std::int64_t p) const {
        std::int32_t found = known_status(status, p);
        bool behind_zero = false;
        for (std::int64_t k = 0; k < diagonals.n; ++k) {
            T& pivot = pivot_of<T>(diagonals, p, k);
            if (behind_zero) {
                pivot = T(1);
            } else if (!is_finite(pivot)) {
                found = block::may_fail(found) ? failed_at(StatusKind::not_finite, k) : found;
                break;
            }
            behind_zero = behind_zero || pivot == T(0);
        }
        status.data[p] = found;
    }
};

/// So many entries of a problem that failed are written by one thread, each next to its neighbours'.
/// A thread of a problem that did not fail reads its status and is done.
constexpr std::int64_t kEntriesEach = 64;

/// Several threads may mark one problem: they write the same.
struct MarkNotFinite {
    Matrices terms;
    std::int64_t parts;  ///< of a problem
    std::int32_t* status;

    MATGRAD_EITHER_SIDE void operator()(std::int64_t i) const {
        const std::int64_t p = i / parts;
        if (block::has_failed(status[p])) {
            return;
        }
        const bool finite =
            terms.is_double ? are_finite<double>(p, i % parts) : are_finite<float>(p, i % parts);
        if (!finite) {
            status[p] = block::kNotFiniteStatus;
        }
    }

    template <typename T>
    MATGRAD_EITHER_SIDE bool are_finite(std::int64_t p, std::int64_t part) const {
        const T* matrix = static_cast<const T*>(terms.data) + p * terms.batch_stride;
        bool finite = true;
        for (std::int64_t e = part; e < terms.rows * terms.cols; e += parts) {
            const std::int64_t row = e / terms.cols;
            const std::int64_t col = e % terms.cols;
            finite = finite && is_finite(matrix[row * terms.row_stride + col * terms.col_stride]);
        }
        return finite;
    }
};

struct FillFailed {
    Matrices batches[kMostFilled];
    std::int64_t first_part[kMostFilled + 1];  ///< of each batch, in the parts of a problem
    std::int64_t count;
    double value;
    const std::int32_t* status;
    unsigned losing;

    MATGRAD_EITHER_SIDE void operator()(std::int64_t i) const {
        const std::int64_t parts = first_part[count];
        const std::int64_t p = i / parts;
        if (!block::loses_results(status[p], losing)) {
            return;
        }
        const std::int64_t part = i % parts;
        std::int64_t k = 0;
        while (part >= first_part[k + 1]) {
            ++k;
        }
        const std::int64_t step = first_part[k + 1] - first_part[k];
        if (batches[k].is_double) {
            fill<double>(batches[k], p, part - first_part[k], step);
        } else {
            fill<float>(batches[k], p, part - first_part[k], step);
        }
    }

    template <typename T>
    MATGRAD_EITHER_SIDE void fill(const Matrices& matrices, std::int64_t p, std::int64_t first,
                                  std::int64_t step) const {
        T* matrix = static_cast<T*>(matrices.data) + p * matrices.batch_stride;
        for (std::int64_t e = first; e < matrices.rows * matrices.cols; e += step) {
            const std::int64_t row = e / matrices.cols;
            const std::int64_t col = e % matrices.cols;
            matrix[row * matrices.row_stride + col * matrices.col_stride] = static_cast<T>(value);
        }
    }
};

}  // namespace

void fill_pointers(void** pointers, std::span<const PointerArray> arrays, std::int64_t batch,
                   cudaStream_t stream) {
    if (arrays.empty()) {
        return;
    }
    FillPointers fill{pointers, batch, static_cast<std::int64_t>(arrays.size()), {}};
    std::copy(arrays.begin(), arrays.end(), fill.arrays);
    run_for_each(stream, batch, fill);
}

void start_status(std::int32_t* status, const std::int32_t* shared, std::int64_t batch,
                  cudaStream_t stream) {
    run_tabulate(stream, status, batch, StartStatus{shared});
}

void read_cholesky_status(const Diagonals& diagonals, const int* info, const Statuses& status,
                          std::int64_t batch, cudaStream_t stream) {
    if (diagonals.is_double) {
        read_status(CholeskyFails<double>{diagonals, info}, diagonals.n, status, batch, stream);
    } else {
        read_status(CholeskyFails<float>{diagonals, info}, diagonals.n, status, batch, stream);
    }
}

void read_lu_status(const Diagonals& diagonals, bool zero_fails, const Statuses& status,
                    std::int64_t batch, cudaStream_t stream) {
    if (!zero_fails && diagonals.is_double) {
        run_for_each(stream, batch, SettleZeroPivots<double>{diagonals, status});
    } else if (!zero_fails) {
        run_for_each(stream, batch, SettleZeroPivots<float>{diagonals, status});
    } else if (diagonals.is_double) {
        read_status(LuFails<double>{diagonals}, diagonals.n, status, batch, stream);
    } else {
        read_status(LuFails<float>{diagonals}, diagonals.n, status, batch, stream);
    }
}

void narrow_pivots(const std::int64_t* pivots64, std::int32_t* pivots32, std::int64_t count,
                   cudaStream_t stream) {
    if (count > 0) {
        run(stream, "thrust::transform", [pivots64, pivots32, count](auto policy) {
            thrust::transform(policy, pivots64, pivots64 + count, pivots32, Narrow{});
        });
    }
}

void mark_not_finite(const Matrices& terms, std::int32_t* status, std::int64_t batch,
                     cudaStream_t stream) {
    const std::int64_t parts = (terms.rows * terms.cols + kEntriesEach - 1) / kEntriesEach;
    run_for_each(stream, batch * parts, MarkNotFinite{terms, parts, status});
}

void fill_failed(std::span<const Matrices> batches, double value, const std::int32_t* status,
                 std::int64_t batch, cudaStream_t stream, unsigned losing) {
    FillFailed fill{};
    fill.value = value;
    fill.status = status;
    fill.losing = losing;
    std::int64_t parts = 0;
    for (const Matrices& matrices : batches) {
        fill.batches[fill.count] = matrices;
        parts += (matrices.rows * matrices.cols + kEntriesEach - 1) / kEntriesEach;
        fill.first_part[++fill.count] = parts;
    }
    run_for_each(stream, batch * parts, fill);
}

}  // namespace matgrad::gpu
