/// \file Into and out of the compact layout, by transposes in registers where a stride is 1.

#include "cpu/highway_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/compact/transfer.cpp"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cstring>

#include "cpu/compact/kernels.hpp"
#include "cpu/compact/lanes-inl.hpp"
#include "cpu/compact/squares-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace matgrad::detail::HWY_NAMESPACE {

/// `count` numbers that are neighbours in each problem, from `offset` on, to elements that are
/// `to_step` numbers apart.
template <typename T>
HWY_INLINE void pack_run(const T* const* sources, std::int64_t offset, std::int64_t count, T* to,
                         std::int64_t to_step) {
    const Lane<T> d;
    constexpr int kSize = static_cast<int>(hn::MaxLanes(Lane<T>()));
    std::int64_t e = 0;
    for (; e + kSize <= count; e += kSize) {
        for (int lane = 0; lane < kLanes; lane += kSize) {
            LaneVector<T> v[kSize];
#pragma GCC unroll 16
            for (int i = 0; i < kSize; ++i) {
                v[i] = hn::LoadU(d, sources[lane + i] + offset + e);
            }
            transpose_square<T>(v);
#pragma GCC unroll 16
            for (int i = 0; i < kSize; ++i) {
                hn::Store(v[i], d, to + (e + i) * to_step + lane);
            }
        }
    }
    for (; e < count; ++e) {
        for (int l = 0; l < kLanes; ++l) {
            to[e * to_step + l] = sources[l][offset + e];
        }
    }
}

/// Element squares [first, first + count) of a run, transposed, to rows of `to` that are `to_step`
/// numbers apart, one for each lane. count is a multiple of a vector.
template <typename T>
HWY_INLINE void unpack_squares(const T* from, std::int64_t from_step, std::int64_t first,
                               std::int64_t count, T* to, std::int64_t to_step) {
    const Lane<T> d;
    constexpr int kSize = static_cast<int>(hn::MaxLanes(Lane<T>()));
    for (std::int64_t e = 0; e < count; e += kSize) {
        for (int lane = 0; lane < kLanes; lane += kSize) {
            LaneVector<T> v[kSize];
#pragma GCC unroll 16
            for (int i = 0; i < kSize; ++i) {
                v[i] = hn::Load(d, from + (first + e + i) * from_step + lane);
            }
            transpose_square<T>(v);
#pragma GCC unroll 16
            for (int i = 0; i < kSize; ++i) {
                hn::Store(v[i], d, to + (lane + i) * to_step + e);
            }
        }
    }
}

/// The staging area keeps the lines of one lane together, whatever the distance of the problems in
/// memory: that is often a power of two, which would put all lanes in one set of the cache.
template <typename T>
HWY_INLINE void unpack_run(const T* from, std::int64_t from_step, int lanes, std::int64_t offset,
                           std::int64_t count, T* const* targets, bool stream) {
    constexpr int kSize = static_cast<int>(hn::MaxLanes(Lane<T>()));
    constexpr std::int64_t kPart = 1024 / sizeof(T);
    constexpr std::int64_t kRow = kPart + 64 / sizeof(T);
    HWY_ALIGN T stage[kLanes * kRow];
    const std::int64_t whole = count / kSize * kSize;
    for (std::int64_t e = 0; e < whole; e += kPart) {
        const std::int64_t part = std::min(kPart, whole - e);
        unpack_squares<T>(from, from_step, e, part, stage, kRow);
        for (int l = 0; l < lanes; ++l) {
            T* to = targets[l] + offset + e;
            if (stream) {
                stream_out<T>(stage + l * kRow, part, to);
            } else {
                std::memcpy(to, stage + l * kRow, static_cast<std::size_t>(part) * sizeof(T));
            }
        }
    }
    for (std::int64_t e = whole; e < count; ++e) {
        for (int l = 0; l < lanes; ++l) {
            targets[l][offset + e] = from[e * from_step + l];
        }
    }
}

/// Calls run(element row, element column, offset, count, element step) for the runs of neighbours
/// of a matrix with these strides: rows, columns, or all of it at once.
template <typename Run>
HWY_INLINE void for_each_run(std::int64_t rows, std::int64_t cols, std::int64_t row_stride,
                             std::int64_t col_stride, Run&& run) {
    if (col_stride == 1 && row_stride == cols) {
        run(0, 0, rows * cols, 1);
    } else if (col_stride == 1 || (rows == 1 && row_stride != 1)) {
        for (std::int64_t r = 0; r < rows; ++r) {
            run(r, 0, cols, 1);
        }
    } else {
        for (std::int64_t c = 0; c < cols; ++c) {
            run(0, c, rows, cols);
        }
    }
}

template <typename T>
void pack_typed(const std::byte* const* sources, std::int64_t row_stride, std::int64_t col_stride,
                const View& to) {
    const T* from[kLanes];
    for (int l = 0; l < kLanes; ++l) {
        from[l] = reinterpret_cast<const T*>(sources[l]);
    }
    T* out = reinterpret_cast<T*>(to.data);
    if (col_stride != 1 && row_stride != 1) {
        for (std::int64_t r = 0; r < to.rows; ++r) {
            for (std::int64_t c = 0; c < to.cols; ++c) {
                for (int l = 0; l < kLanes; ++l) {
                    *out++ = from[l][r * row_stride + c * col_stride];
                }
            }
        }
        return;
    }
    for_each_run(to.rows, to.cols, row_stride, col_stride,
                 [&](std::int64_t r, std::int64_t c, std::int64_t count, std::int64_t step)
                     HWY_ATTR {
                         pack_run<T>(from, r * row_stride + c * col_stride, count,
                                     out + (r * to.cols + c) * kLanes, step * kLanes);
                     });
}

template <typename T>
void unpack_typed(const View& from, int lanes, std::byte* const* targets, std::int64_t row_stride,
                  std::int64_t col_stride, bool stream) {
    T* to[kLanes];
    for (int l = 0; l < lanes; ++l) {
        to[l] = reinterpret_cast<T*>(targets[l]);
    }
    const T* in = reinterpret_cast<const T*>(from.data);
    if (col_stride != 1 && row_stride != 1) {
        for (std::int64_t r = 0; r < from.rows; ++r) {
            for (std::int64_t c = 0; c < from.cols; ++c) {
                for (int l = 0; l < lanes; ++l) {
                    to[l][r * row_stride + c * col_stride] = in[(r * from.cols + c) * kLanes + l];
                }
            }
        }
        return;
    }
    for_each_run(from.rows, from.cols, row_stride, col_stride,
                 [&](std::int64_t r, std::int64_t c, std::int64_t count, std::int64_t step)
                     HWY_ATTR {
                         unpack_run<T>(in + (r * from.cols + c) * kLanes, step * kLanes, lanes,
                                       r * row_stride + c * col_stride, count, to, stream);
                     });
}

void pack_all(const std::byte* const* sources, std::int64_t row_stride, std::int64_t col_stride,
              const View& to) {
    with_type(to.type,
              [&](auto zero) { pack_typed<decltype(zero)>(sources, row_stride, col_stride, to); });
}

void unpack_all(const View& from, int lanes, std::byte* const* targets, std::int64_t row_stride,
                std::int64_t col_stride, bool stream) {
    with_type(from.type, [&](auto zero) {
        unpack_typed<decltype(zero)>(from, lanes, targets, row_stride, col_stride, stream);
    });
}

/// kLanes numbers of From, or one of them spread, as To.
template <typename From, typename To>
HWY_INLINE void convert_element(const From* from, bool shared, To* to) {
    if (shared) {
        std::fill(to, to + kLanes, static_cast<To>(*from));
    } else if constexpr (sizeof(From) >= sizeof(To)) {
        for (std::size_t l = 0; l < kLanes; l += hn::Lanes(Lane<From>())) {
            store_as<From>(hn::Load(Lane<From>(), from + l), to + l);
        }
    } else {
        for (std::size_t l = 0; l < kLanes; l += hn::Lanes(Lane<To>())) {
            hn::Store(load_as<To>(from + l), Lane<To>(), to + l);
        }
    }
}

template <typename From, typename To>
void convert_typed(const View& from, const View& to) {
    for (std::int64_t r = 0; r < to.rows; ++r) {
        for (std::int64_t c = 0; c < to.cols; ++c) {
            convert_element(reinterpret_cast<const From*>(from.at(r, c)), from.lanes == 1,
                            reinterpret_cast<To*>(to.at(r, c)));
        }
    }
}

void convert_all(const View& from, const View& to) {
    with_type(from.type, [&](auto f) {
        with_type(to.type, [&](auto t) { convert_typed<decltype(f), decltype(t)>(from, to); });
    });
}

template <typename T>
void sum_typed(const View& from, const bool* keep, double* sums) {
    const Lane<double> d;
    HWY_ALIGN double ones[kLanes];
    for (int l = 0; l < kLanes; ++l) {
        ones[l] = keep[l] ? 1.0 : 0.0;
    }
    for (std::int64_t r = 0; r < from.rows; ++r) {
        for (std::int64_t c = 0; c < from.cols; ++c) {
            const T* at = reinterpret_cast<const T*>(from.at(r, c));
            auto sum = hn::Zero(d);
            for (std::size_t l = 0; l < kLanes; l += hn::Lanes(d)) {
                const auto kept = hn::Ne(hn::Load(d, ones + l), hn::Zero(d));
                sum = hn::Add(sum, hn::IfThenElseZero(kept, load_as<double>(at + l)));
            }
            *sums++ += hn::GetLane(hn::SumOfLanes(d, sum));
        }
    }
}

void sum_all(const View& from, const bool* keep, double* sums) {
    with_type(from.type, [&](auto zero) { sum_typed<decltype(zero)>(from, keep, sums); });
}

}  // namespace matgrad::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace matgrad::detail {
HWY_EXPORT(pack_all);
HWY_EXPORT(unpack_all);
HWY_EXPORT(convert_all);
HWY_EXPORT(sum_all);
void lane_pack(const std::byte* const* sources, std::int64_t row_stride, std::int64_t col_stride,
               const View& to) {
    HWY_DYNAMIC_DISPATCH(pack_all)(sources, row_stride, col_stride, to);
}
void lane_unpack(const View& from, int count, std::byte* const* targets, std::int64_t row_stride,
                 std::int64_t col_stride, bool stream) {
    HWY_DYNAMIC_DISPATCH(unpack_all)(from, count, targets, row_stride, col_stride, stream);
}
void lane_flush() {
    hwy::FlushStream();
}
void lane_convert(const View& from, const View& to) {
    HWY_DYNAMIC_DISPATCH(convert_all)(from, to);
}
void lane_sum(const View& from, const bool* keep, double* sums) {
    HWY_DYNAMIC_DISPATCH(sum_all)(from, keep, sums);
}
}  // namespace matgrad::detail
#endif
