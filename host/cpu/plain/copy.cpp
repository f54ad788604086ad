#include "cpu/plain/copy.hpp"

#include <algorithm>
#include <cstring>

#include "cpu/plain/transpose.hpp"
#include "cpu/vector_math.hpp"

namespace matgrad::detail {
namespace {

template <typename From, typename To>
void copy_typed(const View& from, const View& to) {
    const auto* in = reinterpret_cast<const From*>(from.data);
    auto* out = reinterpret_cast<To*>(to.data);
    if (std::is_same_v<From, To> && from.contiguous() && to.contiguous()) {
        std::memcpy(out, in, static_cast<std::size_t>(to.count()) * sizeof(To));
        return;
    }
    if (std::is_same_v<From, To> && from.row_stride == 1 && to.col_stride == 1) {
        return transpose_copy(from, to);
    }
    if (std::is_same_v<From, To> && from.col_stride == 1 && to.row_stride == 1) {
        return transpose_copy(transposed(from), transposed(to));
    }
    if (from.contiguous() && to.contiguous()) {
        return convert_strip(in, out, to.count());
    }
    constexpr std::int64_t kSquare = 32;  // a square of both stays in the first-level cache
    for (std::int64_t r0 = 0; r0 < to.rows; r0 += kSquare) {
        const std::int64_t r1 = std::min(to.rows, r0 + kSquare);
        for (std::int64_t c0 = 0; c0 < to.cols; c0 += kSquare) {
            const std::int64_t c1 = std::min(to.cols, c0 + kSquare);
            for (std::int64_t r = r0; r < r1; ++r) {
                for (std::int64_t c = c0; c < c1; ++c) {
                    out[r * to.row_stride + c * to.col_stride] =
                        static_cast<To>(in[r * from.row_stride + c * from.col_stride]);
                }
            }
        }
    }
}

template <typename From, typename To>
void add_typed(const View& from, double divisor, double beta, const View& to) {
    for (std::int64_t r = 0; r < to.rows; ++r) {
        const auto* in = reinterpret_cast<const From*>(from.at(r, 0));
        auto* out = reinterpret_cast<To*>(to.at(r, 0));
        for (std::int64_t c = 0; c < to.cols; ++c, in += from.col_stride, out += to.col_stride) {
            const To result = static_cast<To>(*in) / static_cast<To>(divisor);
            *out = beta == 0 ? result
                             : static_cast<To>(static_cast<double>(result) +
                                               beta * static_cast<double>(*out));
        }
    }
}

template <typename Function>
void for_each_entry(const View& v, Function function) {
    with_type(v.type, [&](auto zero) {
        using T = decltype(zero);
        for (std::int64_t r = 0; r < v.rows; ++r) {
            for (std::int64_t c = 0; c < v.cols; ++c) {
                function(*reinterpret_cast<T*>(v.at(r, c)), r, c);
            }
        }
    });
}

}  // namespace

void copy_matrix(const View& from, const View& to) {
    if (to.count() == 0) {
        return;
    }
    with_type(from.type, [&](auto f) {
        with_type(to.type, [&](auto t) { copy_typed<decltype(f), decltype(t)>(from, to); });
    });
}

void add_matrix(const View& from, double divisor, double beta, const View& to) {
    if (divisor == 1 && beta == 0) {
        return copy_matrix(from, to);
    }
    with_type(from.type, [&](auto f) {
        with_type(to.type,
                  [&](auto t) { add_typed<decltype(f), decltype(t)>(from, divisor, beta, to); });
    });
}

void copy_lower(const View& from, const View& to) {
    for (std::int64_t r = 0; r < to.rows; ++r) {
        copy_matrix(block(from, r, 0, 1, r + 1), block(to, r, 0, 1, r + 1));
    }
}

void mirror_lower(const View& v) {
    for (std::int64_t r = 1; r < v.rows; ++r) {
        copy_matrix(transposed(block(v, r, 0, 1, r)), block(v, 0, r, r, 1));
    }
}

void fill_matrix(const View& v, double value) {
    for_each_entry(v, [value](auto& entry, std::int64_t, std::int64_t) {
        entry = static_cast<std::remove_reference_t<decltype(entry)>>(value);
    });
}

void fill_zeros(const View& v) {
    for (std::int64_t r = 0; r < v.rows; ++r) {
        std::memset(v.at(r, 0), 0, static_cast<std::size_t>(v.cols * v.element_bytes()));
    }
}

void fill_identity(const View& v) {
    for_each_entry(v, [](auto& entry, std::int64_t r, std::int64_t c) {
        entry = static_cast<std::remove_reference_t<decltype(entry)>>(r == c ? 1 : 0);
    });
}

}  // namespace matgrad::detail
