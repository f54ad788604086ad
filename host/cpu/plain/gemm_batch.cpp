#include "cpu/plain/gemm_batch.hpp"

#include "cpu/highway_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/plain/gemm_batch.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>

#include "cpu/compact/squares-inl.hpp"
#include "cpu/plain/strips-inl.hpp"
#include "cpu/scratch.hpp"

HWY_BEFORE_NAMESPACE();
namespace matgrad::detail::HWY_NAMESPACE {

template <typename T, typename From>
HWY_INLINE void convert_row(const From* from, std::int64_t count, T* to) {
    const Lane<T> d;
    const hn::Rebind<From, Lane<T>> narrow;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    std::int64_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        hn::StoreU(hn::PromoteTo(d, hn::LoadU(narrow, from + i)), d, to + i);
    }
    for (; i < count; ++i) {
        to[i] = static_cast<T>(from[i]);
    }
}

/// Numbers of a row that begins each square of a transposed operand.
template <typename T>
HWY_INLINE std::int64_t padded(std::int64_t count) {
    constexpr auto lanes = static_cast<std::int64_t>(hn::MaxLanes(Lane<T>()));
    return (count + lanes - 1) / lanes * lanes;
}

/// to = v, which has unit row stride, by whole vectors: rows of `to` are padded, and it has padded rows. (What a
/// masked store has written, a load waits for.)
template <typename T>
HWY_INLINE void turn_squares(const View& v, T* to) {
    const Lane<T> d;
    constexpr auto kSize = static_cast<std::int64_t>(hn::MaxLanes(Lane<T>()));
    const std::int64_t row = padded<T>(v.cols);
    const auto* from = reinterpret_cast<const T*>(v.data);
    for (std::int64_t r = 0; r < v.rows; r += kSize) {
        const auto mask = hn::FirstN(d, static_cast<std::size_t>(std::min(kSize, v.rows - r)));
        for (std::int64_t c = 0; c < v.cols; c += kSize) {
            LaneVector<T> square[kSize];
#pragma GCC unroll 16
            for (std::int64_t i = 0; i < kSize; ++i) {
                square[i] = c + i < v.cols
                                ? hn::MaskedLoad(mask, d, from + (c + i) * v.col_stride + r)
                                : hn::Zero(d);
            }
            transpose_square<T>(square);
#pragma GCC unroll 16
            for (std::int64_t i = 0; i < kSize; ++i) {
                hn::StoreU(square[i], d, to + (r + i) * row + c);
            }
        }
    }
}

/// An operand in T, of each problem where it is or in `room`.
template <typename T>
class Operand {
public:
    /// `unit_columns`: its rows shall be without gaps between their entries.
    Operand(const View& view, std::int64_t step, bool unit_columns, std::byte* room)
        : view_(view),
          step_(step),
          room_(reinterpret_cast<T*>(room)),
          by_columns_(view.row_stride == 1 && view.col_stride != 1),
          converts_(size_of(view.type) < static_cast<std::int64_t>(sizeof(T))),
          turns_(unit_columns && view.col_stride != 1 && view.cols > 1) {
        if (turns_) {
            row_ = padded<T>(view.cols);
            col_ = 1;
        } else if (converts_) {
            row_ = by_columns_ ? 1 : view.cols;
            col_ = by_columns_ ? view.rows : 1;
        } else {
            row_ = view.row_stride;
            col_ = view.col_stride;
        }
    }

    [[nodiscard]] std::int64_t row_stride() const { return row_; }
    [[nodiscard]] std::int64_t col_stride() const { return col_; }
    [[nodiscard]] bool is_moved() const { return turns_ || converts_; }
    [[nodiscard]] const T* there(std::int64_t problem) const {
        return reinterpret_cast<const T*>(view_.data + problem * step_);
    }

    HWY_INLINE const T* of(std::int64_t problem) {
        if (!is_moved()) {
            return there(problem);
        }
        if (step_ != 0 || problem == 0) {
            move(problem);
        }
        return room_;
    }

private:
    HWY_NOINLINE void move(std::int64_t problem) {
        View v = view_;
        v.data += problem * step_;
        if (converts_) {
            View lines = by_columns_ ? transposed(v) : v;
            T* converted = turns_ ? room_ + padded<T>(v.rows) * padded<T>(v.cols) : room_;
            convert(lines, converted);
            lines = in_order(converted, lines.rows, lines.cols);
            v = by_columns_ ? transposed(lines) : lines;
        }
        if (turns_ && v.row_stride == 1) {
            turn_squares<T>(v, room_);
        } else if (turns_) {
            View to = in_order(room_, v.rows, v.cols);
            to.row_stride = row_;
            copy_rows<T>(v, to);
        }
    }
    static View in_order(T* data, std::int64_t rows, std::int64_t cols) {
        constexpr ScalarType kType =
            sizeof(T) == sizeof(float) ? ScalarType::float32 : ScalarType::float64;
        return row_major(reinterpret_cast<std::byte*>(data), kType, rows, cols, 1);
    }
    static void convert(const View& lines, T* to) {
        // All that is narrower than T is float.
        const auto* from = reinterpret_cast<const float*>(lines.data);
        if constexpr (sizeof(T) > sizeof(float)) {
            if (lines.contiguous()) {
                return convert_row<T, float>(from, lines.count(), to);
            }
            for (std::int64_t r = 0; r < lines.rows; ++r) {
                const float* row = from + r * lines.row_stride;
                if (lines.col_stride == 1) {
                    convert_row<T, float>(row, lines.cols, to);
                } else {
                    for (std::int64_t c = 0; c < lines.cols; ++c) {
                        to[c] = static_cast<T>(row[c * lines.col_stride]);
                    }
                }
                to += lines.cols;
            }
        }
    }
    View view_;
    std::int64_t step_;
    T* room_;
    bool by_columns_;  ///< as it lies in memory: its columns have no gaps, its rows have
    bool converts_, turns_;
    std::int64_t row_ = 0, col_ = 0;
};

/// Brings as many problems as there are, those that follow, into the second-level cache: evenly spread over the
/// work, so that requests never wait for each other.
class Ahead {
public:
    Ahead(bool wanted, const View& view, std::int64_t step, std::int64_t problems,
          std::int64_t parts)
        : parts_(parts) {
        if (wanted && view.count() * size_of(view.type) == step) {
            at_ = view.data + problems * step;
            bytes_ = step;
        }
    }
    /// Part `part` of the next problem.
    HWY_INLINE void bring(std::int64_t problem, std::int64_t part) const {
        constexpr std::int64_t kLine = 64;
        const std::int64_t end = bytes_ * (part + 1) / parts_;
        for (std::int64_t i = bytes_ * part / parts_; i < end; i += kLine) {
            __builtin_prefetch(at_ + problem * bytes_ + i, 0, 2);
        }
    }

private:
    std::int64_t parts_;
    const std::byte* at_ = nullptr;
    std::int64_t bytes_ = 0;
};

template <typename T, typename To>
void multiply_batch(const GemmBatch& call, std::int64_t problems) {
    constexpr auto lanes = static_cast<std::int64_t>(hn::MaxLanes(Lane<T>()));
    const std::int64_t inner = call.a.cols;
    const std::int64_t half = gemm_batch_bytes(call.c.rows, inner, call.c.cols, call.type) / 2;
    Operand<T> left(call.a, call.a_step, false, call.room);
    Operand<T> right(call.b, call.b_step, true, call.room + half);
    ProductStrip<T, To> s{};
    s.inner = inner;
    s.a_row = left.row_stride();
    s.a_col = left.col_stride();
    s.b_row = right.row_stride();
    s.c_row = call.c.row_stride;
    s.alpha = static_cast<T>(call.alpha);
    s.beta = static_cast<T>(call.beta);
    s.stream = call.stream && is_by_lines(call.c, call.c_step);
    const std::int64_t panel = call.c.cols > lanes ? 2 * lanes : lanes;
    const Strips strips(call.c.rows, panel > lanes ? kStripRows : kNarrowStripRows);
    const std::int64_t parts = (call.c.cols + panel - 1) / panel * strips.count;
    const Ahead next_a(call.a_ahead, call.a, call.a_step, problems, parts);
    const Ahead next_b(call.b_ahead, call.b, call.b_step, problems, parts);
    for (std::int64_t p = 0; p < problems; ++p) {
        std::int64_t part = 0;
        const T* a = left.of(p);
        const T* b = right.of(p);
        To* c = reinterpret_cast<To*>(call.c.data + p * call.c_step);
        for (std::int64_t col = 0; col < call.c.cols; col += panel) {
            const std::int64_t width = std::min(panel, call.c.cols - col);
            s.b = b + col;
            s.last = width > lanes ? width - lanes : width;
            const StripKernel<T, To>* kernels = strip_kernels<T, To>(width);
            std::int64_t row = 0;
            for (std::uint32_t i = 0; i < strips.count; ++i) {
                const std::int64_t rows = strips.length(i);
                next_a.bring(p, part);
                next_b.bring(p, part++);
                if (!call.lower_only || row + rows > col) {
                    s.a = a + row * s.a_row;
                    s.c = c + row * s.c_row + col;
                    kernels[rows - 1](s);
                }
                row += rows;
            }
        }
    }
}

void gemm_batch_all(const GemmBatch& call, std::int64_t problems) {
    if (call.type == ScalarType::float32) {
        multiply_batch<float, float>(call, problems);
    } else if (call.c.type == ScalarType::float64) {
        multiply_batch<double, double>(call, problems);
    } else {
        multiply_batch<double, float>(call, problems);
    }
}

}  // namespace matgrad::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace matgrad::detail {
HWY_EXPORT(gemm_batch_all);

namespace {
/// All of one problem: in the first-level cache, more or less.
constexpr std::int64_t kProblemBytes = 64 << 10;
}  // namespace

bool is_batch_gemm(std::int64_t rows, std::int64_t inner, std::int64_t cols, ScalarType type) {
    constexpr std::int64_t kLongest = 256;
    const std::int64_t numbers = rows * inner + inner * cols + rows * cols;
    return std::max({rows, inner, cols}) <= kLongest && numbers * size_of(type) <= kProblemBytes;
}
std::int64_t gemm_batch_bytes(std::int64_t rows, std::int64_t inner, std::int64_t cols,
                              ScalarType type) {
    const auto padded = [](std::int64_t count) { return (count + kLanes - 1) / kLanes * kLanes; };
    return 2 * align_up(2 * padded(inner) * padded(std::max(rows, cols)) * size_of(type));
}
void gemm_batch(const GemmBatch& call, std::int64_t problems) {
    HWY_DYNAMIC_DISPATCH(gemm_batch_all)(call, problems);
}

}  // namespace matgrad::detail
#endif
