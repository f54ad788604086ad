/// \file Kernels of single problems whose time is that of the functions they call, or does not matter.

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>

#include "cpu/fold.hpp"
#include "cpu/norm.hpp"
#include "cpu/single/kernels.hpp"
#include "cpu/vector_math.hpp"
#include "cpu/view.hpp"

namespace matgrad::detail {
namespace {

/// Is it one of the functions that take long where their argument is unusual?
bool is_function(MapOp op) {
    const std::optional<Entrywise> function = entrywise_of(op);
    return op == MapOp::pow || (function && (facts_of(*function) & kHeavy) != 0);
}

/// The entries alone, one after the other, and the first one up to the end of a vector: what lies between rows would
/// make a function take its slow way.
template <typename T>
void gather(const SingleStep& s, std::byte* frame, const Placed& from, T* to) {
    const T* const first = to;
    for (std::int32_t r = 0; r < s.out.rows; ++r, to += s.out.cols) {
        std::copy_n(&entry<T>(frame, from, r, 0), s.out.cols, to);
    }
    std::fill_n(to, kStripRoom, *first);
}

template <typename T>
std::int32_t map_entries(const SingleStep& s, std::byte* frame) {
    constexpr std::int64_t kRoom = kMostSingleOrder * kMostSingleOrder + kStripRoom;
    const auto op = static_cast<MapOp>(s.code);
    T numbers[kRoom];
    T others[kRoom];
    gather(s, frame, s.a, numbers);
    if (reads_b(op)) {
        gather(s, frame, s.b, others);
    }
    apply_strip(op, numbers, numbers, reads_b(op) ? others : numbers, s.alpha,
                std::int64_t{s.out.rows} * s.out.cols);
    const T* from = numbers;
    for (std::int32_t r = 0; r < s.out.rows; ++r, from += s.out.cols) {
        std::copy_n(from, s.out.cols, &entry<T>(frame, s.out, r, 0));
    }
    return 0;
}

template <typename T>
std::int32_t map(const SingleStep& s, std::byte* frame) {
    const auto op = static_cast<MapOp>(s.code);
    const std::int64_t count = std::int64_t{s.out.rows} * s.out.row_stride;
    if (is_function(op) && (s.out.row_stride != s.out.cols || count % kStripRoom != 0)) {
        return map_entries<T>(s, frame);
    }
    apply_strip(op, entries<T>(frame, s.out), entries<T>(frame, s.a), entries<T>(frame, s.b),
                s.alpha, count);
    return 0;
}

/// log(a) for all entries, as one logarithm of the product of their mantissas and the sum of their exponents.
template <typename T>
std::int32_t log_sum(const SingleStep& s, std::byte* frame) {
    constexpr std::uint64_t kExponent = 0x7ff;
    constexpr int kExponentAt = 52;
    constexpr std::uint64_t kOne = std::uint64_t{1023} << kExponentAt;
    constexpr double kLog2 = 0.693147180559945309417;
    double mantissas = 1;  // each in [1, 2): 256 of them are below 2^256
    double others = 0;
    std::int64_t exponents = 0;
    for (std::int32_t r = 0; r < s.a.rows; ++r) {
        for (std::int32_t c = 0; c < s.a.cols; ++c) {
            const auto x = static_cast<double>(entry<T>(frame, s.a, r, c));
            if (!(x >= std::numeric_limits<double>::min() &&
                  x <= std::numeric_limits<double>::max())) {
                others += std::log(x);
                continue;
            }
            const auto bits = std::bit_cast<std::uint64_t>(x);
            const std::uint64_t exponent = bits >> kExponentAt;
            exponents += static_cast<std::int64_t>(exponent) - 1023;
            mantissas *= std::bit_cast<double>((bits & ~(kExponent << kExponentAt)) | kOne);
        }
    }
    const double sum = std::log(mantissas) + static_cast<double>(exponents) * kLog2 + others;
    entry<T>(frame, s.out, 0, 0) = static_cast<T>(s.alpha * sum);
    return 0;
}

template <typename T>
std::int32_t positions(const SingleStep& s, std::byte* frame) {
    const auto op = static_cast<MapOp>(s.code);
    for (std::int32_t r = 0; r < s.out.rows; ++r) {
        for (std::int32_t c = 0; c < s.out.cols; ++c) {
            const std::int32_t number = op == MapOp::row_index     ? r
                                        : op == MapOp::col_index   ? c
                                        : op == MapOp::is_diagonal ? std::int32_t{r == c}
                                        : op == MapOp::is_lower    ? std::int32_t{r >= c}
                                                                   : std::int32_t{r <= c};
            entry<T>(frame, s.out, r, c) = static_cast<T>(number);
        }
    }
    return 0;
}

/// Of rows [first, end) of a; entries are multiplied by `factor` before they are squared.
template <typename T>
double fold_rows_of(const SingleStep& s, std::byte* frame, std::int32_t first, std::int32_t end,
                    double factor) {
    const auto of = static_cast<ReduceOp>(s.code);
    const ReduceOp op = fold_of(of);
    auto result = identity_of<double>(op);
    for (std::int32_t r = first; r < end; ++r) {
        for (std::int32_t c = 0; c < s.a.cols; ++c) {
            const auto value = factor * static_cast<double>(entry<T>(frame, s.a, r, c));
            result = fold_two(op, result, of == ReduceOp::norm ? value * value : value);
        }
    }
    return result;
}

template <typename T>
double reduced(const SingleStep& s, std::byte* frame, std::int32_t first, std::int32_t end) {
    const double fold = fold_rows_of<T>(s, frame, first, end, 1);
    if (static_cast<ReduceOp>(s.code) != ReduceOp::norm) {
        return fold;
    }
    const NormScale scale = scale_for<T>(fold);
    const bool again = scale != NormScale::none;
    return norm_of<T>(again ? fold_rows_of<T>(s, frame, first, end, norm_factor<T>(scale)) : fold,
                      scale);
}

/// -1 where the permutation is odd.
template <typename T>
double sign_of(std::byte* frame, const Placed& pivots) {
    double sign = 1;
    for (std::int32_t k = 0; k < pivots.rows; ++k) {
        sign = entry<T>(frame, pivots, k, 0) != static_cast<T>(k) ? -sign : sign;
    }
    return sign;
}

template <typename T>
std::int32_t reduce(const SingleStep& s, std::byte* frame) {
    if (s.out.rows > 1) {
        for (std::int32_t r = 0; r < s.a.rows; ++r) {
            entry<T>(frame, s.out, r, 0) = static_cast<T>(s.alpha * reduced<T>(s, frame, r, r + 1));
        }
        return 0;
    }
    const bool is_signed = static_cast<ReduceOp>(s.code) == ReduceOp::signed_product;
    const double sign = is_signed ? sign_of<T>(frame, s.c) : 1;
    entry<T>(frame, s.out, 0, 0) =
        static_cast<T>(sign * s.alpha * reduced<T>(s, frame, 0, s.a.rows));
    return 0;
}

}  // namespace

SingleKernel single_map(ScalarType type) {
    return with_type(type, [](auto zero) -> SingleKernel { return map<decltype(zero)>; });
}
SingleKernel single_positions(ScalarType type) {
    return with_type(type, [](auto zero) -> SingleKernel { return positions<decltype(zero)>; });
}
SingleKernel single_log_sum(ScalarType type) {
    return with_type(type, [](auto zero) -> SingleKernel { return log_sum<decltype(zero)>; });
}
SingleKernel single_reduce(ScalarType type) {
    return with_type(type, [](auto zero) -> SingleKernel { return reduce<decltype(zero)>; });
}

}  // namespace matgrad::detail
