#include "cpu/highway_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/single/entries.cpp"
// clang-format off
#include <hwy/foreach_target.h>  // first: it includes this file once for each instruction set
#include <hwy/highway.h>
// clang-format on

#include <algorithm>
#include <type_traits>
#include <utility>

#include "cpu/single/kernels.hpp"
#include "cpu/single/rows-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace matgrad::detail::HWY_NAMESPACE {

template <typename T, int kWidth>
std::int32_t sum(const SingleStep& s, std::byte* frame) {
    Row<T, kWidth> total;
    for (std::int32_t r = 0; r < s.a.rows; ++r) {
        total.add(Row<T, kWidth>(&entry<T>(frame, s.a, r, 0)));
    }
    entry<T>(frame, s.out, 0, 0) = static_cast<T>(s.alpha * total.sum(s.a.cols));
    return 0;
}

template <typename T, int kWidth>
std::int32_t dot(const SingleStep& s, std::byte* frame) {
    Row<T, kWidth> total;
    for (std::int32_t r = 0; r < s.a.rows; ++r) {
        total.add_product(Row<T, kWidth>(&entry<T>(frame, s.a, r, 0)),
                          Row<T, kWidth>(&entry<T>(frame, s.b, r, 0)));
    }
    entry<T>(frame, s.out, 0, 0) = static_cast<T>(s.alpha * total.sum(s.a.cols));
    return 0;
}

/// `count` numbers, and none beyond them.
template <int kWidth, typename From, typename To>
HWY_INLINE void convert_some(const From* from, To* to) {
    if constexpr (kWidth == 1) {
        *to = static_cast<To>(*from);
    } else {
        using Wide = std::conditional_t<sizeof(From) == sizeof(double), From, To>;
        const hn::CappedTag<Wide, kWidth> d;
        const hn::Rebind<From, decltype(d)> d_from;
        const hn::Rebind<To, decltype(d)> d_to;
        constexpr int kStep = static_cast<int>(hn::MaxLanes(d));
#pragma GCC unroll 8
        for (int i = 0; i < kWidth; i += kStep) {
            const auto v = hn::LoadU(d_from, from + i);
            if constexpr (std::is_same_v<From, To>) {
                hn::StoreU(v, d_to, to + i);
            } else if constexpr (sizeof(From) < sizeof(To)) {
                hn::StoreU(hn::PromoteTo(d_to, v), d_to, to + i);
            } else {
                hn::StoreU(hn::DemoteTo(d_to, v), d_to, to + i);
            }
        }
    }
}

template <typename From, typename To>
HWY_INLINE void convert(const From* from, To* to, std::int64_t count) {
    for (; count >= 8; count -= 8, from += 8, to += 8) {
        convert_some<8>(from, to);
    }
    if ((count & 4) != 0) {
        convert_some<4>(from, to);
        from += 4;
        to += 4;
    }
    if ((count & 2) != 0) {
        convert_some<2>(from, to);
        from += 2;
        to += 2;
    }
    if ((count & 1) != 0) {
        convert_some<1>(from, to);
    }
}

/// GCC takes the conversion of four doubles, of which the result has 128 bits, for an instruction of 128 bits and leaves
/// out its vzeroupper: all code for SSE that runs afterwards would be slow.
HWY_INLINE void clear_upper_halves() {
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2
    _mm256_zeroupper();
#endif
}

/// Row by row: a load then reads no more than one store has written.
template <typename From, typename To>
HWY_INLINE void convert_rows(const From* from, std::int64_t step, To* to, std::int64_t step_there,
                             std::int64_t rows, std::int64_t cols) {
    if (cols == 4) {
        for (; rows > 0; --rows, from += step, to += step_there) {
            convert_some<4>(from, to);
        }
        if constexpr (sizeof(From) > sizeof(To)) {
            clear_upper_halves();
        }
        return;
    }
    for (; rows > 0; --rows, from += step, to += step_there) {
        convert(from, to, cols);
    }
}

/// to = the 4-by-4 block at `from`, transposed; rows of both lie together.
template <typename T>
HWY_INLINE void transpose_block(const T* from, std::int64_t from_stride, T* to,
                                std::int64_t to_stride) {
#if HWY_TARGET != HWY_SCALAR
    const hn::CappedTag<T, 4> d;
    if constexpr (hn::MaxLanes(d) == 4) {
        const auto a = hn::LoadU(d, from);
        const auto b = hn::LoadU(d, from + from_stride);
        const auto e = hn::LoadU(d, from + 2 * from_stride);
        const auto f = hn::LoadU(d, from + 3 * from_stride);
        if constexpr (sizeof(T) == sizeof(float)) {
            const auto even = hn::InterleaveLower(d, a, e);
            const auto odd = hn::InterleaveLower(d, b, f);
            const auto even_end = hn::InterleaveUpper(d, a, e);
            const auto odd_end = hn::InterleaveUpper(d, b, f);
            hn::StoreU(hn::InterleaveLower(d, even, odd), d, to);
            hn::StoreU(hn::InterleaveUpper(d, even, odd), d, to + to_stride);
            hn::StoreU(hn::InterleaveLower(d, even_end, odd_end), d, to + 2 * to_stride);
            hn::StoreU(hn::InterleaveUpper(d, even_end, odd_end), d, to + 3 * to_stride);
        } else {
            const auto even = hn::InterleaveLower(d, a, b);
            const auto odd = hn::InterleaveUpper(d, a, b);
            const auto even_end = hn::InterleaveLower(d, e, f);
            const auto odd_end = hn::InterleaveUpper(d, e, f);
            hn::StoreU(hn::ConcatLowerLower(d, even_end, even), d, to);
            hn::StoreU(hn::ConcatLowerLower(d, odd_end, odd), d, to + to_stride);
            hn::StoreU(hn::ConcatUpperUpper(d, even_end, even), d, to + 2 * to_stride);
            hn::StoreU(hn::ConcatUpperUpper(d, odd_end, odd), d, to + 3 * to_stride);
        }
        return;
    }
#endif
    for (int r = 0; r < 4; ++r) {
        for (int c = 0; c < 4; ++c) {
            to[c * to_stride + r] = from[r * from_stride + c];
        }
    }
}

/// rows-by-cols entries, with strides in numbers.
struct Strides {
    std::int64_t row, col;
};
template <typename From, typename To>
HWY_INLINE void move(const From* from, Strides by, To* to, Strides there, std::int64_t rows,
                     std::int64_t cols) {
    if (cols == 1) {  // a column is as good as a row
        std::swap(rows, cols);
        std::swap(by.row, by.col);
        std::swap(there.row, there.col);
    }
    if (by.col == 1 && there.col == 1) {
        return convert_rows(from, by.row, to, there.row, rows, cols);
    }
    const bool turned = (by.row == 1 && there.col == 1) || (by.col == 1 && there.row == 1);
    if constexpr (std::is_same_v<From, To>) {
        if (turned && rows % 4 == 0 && cols % 4 == 0) {
            const std::int64_t step = by.row == 1 ? by.col : by.row;
            const std::int64_t step_there = by.row == 1 ? there.row : there.col;
            for (std::int64_t r = 0; r < rows; r += 4) {
                for (std::int64_t c = 0; c < cols; c += 4) {
                    transpose_block(from + r * by.row + c * by.col, step,
                                    to + r * there.row + c * there.col, step_there);
                }
            }
            return;
        }
    }
    for (std::int64_t r = 0; r < rows; ++r) {
        for (std::int64_t c = 0; c < cols; ++c) {
            to[r * there.row + c * there.col] = static_cast<To>(from[r * by.row + c * by.col]);
        }
    }
}

template <typename From, typename To>
std::int32_t copy(const SingleStep& s, std::byte* frame) {
    move(entries<From>(frame, s.a), {s.a.row_stride, s.a.col_stride}, entries<To>(frame, s.out),
         {s.out.row_stride, s.out.col_stride}, s.out.rows, s.out.cols);
    return 0;
}

template <typename From, typename To>
void pack(const CallersMatrix& from, std::byte* frame, const Placed& to) {
    move(reinterpret_cast<const From*>(from.data), {from.row_stride, from.col_stride},
         entries<To>(frame, to), {to.row_stride, to.col_stride}, to.rows, to.cols);
}

template <typename From, typename To>
void unpack(std::byte* frame, const Placed& from, const CallersMatrix& to) {
    move(entries<From>(frame, from), {from.row_stride, from.col_stride},
         reinterpret_cast<To*>(to.data), {to.row_stride, to.col_stride}, from.rows, from.cols);
}

template <typename T>
std::int32_t fill(const SingleStep& s, std::byte* frame) {
    std::fill_n(entries<T>(frame, s.out), s.out.rows * s.out.row_stride, static_cast<T>(s.alpha));
    return 0;
}

SingleKernel choose_sum(ScalarType type, std::int32_t cols) {
    return with_row(type, cols, [](auto zero, auto width) -> SingleKernel {
        return sum<decltype(zero), decltype(width)::value>;
    });
}
SingleKernel choose_dot(ScalarType type, std::int32_t cols) {
    return with_row(type, cols, [](auto zero, auto width) -> SingleKernel {
        return dot<decltype(zero), decltype(width)::value>;
    });
}
SingleKernel choose_fill(ScalarType type) {
    return with_type(type, [](auto zero) -> SingleKernel { return fill<decltype(zero)>; });
}

template <typename Function>
auto with_types(ScalarType from, ScalarType to, Function function) {
    return with_type(from,
                     [&](auto a) { return with_type(to, [&](auto b) { return function(a, b); }); });
}
SingleKernel choose_copy(ScalarType from, ScalarType to) {
    return with_types(
        from, to, [](auto a, auto b) -> SingleKernel { return copy<decltype(a), decltype(b)>; });
}
SinglePack choose_pack(ScalarType from, ScalarType to) {
    return with_types(from, to,
                      [](auto a, auto b) -> SinglePack { return pack<decltype(a), decltype(b)>; });
}
SingleUnpack choose_unpack(ScalarType from, ScalarType to) {
    return with_types(
        from, to, [](auto a, auto b) -> SingleUnpack { return unpack<decltype(a), decltype(b)>; });
}

}  // namespace matgrad::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace matgrad::detail {
HWY_EXPORT(choose_sum);
HWY_EXPORT(choose_dot);
HWY_EXPORT(choose_fill);
HWY_EXPORT(choose_copy);
HWY_EXPORT(choose_pack);
HWY_EXPORT(choose_unpack);
SingleKernel single_sum(ScalarType type, std::int32_t cols) {
    return HWY_DYNAMIC_DISPATCH(choose_sum)(type, cols);
}
SingleKernel single_dot(ScalarType type, std::int32_t cols) {
    return HWY_DYNAMIC_DISPATCH(choose_dot)(type, cols);
}
SingleKernel single_fill(ScalarType type) {
    return HWY_DYNAMIC_DISPATCH(choose_fill)(type);
}
SingleKernel single_copy(ScalarType from, ScalarType to) {
    return HWY_DYNAMIC_DISPATCH(choose_copy)(from, to);
}
SinglePack single_pack(ScalarType from, ScalarType to) {
    return HWY_DYNAMIC_DISPATCH(choose_pack)(from, to);
}
SingleUnpack single_unpack(ScalarType from, ScalarType to) {
    return HWY_DYNAMIC_DISPATCH(choose_unpack)(from, to);
}
}  // namespace matgrad::detail
#endif
