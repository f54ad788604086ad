#include "cpu/highway_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/dot.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <utility>

#include "cpu/compact/squares-inl.hpp"
#include "cpu/dot.hpp"
#include "cpu/strip-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace matgrad::detail::HWY_NAMESPACE {

/// Vectors of partial sums: enough to hide the latency of an addition.
inline constexpr int kChains = 4;
/// Terms in the partial sums before they are combined.
inline constexpr std::int64_t kBlockTerms = 4096;
/// Rows, and entries, of the blocks in which an operand is put in order that lies otherwise: two
/// cache lines of a column of floats, so that lines are used that came together.
inline constexpr std::int64_t kTileRows = 32;
inline constexpr std::int64_t kTileEntries = 1024;
/// A block with fewer entries is not worth a square.
inline constexpr std::int64_t kFewEntries = 32;

template <typename T, Terms kTerms>
HWY_INLINE LaneVector<T> add_term(LaneVector<T> sum, LaneVector<T> a, LaneVector<T> b) {
    if constexpr (kTerms == Terms::entries) {
        return hn::Add(sum, a);
    } else {
        return hn::MulAdd(a, kTerms == Terms::squares ? a : b, sum);
    }
}

template <typename T>
HWY_INLINE void clear(LaneVector<T>* part) {
#pragma GCC unroll 4
    for (int i = 0; i < kChains; ++i) {
        part[i] = hn::Zero(Lane<T>());
    }
}
template <typename T>
HWY_INLINE LaneVector<T> combined(const LaneVector<T>* part) {
    return hn::Add(hn::Add(part[0], part[1]), hn::Add(part[2], part[3]));
}

/// Adds `count` terms that lie in a row.
template <typename T, typename A, typename B, Terms kTerms>
HWY_INLINE void add_run(const A* a, const B* b, std::int64_t count, LaneVector<T>* part) {
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(Lane<T>()));
    const auto add = [&](int chain, std::int64_t i) HWY_ATTR {
        const auto x = load_strip<T>(a + i);
        part[chain] = add_term<T, kTerms>(part[chain], x,
                                          kTerms == Terms::products ? load_strip<T>(b + i) : x);
    };
    std::int64_t i = 0;
    for (; i + kChains * lanes <= count; i += kChains * lanes) {
#pragma GCC unroll 4
        for (int chain = 0; chain < kChains; ++chain) {
            add(chain, i + chain * lanes);
        }
    }
    if (i + 2 * lanes <= count) {
        add(0, i);
        add(1, i + lanes);
        i += 2 * lanes;
    }
    if (i + lanes <= count) {
        add(2, i);
        i += lanes;
    }
    if (i < count) {
        const auto x = load_first<T>(a + i, count - i);
        part[3] = add_term<T, kTerms>(
            part[3], x, kTerms == Terms::products ? load_first<T>(b + i, count - i) : x);
    }
}

template <typename S>
struct Rows {
    const S* data;
    std::int64_t stride;
};

template <typename T, typename A, typename B, Terms kTerms>
HWY_INLINE double sum_rows(Rows<A> a, Rows<B> b, std::int64_t rows, std::int64_t cols) {
    const std::int64_t group = std::max<std::int64_t>(1, kBlockTerms / cols);
    double total = 0;
    for (std::int64_t r0 = 0; r0 < rows; r0 += group) {
        for (std::int64_t c = 0; c < cols; c += kBlockTerms) {
            LaneVector<T> part[kChains];
            clear<T>(part);
            const std::int64_t end = std::min(rows, r0 + group);
            for (std::int64_t r = r0; r < end; ++r) {
                add_run<T, A, B, kTerms>(a.data + r * a.stride + c, b.data + r * b.stride + c,
                                         std::min(kBlockTerms, cols - c), part);
            }
            const auto sum = hn::SumOfLanes(Lane<T>(), combined<T>(part));
            total += static_cast<double>(hn::GetLane(sum));
        }
    }
    return total;
}

/// A square of at most kSize columns of at most kSize rows, transposed.
template <typename S>
HWY_INLINE void turn_square(const S* from, std::int64_t stride, std::int64_t rows,
                            std::int64_t cols, S* to, std::int64_t to_stride) {
    const Lane<S> d;
    constexpr auto kSize = static_cast<std::int64_t>(hn::MaxLanes(Lane<S>()));
    LaneVector<S> v[kSize];
    if (rows == kSize && cols == kSize) {
#pragma GCC unroll 16
        for (std::int64_t i = 0; i < kSize; ++i) {
            v[i] = hn::LoadU(d, from + i * stride);
        }
    } else {
#pragma GCC unroll 16
        for (std::int64_t i = 0; i < kSize; ++i) {
            v[i] = i < cols ? load_first<S>(from + i * stride, rows) : hn::Zero(d);
        }
    }
    transpose_square<S>(v);
#pragma GCC unroll 16
    for (std::int64_t i = 0; i < kSize; ++i) {
        if (i < rows) {
            hn::StoreU(v[i], d, to + i * to_stride);
        }
    }
}

/// The block at (r, c), row by row: where it is, or copied to `buffer`.
template <typename S>
HWY_INLINE Rows<S> in_rows(const View& v, std::int64_t r, std::int64_t c, std::int64_t rows,
                           std::int64_t cols, S* buffer) {
    const auto* from = reinterpret_cast<const S*>(v.at(r, c));
    if (v.col_stride == 1) {
        return {from, v.row_stride};
    }
    constexpr auto kSize = static_cast<std::int64_t>(hn::MaxLanes(Lane<S>()));
    const std::int64_t stride = (cols + kSize - 1) / kSize * kSize;
    if (v.row_stride == 1 && rows * cols >= kFewEntries) {
        for (std::int64_t j = 0; j < cols; j += kSize) {
            for (std::int64_t i = 0; i < rows; i += kSize) {
                turn_square<S>(from + i + j * v.col_stride, v.col_stride, std::min(kSize, rows - i),
                               std::min(kSize, cols - j), buffer + i * stride + j, stride);
            }
        }
    } else {
        for (std::int64_t i = 0; i < rows; ++i) {
            for (std::int64_t j = 0; j < cols; ++j) {
                buffer[i * stride + j] = from[i * v.row_stride + j * v.col_stride];
            }
        }
    }
    return {buffer, stride};
}

template <typename T, typename A, typename B, Terms kTerms>
double sum_typed(const View& a, const View& b) {
    if (a.col_stride == 1 && b.col_stride == 1) {
        return sum_rows<T, A, B, kTerms>({reinterpret_cast<const A*>(a.data), a.row_stride},
                                         {reinterpret_cast<const B*>(b.data), b.row_stride}, a.rows,
                                         a.cols);
    }
    HWY_ALIGN A of_a[kTileEntries];
    HWY_ALIGN B of_b[kTileEntries];
    const std::int64_t most_rows = std::min(kTileRows, a.rows);
    const std::int64_t most_cols = kTileEntries / most_rows / kLanes * kLanes;
    double total = 0;
    for (std::int64_t c = 0; c < a.cols; c += most_cols) {
        for (std::int64_t r = 0; r < a.rows; r += most_rows) {
            const std::int64_t rows = std::min(most_rows, a.rows - r);
            const std::int64_t cols = std::min(most_cols, a.cols - c);
            const Rows<A> left = in_rows<A>(a, r, c, rows, cols, of_a);
            const Rows<B> right = kTerms == Terms::products ? in_rows<B>(b, r, c, rows, cols, of_b)
                                                            : Rows<B>{of_b, 0};
            total += sum_rows<T, A, B, kTerms>(left, right, rows, cols);
        }
    }
    return total;
}

/// Adds `count` terms, each a vector of lanes; `b` moves on by whole elements.
template <typename T, typename A, typename B, Terms kTerms, bool kShared>
HWY_INLINE void add_lane_run(const A* a, std::int64_t a_step, const B* b, std::int64_t b_step,
                             std::int64_t count, LaneVector<T>* part) {
    const auto add = [&](int chain, std::int64_t i) HWY_ATTR {
        const auto x = load_strip<T>(a + i * a_step);
        if constexpr (kTerms != Terms::products) {
            part[chain] = add_term<T, kTerms>(part[chain], x, x);
        } else if constexpr (kShared) {
            const auto y = hn::Set(Lane<T>(), static_cast<T>(b[i * b_step]));
            part[chain] = add_term<T, kTerms>(part[chain], x, y);
        } else {
            part[chain] = add_term<T, kTerms>(part[chain], x, load_strip<T>(b + i * b_step));
        }
    };
    std::int64_t i = 0;
    for (; i + kChains <= count; i += kChains) {
#pragma GCC unroll 4
        for (int chain = 0; chain < kChains; ++chain) {
            add(chain, i + chain);
        }
    }
    if (i < count) {
        add(0, i);
    }
    if (i + 1 < count) {
        add(1, i + 1);
    }
    if (i + 2 < count) {
        add(2, i + 2);
    }
}

template <typename T, typename A, typename B, Terms kTerms, bool kShared>
void lane_sum_typed(const View& a, const View& b, double* sums) {
    const Lane<T> d;
    const std::int64_t group = std::max<std::int64_t>(1, kBlockTerms / kLanes / a.cols);
    HWY_ALIGN T block[kLanes];
    for (int lane = 0; lane < kLanes; lane += static_cast<int>(hn::Lanes(d))) {
        const Elements<const A> left(a, lane);
        const Elements<const B> right(b, kShared ? 0 : lane);
        for (std::int64_t r0 = 0; r0 < a.rows; r0 += group) {
            for (std::int64_t c = 0; c < a.cols; c += kBlockTerms / kLanes) {
                LaneVector<T> part[kChains];
                clear<T>(part);
                const std::int64_t end = std::min(a.rows, r0 + group);
                for (std::int64_t r = r0; r < end; ++r) {
                    add_lane_run<T, A, B, kTerms, kShared>(
                        left.at(r, c), left.col_step, right.at(r, c), right.col_step,
                        std::min(kBlockTerms / kLanes, a.cols - c), part);
                }
                hn::StoreU(combined<T>(part), d, block + lane);
                for (int l = lane; l < lane + static_cast<int>(hn::Lanes(d)); ++l) {
                    sums[l] += static_cast<double>(block[l]);
                }
            }
        }
    }
}

/// Calls function(T{}, A{}, B{}) with the types that compute, and of the operands.
template <typename Function>
HWY_INLINE void with_types(const Dot& dot, Function function) {
    if (dot.type == ScalarType::float32) {
        return function(float{}, float{}, float{});
    }
    with_type(dot.a.type, [&](auto a) {
        if (dot.terms == Terms::products) {
            with_type(dot.b.type, [&](auto b) { function(double{}, a, b); });
        } else {
            function(double{}, a, a);
        }
    });
}

double sum_all(const Dot& dot) {
    double total = 0;
    with_types(dot, [&](auto t, auto a, auto b) {
        using T = decltype(t);
        using A = decltype(a);
        using B = decltype(b);
        switch (dot.terms) {
            case Terms::entries:
                total = sum_typed<T, A, A, Terms::entries>(dot.a, dot.a);
                return;
            case Terms::squares:
                total = sum_typed<T, A, A, Terms::squares>(dot.a, dot.a);
                return;
            case Terms::products:
                total = sum_typed<T, A, B, Terms::products>(dot.a, dot.b);
                return;
        }
    });
    return total;
}

void lane_sum_all(const Dot& dot, double* sums) {
    with_types(dot, [&](auto t, auto a, auto b) {
        using T = decltype(t);
        using A = decltype(a);
        using B = decltype(b);
        switch (dot.terms) {
            case Terms::entries:
                return lane_sum_typed<T, A, A, Terms::entries, false>(dot.a, dot.a, sums);
            case Terms::squares:
                return lane_sum_typed<T, A, A, Terms::squares, false>(dot.a, dot.a, sums);
            case Terms::products:
                return dot.b.lanes == 1
                           ? lane_sum_typed<T, A, B, Terms::products, true>(dot.a, dot.b, sums)
                           : lane_sum_typed<T, A, B, Terms::products, false>(dot.a, dot.b, sums);
        }
    });
}

}  // namespace matgrad::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace matgrad::detail {
namespace {
HWY_EXPORT(sum_all);
HWY_EXPORT(lane_sum_all);

/// Its entries as one row.
View joined(View v) {
    v.cols = v.count();
    v.rows = 1;
    v.row_stride = v.cols;
    v.col_stride = 1;
    return v;
}

/// Rows along memory for as many operands as can be, and as long as can be. A sum does not mind.
Dot in_order(Dot dot) {
    const auto flat = [&dot] {
        return dot.a.contiguous() && (dot.terms != Terms::products || dot.b.contiguous());
    };
    const auto turn = [&dot] {
        dot.a = transposed(dot.a);
        dot.b = transposed(dot.b);
    };
    if (flat()) {
        dot.a = joined(dot.a);
        dot.b = joined(dot.b);
        return dot;
    }
    turn();
    if (flat()) {
        dot.a = joined(dot.a);
        dot.b = joined(dot.b);
        return dot;
    }
    const bool paired = dot.terms == Terms::products;
    const int rows = (dot.a.col_stride == 1 ? 1 : 0) + (paired && dot.b.col_stride == 1 ? 1 : 0);
    const int cols = (dot.a.row_stride == 1 ? 1 : 0) + (paired && dot.b.row_stride == 1 ? 1 : 0);
    // One column is one row; else only if that puts more in order.
    if (dot.a.cols == 1 ? dot.a.rows > 1 : dot.a.rows == 1 ? false : rows <= cols) {
        turn();
    }
    return dot;
}
}  // namespace

bool is_dot(const Dot& dot, int lanes) {
    const bool paired = dot.terms == Terms::products;
    if (dot.type == ScalarType::float32 &&
        (dot.a.type != dot.type || (paired && dot.b.type != dot.type))) {
        return false;
    }
    return dot.a.lanes == lanes || (paired && dot.b.lanes == lanes);
}

double sum_of(const Dot& dot) {
    return dot.a.count() == 0 ? 0 : HWY_DYNAMIC_DISPATCH(sum_all)(in_order(dot));
}

void sum_of_lanes(const Dot& dot, double* sums) {
    std::fill_n(sums, kLanes, 0.0);
    if (dot.a.count() == 0) {
        return;
    }
    Dot ordered = in_order(dot);
    if (ordered.a.lanes == 1) {
        std::swap(ordered.a, ordered.b);
    }
    HWY_DYNAMIC_DISPATCH(lane_sum_all)(ordered, sums);
}

}  // namespace matgrad::detail
#endif
