/// \file Into and out of the compact layout, by transposes in registers where a stride is 1.

#include "cpu/highway_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/compact/transfer.cpp"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>

#include "cpu/compact/kernels.hpp"
#include "cpu/compact/lanes-inl.hpp"
#include "cpu/compact/squares-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace matgrad::detail::HWY_NAMESPACE {

/// So many elements of kLanes numbers are sooner transposed with nothing beside them than moved one
/// by one.
inline constexpr int kWorthSquare = 3;

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
    const auto left = static_cast<int>(count - e);
    if (left >= kWorthSquare) {
        const auto mask = hn::FirstN(d, static_cast<std::size_t>(left));
        for (int lane = 0; lane < kLanes; lane += kSize) {
            LaneVector<T> v[kSize];
#pragma GCC unroll 16
            for (int i = 0; i < kSize; ++i) {
                v[i] = hn::MaskedLoad(mask, d, sources[lane + i] + offset + e);
            }
            transpose_square<T>(v);
#pragma GCC unroll 16
            for (int i = 0; i < kSize; ++i) {
                if (i < left) {
                    hn::Store(v[i], d, to + (e + i) * to_step + lane);
                }
            }
        }
        return;
    }
    for (; e < count; ++e) {
        for (int l = 0; l < kLanes; ++l) {
            to[e * to_step + l] = sources[l][offset + e];
        }
    }
}

/// Elements of a run, each kLanes numbers.
template <typename T>
struct Run {
    const T* data;
    std::int64_t step;  ///< from one element to the next, in numbers
    std::int64_t count;
};

/// A part of a square: `width` elements, the first `lanes` lanes.
template <typename T, typename To>
HWY_NOINLINE void unpack_edge(const Run<T>& run, std::int64_t first, int width, int lanes,
                              const To& to) {
    const Lane<T> d;
    constexpr int kSize = static_cast<int>(hn::MaxLanes(Lane<T>()));
    const T* from = run.data + first * run.step;
    if (width < kWorthSquare) {
        for (int i = 0; i < width; ++i) {
            for (int l = 0; l < lanes; ++l) {
                to(l)[first + i] = from[i * run.step + l];
            }
        }
        return;
    }
    const auto mask = hn::FirstN(d, static_cast<std::size_t>(width));
    for (int lane = 0; lane < lanes; lane += kSize) {
        LaneVector<T> v[kSize];
#pragma GCC unroll 16
        for (int i = 0; i < kSize; ++i) {
            v[i] = i < width ? hn::Load(d, from + i * run.step + lane) : hn::Zero(d);
        }
        transpose_square<T>(v);
#pragma GCC unroll 16
        for (int i = 0; i < kSize; ++i) {
            if (lane + i < lanes) {
                hn::BlendedStore(v[i], mask, d, to(lane + i) + first);
            }
        }
    }
}

/// Elements of a run, transposed: number e of lane l to `to(l) + e`, by `store(vector, address)`
/// where a vector is full.
template <typename T, typename To, typename Store>
HWY_INLINE void unpack_squares(const Run<T>& run, int lanes, const To& to, const Store& store) {
    const Lane<T> d;
    constexpr int kSize = static_cast<int>(hn::MaxLanes(Lane<T>()));
    std::int64_t e = 0;
    for (; lanes == kLanes && e + kSize <= run.count; e += kSize) {
        for (int lane = 0; lane < kLanes; lane += kSize) {
            LaneVector<T> v[kSize];
#pragma GCC unroll 16
            for (int i = 0; i < kSize; ++i) {
                v[i] = hn::Load(d, run.data + (e + i) * run.step + lane);
            }
            transpose_square<T>(v);
#pragma GCC unroll 16
            for (int i = 0; i < kSize; ++i) {
                store(v[i], to(lane + i) + e);
            }
        }
    }
    for (; e < run.count; e += kSize) {
        const auto width = static_cast<int>(std::min<std::int64_t>(kSize, run.count - e));
        unpack_edge<T>(run, e, width, lanes, to);
    }
}

template <typename T>
HWY_INLINE void copy_out(const T* from, std::int64_t count, T* to, bool stream) {
    const Lane<T> d;
    const auto step = static_cast<std::int64_t>(hn::Lanes(d));
    if (stream) {
        return stream_out<T>(from, count, to);
    }
    std::int64_t i = 0;
    for (; i + step <= count; i += step) {
        hn::StoreU(hn::LoadU(d, from + i), d, to + i);
    }
    copy_few(from + i, count - i, to + i);
}

/// Each lane's numbers begin at targets[lane].
template <typename T>
struct Targets {
    T* at[kLanes];
    int lanes;

    /// Numbers from one to the next where that is the same for all; else 0.
    [[nodiscard]] std::int64_t distance() const {
        const std::int64_t first = lanes > 1 ? at[1] - at[0] : 0;
        for (int l = 2; l < lanes; ++l) {
            if (at[l] - at[l - 1] != first) {
                return 0;
            }
        }
        return first;
    }
    /// Is a vector of numbers a line of the cache, and does each target begin with one?
    [[nodiscard]] bool by_lines(std::int64_t offset) const {
        if (hn::MaxLanes(Lane<T>()) * sizeof(T) != 64) {
            return false;
        }
        std::uintptr_t bits = 0;
        for (int l = 0; l < lanes; ++l) {
            bits |= reinterpret_cast<std::uintptr_t>(at[l] + offset);
        }
        return bits % 64 == 0;
    }
};

/// In parts through a staging area, which keeps the lines of one lane together, whatever the distance
/// of the problems in memory: that is often a power of two, which would put all lanes in one set of
/// the cache.
template <typename T>
HWY_NOINLINE void unpack_staged(const Run<T>& run, const Targets<T>& targets, std::int64_t offset,
                                bool stream) {
    const Lane<T> d;
    constexpr std::int64_t kPart = 1024 / sizeof(T);
    constexpr std::int64_t kRow = kPart + 64 / sizeof(T);
    HWY_ALIGN T stage[kLanes * kRow];
    for (std::int64_t e = 0; e < run.count; e += kPart) {
        const std::int64_t part = std::min(kPart, run.count - e);
        unpack_squares<T>(
            {run.data + e * run.step, run.step, part}, kLanes,
            [&stage](int l) HWY_ATTR { return stage + l * kRow; },
            [d](LaneVector<T> v, T* to) HWY_ATTR { hn::Store(v, d, to); });
        for (int l = 0; l < targets.lanes; ++l) {
            copy_out<T>(stage + l * kRow, part, targets.at[l] + offset + e, stream);
        }
    }
}

/// Bytes of a tile's results that may be written in any order: they fit the first-level cache.
inline constexpr std::int64_t kNearBytes = 16 << 10;

template <typename T>
HWY_INLINE void unpack_run(const Run<T>& run, const Targets<T>& targets, std::int64_t offset,
                           bool stream) {
    const Lane<T> d;
    const auto to_target = [&](int l) HWY_ATTR { return targets.at[l] + offset; };
    if (stream && targets.by_lines(offset)) {
        unpack_squares<T>(run, targets.lanes, to_target,
                          [d](LaneVector<T> v, T* to) HWY_ATTR { hn::Stream(v, d, to); });
        return;
    }
    const std::int64_t distance = targets.distance();
    const std::int64_t bytes = distance * kLanes * static_cast<std::int64_t>(sizeof(T));
    const bool near = distance > 0 && bytes <= kNearBytes;
    if (near && !stream) {
        unpack_squares<T>(run, targets.lanes, to_target,
                          [d](LaneVector<T> v, T* to) HWY_ATTR { hn::StoreU(v, d, to); });
    } else if (near && distance == run.count) {
        // Without gaps from one problem to the next: they go out as one.
        HWY_ALIGN T stage[kNearBytes / sizeof(T)];
        unpack_squares<T>(
            run, kLanes, [&](int l) HWY_ATTR { return stage + l * run.count; },
            [d](LaneVector<T> v, T* to) HWY_ATTR { hn::StoreU(v, d, to); });
        stream_out<T>(stage, run.count * targets.lanes, targets.at[0] + offset);
    } else {
        unpack_staged(run, targets, offset, stream);
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
    Targets<T> to{};
    to.lanes = lanes;
    for (int l = 0; l < lanes; ++l) {
        to.at[l] = reinterpret_cast<T*>(targets[l]);
    }
    const T* in = reinterpret_cast<const T*>(from.data);
    if (col_stride != 1 && row_stride != 1) {
        for (std::int64_t r = 0; r < from.rows; ++r) {
            for (std::int64_t c = 0; c < from.cols; ++c) {
                for (int l = 0; l < lanes; ++l) {
                    to.at[l][r * row_stride + c * col_stride] =
                        in[(r * from.cols + c) * kLanes + l];
                }
            }
        }
        return;
    }
    for_each_run(from.rows, from.cols, row_stride, col_stride,
                 [&](std::int64_t r, std::int64_t c, std::int64_t count, std::int64_t step)
                     HWY_ATTR {
                         unpack_run<T>({in + (r * from.cols + c) * kLanes, step * kLanes, count},
                                       to, r * row_stride + c * col_stride, stream);
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

}  // namespace matgrad::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace matgrad::detail {
HWY_EXPORT(pack_all);
HWY_EXPORT(unpack_all);
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
}  // namespace matgrad::detail
#endif
