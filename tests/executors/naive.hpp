#pragma once
/// \file Textbook linear algebra in long double, and the error bounds that go with it.

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <vector>

#include "executors/executor_under_test.hpp"

namespace matgrad::test {

struct Naive {
    std::int64_t rows = 0, cols = 0;
    std::vector<long double> data;

    Naive(std::int64_t m, std::int64_t n)
        : rows(m), cols(n), data(static_cast<std::size_t>(m * n)) {}
    long double& operator()(std::int64_t r, std::int64_t c) {
        return data[static_cast<std::size_t>(r * cols + c)];
    }
    long double operator()(std::int64_t r, std::int64_t c) const {
        return data[static_cast<std::size_t>(r * cols + c)];
    }
};

inline Naive matrix(const Matrices& from, std::int64_t problem) {
    Naive result(from.rows(), from.cols());
    for (std::int64_t r = 0; r < result.rows; ++r) {
        for (std::int64_t c = 0; c < result.cols; ++c) {
            result(r, c) = from.get(problem, r, c);
        }
    }
    return result;
}

inline Naive transpose(const Naive& a) {
    Naive result(a.cols, a.rows);
    for (std::int64_t r = 0; r < a.rows; ++r) {
        for (std::int64_t c = 0; c < a.cols; ++c) {
            result(c, r) = a(r, c);
        }
    }
    return result;
}

/// Four columns at a time, with their sums in registers: most of the time of these tests is spent here.
inline Naive multiply(const Naive& a, const Naive& b) {
    constexpr std::int64_t kColumns = 4;
    Naive result(a.rows, b.cols);
    for (std::int64_t r = 0; r < a.rows; ++r) {
        std::int64_t c = 0;
        for (; c + kColumns <= b.cols; c += kColumns) {
            long double s0 = 0, s1 = 0, s2 = 0, s3 = 0;
            for (std::int64_t k = 0; k < a.cols; ++k) {
                const long double factor = a(r, k);
                s0 += factor * b(k, c);
                s1 += factor * b(k, c + 1);
                s2 += factor * b(k, c + 2);
                s3 += factor * b(k, c + 3);
            }
            result(r, c) = s0;
            result(r, c + 1) = s1;
            result(r, c + 2) = s2;
            result(r, c + 3) = s3;
        }
        for (; c < b.cols; ++c) {
            long double sum = 0;
            for (std::int64_t k = 0; k < a.cols; ++k) {
                sum += a(r, k) * b(k, c);
            }
            result(r, c) = sum;
        }
    }
    return result;
}

template <typename Function>
Naive entrywise(Naive a, Function function) {
    for (std::int64_t r = 0; r < a.rows; ++r) {
        for (std::int64_t c = 0; c < a.cols; ++c) {
            a(r, c) = function(a(r, c), r, c);
        }
    }
    return a;
}

inline Naive absolute(const Naive& a) {
    return entrywise(a, [](long double x, auto, auto) { return std::abs(x); });
}
inline Naive lower_part(const Naive& a, bool unit_diagonal = false) {
    return entrywise(a, [unit_diagonal](long double x, auto r, auto c) -> long double {
        return r > c ? x : r < c ? 0 : unit_diagonal ? 1 : x;
    });
}
inline Naive upper_part(const Naive& a) {
    return entrywise(a,
                     [](long double x, auto r, auto c) -> long double { return r <= c ? x : 0; });
}

/// |got - want| <= bound, entry by entry; the first entry beyond it fails the test.
inline void expect_within(const Naive& got, const Naive& want, const Naive& bound) {
    ASSERT_EQ(got.rows, want.rows);
    ASSERT_EQ(got.cols, want.cols);
    for (std::int64_t r = 0; r < want.rows; ++r) {
        for (std::int64_t c = 0; c < want.cols; ++c) {
            ASSERT_LE(std::abs(got(r, c) - want(r, c)), bound(r, c))
                << "entry " << r << "," << c << ": " << static_cast<double>(got(r, c)) << " for "
                << static_cast<double>(want(r, c));
        }
    }
}

inline Naive scaled(long double s, const Naive& a) {
    return entrywise(a, [s](long double x, auto, auto) { return s * x; });
}
inline Naive plus(const Naive& a, const Naive& b) {
    return entrywise(a, [&b](long double x, auto r, auto c) { return x + b(r, c); });
}

/// Inverse of a triangle by substitution.
inline Naive inverse_of_triangle(const Naive& t, bool lower) {
    if (!lower) {
        return transpose(inverse_of_triangle(transpose(t), true));
    }
    Naive result(t.rows, t.cols);
    for (std::int64_t c = 0; c < t.cols; ++c) {
        for (std::int64_t r = c; r < t.rows; ++r) {
            long double sum = r == c ? 1 : 0;
            for (std::int64_t k = c; k < r; ++k) {
                sum -= t(r, k) * result(k, c);
            }
            result(r, c) = sum / t(r, r);
        }
    }
    return result;
}

/// |T|, or |T||T^-1||T|: the residual T X - B of a solve, and that of a factorization into T and X,
/// is measured by its product with |X|.
inline Naive solve_sizes(const Latitude& latitude, const Naive& t, bool lower) {
    const Naive sizes = absolute(t);
    return latitude.inverted_blocks
               ? multiply(sizes, multiply(absolute(inverse_of_triangle(t, lower)), sizes))
               : sizes;
}

}  // namespace matgrad::test
