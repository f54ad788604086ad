/// The kernels for matrices of middle size against their definitions, in every instruction set: past
/// every edge of vector, strip, panel and block, and within the memory they are given.
///
/// Bounds as in factor_steps_test.cpp: Higham, Accuracy and Stability of Numerical Algorithms, 2nd
/// ed., (8.5) for substitution, (10.3) for Cholesky, (3.5) for products.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "cpu/plain/gram.hpp"
#include "cpu/plain/split.hpp"
#include "cpu/plain/triangle.hpp"
#include "executors/build_program.hpp"
#include "executors/naive.hpp"
#include "matgrad/status.hpp"

namespace matgrad::test {
namespace {

using detail::View;

View view_of(Matrices& m, ScalarType type) {
    const Strided at = m.output();
    return {static_cast<std::byte*>(at.data),
            type,
            1,
            m.rows(),
            m.cols(),
            at.row_stride,
            at.col_stride};
}

/// Aligned memory of the size that was asked for, full of NaN, whose end is watched.
class Workspace {
public:
    explicit Workspace(std::int64_t bytes)
        : bytes_(static_cast<std::size_t>(bytes)),
          memory_((bytes_ + 3 * kAlign) / sizeof(double), std::nan("")) {
        begin_ = reinterpret_cast<std::byte*>(memory_.data());
        begin_ += (kAlign - reinterpret_cast<std::uintptr_t>(begin_) % kAlign) % kAlign;
        std::fill_n(begin_ + bytes_, kAlign, kGuard);
    }
    [[nodiscard]] std::byte* data() const { return begin_; }
    [[nodiscard]] bool intact() const {
        return std::all_of(begin_ + bytes_, begin_ + bytes_ + kAlign,
                           [](std::byte b) { return b == kGuard; });
    }

private:
    static constexpr std::size_t kAlign = 64;
    static constexpr std::byte kGuard{0x5a};
    std::size_t bytes_;
    std::vector<double> memory_;
    std::byte* begin_;
};

struct Types {
    ScalarType data, compute;
};
constexpr Types kCombinations[] = {{ScalarType::float64, ScalarType::float64},
                                   {ScalarType::float32, ScalarType::float32},
                                   {ScalarType::float32, ScalarType::float64}};

long double roundoff(const Types& types) {
    return unit(types.data) + unit(types.compute);
}

/// A triangle with NaN beyond it.
Matrices triangle(ScalarType type, std::int64_t n, bool lower, Order order) {
    Matrices t(type, 1, n, n, order);
    t.fill_random(1);
    for (std::int64_t i = 0; i < n; ++i) {
        t.set(0, i, i, 0.5 * std::sqrt(static_cast<double>(n)) + 2 + 0.01 * static_cast<double>(i));
        for (std::int64_t j = 0; j < n; ++j) {
            if (lower ? j > i : j < i) {
                t.set(0, i, j, std::nan(""));
            }
        }
    }
    return t;
}

struct SolveCase {
    std::int64_t n = 1, others = 1;
    bool left = true, lower = true, transposed = false, unit = false, in_place = false;
    double alpha = 1;
    Types types = kCombinations[0];
    Order order = Order::rows;
    int threads = 1;
};

Matrices solve(const SolveCase& c, Matrices& t, Matrices& b) {
    Matrices x(c.types.data, 1, b.rows(), b.cols(), c.order);
    x.fill_random(7);
    Workspace work(detail::split_scratch_bytes(c.n));
    if (c.in_place) {
        x = b;
    }
    const View to = view_of(x, c.types.data);
    detail::split_trsm({c.threads}, c.types.compute, c.left ? Side::left : Side::right, c.lower,
                       c.transposed, c.unit, c.alpha, view_of(t, c.types.data),
                       c.in_place ? to : view_of(b, c.types.data), to, work.data());
    EXPECT_TRUE(work.intact());
    EXPECT_TRUE(x.guards_intact());
    return x;
}

void check_solve(const SolveCase& c) {
    SCOPED_TRACE(testing::Message()
                 << "n " << c.n << " others " << c.others << " left " << c.left << " lower "
                 << c.lower << " transposed " << c.transposed << " unit " << c.unit << " in place "
                 << c.in_place << " types " << static_cast<int>(c.types.data)
                 << static_cast<int>(c.types.compute) << " order " << static_cast<int>(c.order));
    Matrices t = triangle(c.types.data, c.n, c.lower, c.order);
    if (c.unit) {
        for (std::int64_t i = 0; i < c.n; ++i) {  // small beside the 1, so that solutions are
            for (std::int64_t j = 0; j < c.n; ++j) {
                t.set(0, i, j, i == j ? std::nan("") : t.get(0, i, j) / static_cast<double>(c.n));
            }
        }
    }
    Matrices b(c.types.data, 1, c.left ? c.n : c.others, c.left ? c.others : c.n, c.order);
    b.fill_random(2);
    const Matrices x = solve(c, t, b);
    Naive op = c.lower ? lower_part(matrix(t, 0), c.unit) : upper_part(matrix(t, 0));
    if (c.unit && !c.lower) {
        op = transpose(lower_part(transpose(matrix(t, 0)), true));
    }
    op = c.transposed ? transpose(op) : op;
    const Naive solution = matrix(x, 0);
    const Naive product = c.left ? multiply(op, solution) : multiply(solution, op);
    const Naive sizes = c.left ? multiply(absolute(op), absolute(solution))
                               : multiply(absolute(solution), absolute(op));
    expect_within(product, scaled(c.alpha, matrix(b, 0)),
                  scaled(static_cast<long double>(c.n + 5) * roundoff(c.types), sizes));
}

SolveCase solve_case(std::int64_t n, std::int64_t others, int bits) {
    SolveCase c;
    c.n = n;
    c.others = others;
    c.left = (bits & 1) != 0;
    c.lower = (bits & 2) != 0;
    c.transposed = (bits & 4) != 0;
    c.unit = (bits & 8) != 0;
    c.in_place = (bits & 16) != 0;
    c.alpha = (n + others) % 2 == 0 ? 1 : -2.5;
    c.types = kCombinations[static_cast<std::size_t>(n + others + bits) % 3];
    return c;
}

TEST(MiddleSolve, PassesEveryEdge) {
    for (const std::int64_t n : {1, 3, 8, 9, 23, 24, 25, 47, 48, 49, 73}) {
        for (const std::int64_t others : {1, 4, 8, 23, 25, 49, 97}) {
            for (int bits = 0; bits < 32; ++bits) {
                check_solve(solve_case(n, others, bits));
                ASSERT_FALSE(HasFailure());
            }
        }
    }
}

TEST(MiddleSolve, TakesEveryOrder) {
    for (const Order order : kOrders) {
        for (int bits = 0; bits < 32; ++bits) {
            SolveCase c = solve_case(33, 29, bits);
            c.order = order;
            check_solve(c);
            ASSERT_FALSE(HasFailure());
        }
    }
}

TEST(MiddleSolve, OfTheLargestTriangleThatIsOnePieceAndOfBlocksOfThem) {
    for (const std::int64_t n : {std::int64_t{255}, detail::kTriangle, detail::kTriangle + 1,
                                 2 * detail::kTriangle + 30}) {
        for (int bits = 0; bits < 8; ++bits) {
            SolveCase c = solve_case(n, 9, bits);
            c.alpha = -2.5;
            if (n > detail::kTriangle) {  // where it is in place and of one type
                c.in_place = true;
                c.types = kCombinations[bits % 2];
            }
            check_solve(c);
            ASSERT_FALSE(HasFailure());
        }
    }
}

TEST(MiddleSolve, KeepsRightHandSidesApart) {
    for (const bool left : {false, true}) {
        for (const ScalarType type : kTypes) {
            SolveCase c = solve_case(40, 60, left ? 3 : 2);
            c.types = {type, type};
            Matrices t = triangle(type, c.n, c.lower, c.order);
            Matrices b(type, 1, left ? c.n : c.others, left ? c.others : c.n);
            b.fill_random(2);
            const Matrices sound = solve(c, t, b);
            constexpr std::int64_t kBad = 17;
            b.set(0, left ? 5 : kBad, left ? kBad : 5, std::nan(""));
            const Matrices x = solve(c, t, b);
            for (std::int64_t i = 0; i < c.others; ++i) {
                for (std::int64_t k = 0; k < c.n; ++k) {
                    const std::int64_t row = left ? k : i;
                    const std::int64_t col = left ? i : k;
                    // Rows that are solved before the bad one do not see it either.
                    const bool lower = c.lower != c.transposed;
                    const bool touched = i == kBad && (lower == left ? k >= 5 : k <= 5);
                    EXPECT_EQ(std::isnan(x.get(0, row, col)), touched) << row << "," << col;
                    if (!touched) {
                        EXPECT_EQ(x.get(0, row, col), sound.get(0, row, col)) << row << "," << col;
                    }
                }
            }
        }
    }
}

TEST(MiddleSolve, DoesNotDependOnThreadsOrPlace) {
    for (const ScalarType type : kTypes) {
        SolveCase c = solve_case(130, 2000, 0);
        c.types = {type, type};
        Matrices t = triangle(type, c.n, c.lower, c.order);
        Matrices b(type, 1, c.others, c.n);
        b.fill_random(2);
        for (std::int64_t k = 0; k < c.n; ++k) {  // one right-hand side in two places
            b.set(0, 1999, k, b.get(0, 3, k));
        }
        const Matrices x = solve(c, t, b);
        for (const int threads : {2, 5}) {
            c.threads = threads;
            EXPECT_TRUE(solve(c, t, b).same_bits(0, x, 0));
        }
        for (std::int64_t k = 0; k < c.n; ++k) {
            EXPECT_EQ(x.get(0, 1999, k), x.get(0, 3, k));
        }
    }
}

struct Factor {
    Matrices l;
    std::int32_t bad;
};
Factor factor(Matrices& a, const Types& types, Order order) {
    const std::int64_t n = a.rows();
    Factor f{Matrices(types.data, 1, n, n, order), 0};
    Workspace work(detail::split_scratch_bytes(n));
    f.bad = detail::split_potrf({}, types.compute, view_of(a, types.data), view_of(f.l, types.data),
                                work.data());
    EXPECT_TRUE(work.intact());
    EXPECT_TRUE(f.l.guards_intact());
    return f;
}

TEST(MiddleCholesky, ProductOfTheFactorIsTheMatrix) {
    for (const std::int64_t n : {1, 7, 8, 9, 24, 25, 48, 49, 71, 97, 256}) {
        for (const Types& types : kCombinations) {
            const Order order = kOrders[static_cast<std::size_t>(n) % std::size(kOrders)];
            SCOPED_TRACE(testing::Message() << "n " << n << " order " << static_cast<int>(order));
            Matrices a(types.data, 1, n, n, order);
            a.make_positive(7, 0.1);
            const Naive want = lower_part(matrix(a, 0));
            for (std::int64_t r = 0; r < n; ++r) {
                for (std::int64_t c = r + 1; c < n; ++c) {
                    a.set(0, r, c, std::nan(""));  // never used
                }
            }
            const Factor f = factor(a, types, order);
            EXPECT_EQ(f.bad, 0);
            const Naive l = lower_part(matrix(f.l, 0));
            const Naive sizes = multiply(absolute(l), transpose(absolute(l)));
            expect_within(lower_part(multiply(l, transpose(l))), want,
                          scaled(static_cast<long double>(n + 4) * roundoff(types), sizes));
            ASSERT_FALSE(HasFailure());
        }
    }
}

TEST(MiddleCholesky, NamesTheFirstBadPivot) {
    constexpr std::int64_t kSize = 77;
    for (const ScalarType type : kTypes) {
        for (const std::int64_t at : {0, 1, 7, 8, 12, 23, 24, 30, 47, 48, 60, 76}) {
            for (const double value :
                 {0.0, -1.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
                Matrices a(type, 1, kSize, kSize);
                for (std::int64_t i = 0; i < kSize; ++i) {
                    for (std::int64_t j = 0; j < kSize; ++j) {
                        a.set(0, i, j, i == j ? 4 : 0);
                    }
                }
                a.set(0, at, at, value);
                if (at < 70) {
                    a.set(0, 70, 70, -1);  // a later one
                }
                const StatusKind kind =
                    std::isfinite(value) ? StatusKind::not_positive : StatusKind::not_finite;
                EXPECT_EQ(factor(a, {type, type}, Order::rows).bad, make_status(kind, at + 1))
                    << at << " " << value;
            }
        }
    }
}

struct GramCase {
    std::int64_t n = 1, inner = 1;
    bool mirror = true;
    Types types = kCombinations[0];
    Order order = Order::rows;
    int threads = 1;
};

Matrices gram(const GramCase& c, Matrices& a) {
    Matrices g(c.types.data, 1, c.n, c.n);
    g.fill_random(9);
    Workspace work(detail::gram_scratch_bytes(c.n, c.inner));
    detail::split_syrk({c.threads}, c.types.compute, -0.5, view_of(a, c.types.data), c.mirror,
                       view_of(g, c.types.data), work.data());
    EXPECT_TRUE(work.intact());
    EXPECT_TRUE(g.guards_intact());
    return g;
}

TEST(MiddleGram, MatchesLoopsPastEveryEdge) {
    for (const std::int64_t n : {1, 7, 8, 9, 23, 25, 48, 50, 97}) {
        for (const std::int64_t inner : {1, 2, 9, 127, 129, 1030}) {
            for (const Types& types : kCombinations) {
                GramCase c;
                c.n = n;
                c.inner = inner;
                c.mirror = (n + inner) % 2 == 0;
                c.types = types;
                c.order = kOrders[static_cast<std::size_t>(n + inner) % std::size(kOrders)];
                SCOPED_TRACE(testing::Message()
                             << "n " << n << " inner " << inner << " types "
                             << static_cast<int>(types.data) << static_cast<int>(types.compute));
                Matrices a(types.data, 1, n, inner, c.order);
                a.fill_random(3);
                const Naive g = matrix(gram(c, a), 0);
                const Naive left = matrix(a, 0);
                const Naive want = scaled(-0.5, multiply(left, transpose(left)));
                const Naive bound =
                    scaled(0.5 * static_cast<long double>(inner + 2) * roundoff(types),
                           multiply(absolute(left), transpose(absolute(left))));
                if (c.mirror) {
                    expect_within(g, want, bound);
                    for (std::int64_t r = 0; r < n; ++r) {
                        for (std::int64_t s = 0; s < r; ++s) {
                            EXPECT_EQ(g(r, s), g(s, r));
                        }
                    }
                } else {
                    expect_within(lower_part(g), lower_part(want), bound);
                    Matrices filled(types.data, 1, n, n);
                    filled.fill_random(9);
                    const Naive before = matrix(filled, 0);
                    for (std::int64_t r = 0; r < n; ++r) {
                        for (std::int64_t s = r + 1; s < n; ++s) {
                            EXPECT_EQ(g(r, s), before(r, s)) << "not to be written";
                        }
                    }
                }
                ASSERT_FALSE(HasFailure());
            }
        }
    }
}

TEST(MiddleGram, DoesNotDependOnThreads) {
    for (const ScalarType type : kTypes) {
        GramCase c;
        c.n = 100;
        c.inner = 5000;
        c.types = {type, type};
        Matrices a(type, 1, c.n, c.inner, Order::columns);
        a.fill_random(3);
        ASSERT_GT(detail::gram_chunks(c.n, c.inner), 1);
        const Matrices g = gram(c, a);
        for (const int threads : {2, 5}) {
            c.threads = threads;
            EXPECT_TRUE(gram(c, a).same_bits(0, g, 0));
        }
    }
}

TEST(MiddleGram, NanStaysInItsRowAndColumn) {
    GramCase c;
    c.n = 60;
    c.inner = 40;
    Matrices a(ScalarType::float64, 1, c.n, c.inner);
    a.fill_random(3);
    const Matrices sound = gram(c, a);
    constexpr std::int64_t kBad = 29;
    a.set(0, kBad, 7, std::nan(""));
    const Matrices g = gram(c, a);
    for (std::int64_t r = 0; r < c.n; ++r) {
        for (std::int64_t s = 0; s < c.n; ++s) {
            if (r == kBad || s == kBad) {
                EXPECT_TRUE(std::isnan(g.get(0, r, s))) << r << "," << s;
            } else {
                EXPECT_EQ(g.get(0, r, s), sound.get(0, r, s)) << r << "," << s;
            }
        }
    }
}

}  // namespace
}  // namespace matgrad::test
