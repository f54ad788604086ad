#include "cpu/plain/lu.hpp"

#include <cmath>
#include <utility>

#include "cpu/pivot_status.hpp"
#include "cpu/plain/blas.hpp"

namespace matgrad::detail {
namespace {

std::int64_t pivot_at(const View& pivots, std::int64_t k) {
    return with_type(pivots.type, [&](auto zero) {
        return static_cast<std::int64_t>(*reinterpret_cast<decltype(zero)*>(pivots.at(k, 0)));
    });
}

void set_pivot(const View& pivots, std::int64_t k, std::int64_t row) {
    with_type(pivots.type, [&](auto zero) {
        *reinterpret_cast<decltype(zero)*>(pivots.at(k, 0)) = static_cast<decltype(zero)>(row);
    });
}

template <typename T>
bool all_finite(const View& a) {
    T sum = 0;  // stays 0 unless an entry is not finite
    for (std::int64_t c = 0; c < a.cols; ++c) {
        for (std::int64_t r = 0; r < a.rows; ++r) {
            sum += *reinterpret_cast<const T*>(a.at(r, c)) * T{0};
        }
    }
    return sum == 0;
}

/// For a matrix with an entry that is not finite. What a LAPACK does with such a matrix is its own
/// affair; here a NaN is the largest of a column, so the pivot that fails is a property of a.
template <typename T>
void factor_unblocked(const View& a, const View& pivots) {
    const auto entry = [&a](std::int64_t r, std::int64_t c) -> T& {
        return *reinterpret_cast<T*>(a.at(r, c));
    };
    for (std::int64_t k = 0; k < a.rows; ++k) {
        std::int64_t best = k;
        for (std::int64_t r = k + 1; r < a.rows && !std::isnan(entry(best, k)); ++r) {
            const T size = std::abs(entry(r, k));
            if (size > std::abs(entry(best, k)) || std::isnan(size)) {
                best = r;
            }
        }
        set_pivot(pivots, k, best);
        for (std::int64_t c = 0; c < a.cols && best != k; ++c) {
            std::swap(entry(k, c), entry(best, c));
        }
        for (std::int64_t r = k + 1; r < a.rows; ++r) {
            if (entry(k, k) != 0) {
                entry(r, k) /= entry(k, k);
            }
            for (std::int64_t c = k + 1; c < a.cols; ++c) {
                entry(r, c) -= entry(r, k) * entry(k, c);
            }
        }
    }
}

template <typename T>
std::int32_t factor_typed(const View& a, const View& pivots, bool zero_fails, Scratch& scratch) {
    const std::int64_t n = a.rows;
    if (all_finite<T>(a)) {
        auto* from_one = reinterpret_cast<std::int32_t*>(
            scratch.take(n * static_cast<std::int64_t>(sizeof(std::int32_t))));
        blas_getrf(a, from_one);
        for (std::int64_t k = 0; k < n; ++k) {
            set_pivot(pivots, k, from_one[k] - 1);
        }
    } else {
        factor_unblocked<T>(a, pivots);
    }
    for (std::int64_t k = 0; k < n; ++k) {
        const T pivot = *reinterpret_cast<const T*>(a.at(k, k));
        if (!std::isfinite(pivot) || (zero_fails && pivot == 0)) {
            return lu_status(pivot, k + 1);
        }
    }
    return 0;
}

}  // namespace

std::int32_t factor_lu(const View& a, const View& pivots, bool zero_fails, Scratch& scratch) {
    return with_type(a.type, [&](auto zero) {
        return factor_typed<decltype(zero)>(a, pivots, zero_fails, scratch);
    });
}

void swap_by_pivots(const View& pivots, const View& x, bool backwards) {
    for (std::int64_t i = 0; i < x.rows; ++i) {
        const std::int64_t k = backwards ? x.rows - 1 - i : i;
        const std::int64_t other = pivot_at(pivots, k);
        if (other == k) {
            continue;
        }
        with_type(x.type, [&](auto zero) {
            using T = decltype(zero);
            for (std::int64_t c = 0; c < x.cols; ++c) {
                std::swap(*reinterpret_cast<T*>(x.at(k, c)), *reinterpret_cast<T*>(x.at(other, c)));
            }
        });
    }
}

bool has_odd_swaps(const View& pivots) {
    bool odd = false;
    for (std::int64_t k = 0; k < pivots.rows; ++k) {
        odd = odd != (pivot_at(pivots, k) != k);
    }
    return odd;
}

}  // namespace matgrad::detail
