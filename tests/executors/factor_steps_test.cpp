/// potrf, trsm, getrf and solve against their definitions.
///
/// Bounds are on residuals (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed.), so no
/// condition number enters: Cholesky (10.3) |LL' - A| <= (n+1) u |L||L'|, substitution (8.5)
/// |TX - B| <= n u |T||X|, LU (9.3) |PA - LU| <= n u |L||U|. A division by a diagonal entry is a
/// product with its reciprocal here: two more roundings. Libraries that invert diagonal blocks have
/// the latitude of `solve_sizes`.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "executors/build_program.hpp"
#include "executors/naive.hpp"
#include "matgrad/status.hpp"

namespace matgrad::test {
namespace {

constexpr std::int64_t kSizes[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 16, 17, 33};

struct Types {
    ScalarType data, compute;
};
constexpr Types kCombinations[] = {{ScalarType::float32, ScalarType::float32},
                                   {ScalarType::float64, ScalarType::float64},
                                   {ScalarType::float32, ScalarType::float64}};

long double roundoff(const Types& types) {
    return unit(types.data) + unit(types.compute);
}

TEST(Potrf, ProductOfTheFactorIsTheMatrix) {
    for (const std::int64_t n : kSizes) {
        for (const Types& types : kCombinations) {
            for (const Order order : kOrders) {
                for (const bool in_place : {false, true}) {
                    const std::string text =
                        (testing::Message()
                         << "n " << n << " order " << static_cast<int>(order) << " types "
                         << static_cast<int>(types.data) << static_cast<int>(types.compute)
                         << " in place " << in_place)
                            .GetString();
                    SCOPED_TRACE(text);
                    const std::vector<ExecutorUnderTest> executors = executors_for(text);
                    if (executors.empty()) {
                        continue;
                    }
                    ProgramBuilder build(types.data);
                    const ValueId operand = build.operand("A", n, n, true);
                    ValueId a = operand;
                    if (in_place) {
                        a = build.value(n, n);
                        build.step(Copy{use(operand)}, a);
                    }
                    const ValueId l = build.value(n, n);
                    build.step(Potrf{use(a)}, l, types.compute);
                    if (in_place) {
                        build.share_memory(l, a);
                    }
                    const ValueId out = build.value(n, n);
                    build.step(Copy{use(l)}, out);
                    build.output(out);
                    const Program program = build.finish();
                    Matrices A(types.data, 17, n, n, order);
                    A.make_positive(7, 0.1);
                    for (const ExecutorUnderTest& executor : executors) {
                        SCOPED_TRACE(executor.name);
                        Matrices G(types.data, 17, n, n);
                        const RunResult result = run(executor, program, 17, {&A}, {&G}, 2);
                        EXPECT_EQ(result.summary.failed, 0);
                        for (std::int64_t p = 0; p < 17; ++p) {
                            const Naive factor = lower_part(matrix(G, p));
                            const Naive sizes =
                                multiply(solve_sizes(executor.latitude, factor, true),
                                         absolute(transpose(factor)));
                            expect_within(
                                lower_part(multiply(factor, transpose(factor))),
                                lower_part(matrix(A, p)),
                                scaled(static_cast<long double>(n + 4) * roundoff(types), sizes));
                            ASSERT_FALSE(HasFailure());
                        }
                    }
                }
            }
        }
    }
}

struct TrsmCase {
    std::int64_t n = 5, other = 3;
    Side side = Side::left;
    bool lower = true, transposed = false, identity = false, in_place = false, shared = false;
    double alpha = 1;
    Types types{ScalarType::float32, ScalarType::float32};
    Order order = Order::rows;
};

void check_trsm(const TrsmCase& t) {
    const std::string text =
        (testing::Message() << "n " << t.n << " other " << t.other << " side "
                            << static_cast<int>(t.side) << " lower " << t.lower << " transposed "
                            << t.transposed << " identity " << t.identity << " in place "
                            << t.in_place << " shared " << t.shared << " types "
                            << static_cast<int>(t.types.data) << static_cast<int>(t.types.compute)
                            << " order " << static_cast<int>(t.order))
            .GetString();
    SCOPED_TRACE(text);
    const std::vector<ExecutorUnderTest> executors = executors_for(text);
    if (executors.empty()) {
        return;
    }
    const bool left = t.side == Side::left;
    const std::int64_t other = t.identity ? t.n : t.other;
    const std::int64_t rows = left ? t.n : other;
    const std::int64_t cols = left ? other : t.n;
    ProgramBuilder build(t.types.data);
    const ValueId triangle = build.operand("T", t.n, t.n, !t.shared);
    const ValueId operand = build.operand("B", rows, cols, true);
    ValueId b = operand;
    if (t.in_place) {
        b = build.value(rows, cols);
        build.step(Copy{use(operand)}, b);
    }
    const ValueId x = build.value(rows, cols);
    Trsm trsm{t.side, t.lower, t.transposed, use(triangle), {}, t.alpha};
    if (!t.identity) {
        trsm.b = use(b);
    }
    build.step(trsm, x, t.types.compute);
    if (t.in_place) {
        build.share_memory(x, b);
    }
    build.output(x);
    const Program program = build.finish();
    constexpr std::int64_t kBatch = 18;
    Matrices T(t.types.data, t.shared ? 1 : kBatch, t.n, t.n, t.order);
    Matrices B(t.types.data, kBatch, rows, cols, t.order);
    T.fill_random(1);
    B.fill_random(2);
    for (std::int64_t p = 0; p < T.batch(); ++p) {
        for (std::int64_t i = 0; i < t.n; ++i) {
            T.set(p, i, i, 2 + 0.1 * static_cast<double>(i));
            for (std::int64_t j = 0; j < t.n; ++j) {
                if (t.lower ? j > i : j < i) {
                    T.set(p, i, j, std::nan(""));  // the other triangle is never read
                }
            }
        }
    }
    for (const ExecutorUnderTest& executor : executors) {
        SCOPED_TRACE(executor.name);
        Matrices X(t.types.data, kBatch, rows, cols, t.order);
        run(executor, program, kBatch, {&T, &B}, {&X});
        for (std::int64_t p = 0; p < kBatch; ++p) {
            Naive op = matrix(T, t.shared ? 0 : p);
            op = t.lower ? lower_part(op) : upper_part(op);
            op = t.transposed ? transpose(op) : op;
            const Naive solution = matrix(X, p);
            Naive want = matrix(B, p);
            if (t.identity) {
                want = entrywise(want, [](long double, auto r, auto c) -> long double {
                    return r == c ? 1 : 0;
                });
            }
            const Naive product = left ? multiply(op, solution) : multiply(solution, op);
            const Naive op_sizes = solve_sizes(executor.latitude, op, t.lower != t.transposed);
            const Naive sizes = left ? multiply(op_sizes, absolute(solution))
                                     : multiply(absolute(solution), op_sizes);
            want = scaled(t.alpha, want);  // one more rounding
            expect_within(product, want,
                          scaled(static_cast<long double>(t.n + 5) * roundoff(t.types), sizes));
            ASSERT_FALSE(testing::Test::HasFailure());
        }
    }
}

TEST(Trsm, SolvesEverySideTriangleAndTranspose) {
    for (const std::int64_t n : kSizes) {
        for (const std::int64_t other : {0, 1, 2, 3, 4, 5, 9, 17}) {
            for (int bits = 0; bits < 8; ++bits) {
                TrsmCase t;
                t.n = n;
                t.other = other;
                t.side = (bits & 1) != 0 ? Side::right : Side::left;
                t.lower = (bits & 2) != 0;
                t.transposed = (bits & 4) != 0;
                t.types = kCombinations[(n + other + bits) % 3];
                check_trsm(t);
                ASSERT_FALSE(HasFailure());
            }
        }
    }
}

TEST(Trsm, InvertsAgainstTheIdentity) {
    for (const std::int64_t n : kSizes) {
        for (int bits = 0; bits < 8; ++bits) {
            TrsmCase t;
            t.n = n;
            t.side = (bits & 1) != 0 ? Side::right : Side::left;
            t.lower = (bits & 2) != 0;
            t.transposed = (bits & 4) != 0;
            t.identity = true;
            t.alpha = n % 2 == 0 ? 1 : -0.5;
            t.types = kCombinations[bits % 3];
            check_trsm(t);
            ASSERT_FALSE(HasFailure());
        }
    }
}

TEST(Trsm, TakesEveryOrderSharingAndItsOwnMemory) {
    for (const Types& types : kCombinations) {
        for (const Order order : kOrders) {
            for (int bits = 0; bits < 16; ++bits) {
                TrsmCase t;
                t.n = 6;
                t.other = 17;
                t.side = (bits & 1) != 0 ? Side::right : Side::left;
                t.transposed = (bits & 2) != 0;
                t.in_place = (bits & 4) != 0;
                t.shared = (bits & 8) != 0;
                t.alpha = (bits & 4) != 0 ? 1.5 : 1;
                t.types = types;
                t.order = order;
                check_trsm(t);
                ASSERT_FALSE(HasFailure());
            }
        }
    }
}

struct LuCase {
    std::int64_t n = 5, other = 3;
    Side side = Side::left;
    bool transposed = false, identity = false, in_place = false, shared = false;
    Types types{ScalarType::float32, ScalarType::float32};
    Order order = Order::rows;
};

/// The rows of A in the order of P A.
std::vector<std::int64_t> order_of(const Matrices& pivots, std::int64_t problem) {
    std::vector<std::int64_t> order;
    const std::int64_t n = pivots.rows();
    for (std::int64_t k = 0; k < n; ++k) {
        order.push_back(k);
    }
    for (std::int64_t k = 0; k < n; ++k) {
        const auto with = static_cast<std::int64_t>(pivots.get(problem, k, 0));
        EXPECT_GE(with, k);
        EXPECT_LT(with, n);
        if (with >= k && with < n) {
            std::swap(order[static_cast<std::size_t>(k)], order[static_cast<std::size_t>(with)]);
        }
    }
    return order;
}

/// The same where the pivots cannot be read: the rows of A that those of L U are nearest to.
std::vector<std::int64_t> order_of(const Naive& product, const Naive& a) {
    std::vector<std::int64_t> order;
    for (std::int64_t r = 0; r < a.rows; ++r) {
        std::int64_t nearest = -1;
        long double least = std::numeric_limits<long double>::infinity();
        for (std::int64_t from = 0; from < a.rows; ++from) {
            long double distance = 0;
            for (std::int64_t c = 0; c < a.cols; ++c) {
                distance += std::abs(product(r, c) - a(from, c));
            }
            if (distance < least) {
                least = distance;
                nearest = from;
            }
        }
        EXPECT_EQ(std::count(order.begin(), order.end(), nearest), 0) << "row " << nearest;
        order.push_back(nearest);
    }
    return order;
}

/// 1 or -1.
long double sign_of(const std::vector<std::int64_t>& order) {
    long double sign = 1;
    for (std::size_t i = 0; i < order.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            sign = order[j] > order[i] ? -sign : sign;
        }
    }
    return sign;
}

void check_lu(const LuCase& t) {
    const std::string text =
        (testing::Message() << "n " << t.n << " other " << t.other << " side "
                            << static_cast<int>(t.side) << " transposed " << t.transposed
                            << " identity " << t.identity << " in place " << t.in_place
                            << " shared " << t.shared << " order " << static_cast<int>(t.order))
            .GetString();
    SCOPED_TRACE(text);
    const std::vector<ExecutorUnderTest> executors = executors_for(text);
    if (executors.empty()) {
        return;
    }
    const bool left = t.side == Side::left;
    const std::int64_t other = t.identity ? t.n : t.other;
    const std::int64_t rows = left ? t.n : other;
    const std::int64_t cols = left ? other : t.n;
    const Scope scope = t.shared ? Scope::shared : Scope::problem;
    ProgramBuilder build(t.types.data);
    const ValueId a_operand = build.operand("A", t.n, t.n, !t.shared);
    const ValueId b_operand = build.operand("B", rows, cols, true);
    ValueId a = a_operand;
    ValueId b = b_operand;
    if (t.in_place) {
        a = build.value(t.n, t.n, scope);
        b = build.value(rows, cols);
        build.step(Copy{use(a_operand)}, a);
        build.step(Copy{use(b_operand)}, b);
    }
    const ValueId lu = build.value(t.n, t.n, scope);
    const ValueId pivots = build.value(t.n, 1, scope);
    build.step(Getrf{use(a), true}, lu, t.types.compute, pivots);
    const ValueId x = build.value(rows, cols);
    Solve solve{t.side, t.transposed, use(lu), use(pivots), {}};
    if (!t.identity) {
        solve.b = use(b);
    }
    build.step(solve, x, t.types.compute);
    const ValueId lu_out = build.value(t.n, t.n);
    const ValueId pivots_out = build.value(t.n, 1);
    const ValueId det = build.value(1, 1);
    build.step(Copy{use(lu)}, lu_out);
    const bool read_pivots = !executors.front().latitude.own_pivots;
    if (read_pivots) {
        build.step(Copy{use(pivots)}, pivots_out);
    }
    build.step(Reduce{ReduceOp::signed_product,
                      ReduceOver::diagonal,
                      {"n", t.n},
                      {"n", t.n},
                      {{{use(lu), Broadcast::none}}, {{MapOp::load, 0, -1, 0}}},
                      1,
                      use(pivots)},
               det, t.types.compute);
    if (t.in_place) {
        build.share_memory(lu, a);
        build.share_memory(x, b);
    }
    build.output(x);
    build.output(lu_out);
    build.output(det);
    if (read_pivots) {
        build.output(pivots_out);
    }
    const Program program = build.finish();
    constexpr std::int64_t kBatch = 18;
    Matrices A(t.types.data, t.shared ? 1 : kBatch, t.n, t.n, t.order);
    Matrices B(t.types.data, kBatch, rows, cols, t.order);
    A.fill_random(21);
    B.fill_random(22);
    for (const ExecutorUnderTest& executor : executors) {
        SCOPED_TRACE(executor.name);
        Matrices X(t.types.data, kBatch, rows, cols, t.order);
        Matrices F(t.types.data, kBatch, t.n, t.n);
        Matrices P(t.types.data, kBatch, t.n, 1);
        Matrices D(t.types.data, kBatch, 1, 1);
        std::vector<Matrices*> results = {&X, &F, &D};
        if (read_pivots) {
            results.push_back(&P);
        }
        const RunResult result = run(executor, program, kBatch, {&A, &B}, results);
        ASSERT_EQ(result.summary.failed, 0);
        for (std::int64_t p = 0; p < kBatch; ++p) {
            const Naive whole = matrix(A, t.shared ? 0 : p);
            const Naive factors = matrix(F, p);
            const Naive l = lower_part(factors, true);
            const Naive u = upper_part(factors);
            const std::vector<std::int64_t> order =
                read_pivots ? order_of(P, p) : order_of(multiply(l, u), whole);
            ASSERT_FALSE(testing::Test::HasFailure());
            const Naive swapped = entrywise(whole, [&](long double, auto r, auto c) {
                return whole(order[static_cast<std::size_t>(r)], c);
            });
            const long double bound = static_cast<long double>(t.n + 4) * roundoff(t.types);
            const Naive l_sizes = solve_sizes(executor.latitude, l, true);
            const Naive sizes = multiply(l_sizes, absolute(u));
            expect_within(multiply(l, u), swapped, scaled(bound, sizes));
            for (const long double entry : l.data) {
                EXPECT_LE(std::abs(entry), 1 + bound);  // pivoting was partial pivoting
            }
            long double det_want = sign_of(order);
            for (std::int64_t k = 0; k < t.n; ++k) {
                det_want *= factors(k, k);
            }
            EXPECT_LE(std::abs(D.get(p, 0, 0) - det_want), bound * std::abs(det_want));

            // |op(A) X - B| <= 3 n u (P'|L||U|) |X| (Higham 9.4).
            const Naive lu_sizes = multiply(l_sizes, solve_sizes(executor.latitude, u, false));
            Naive op_sizes(t.n, t.n);
            for (std::int64_t r = 0; r < t.n; ++r) {
                for (std::int64_t c = 0; c < t.n; ++c) {
                    op_sizes(order[static_cast<std::size_t>(r)], c) = lu_sizes(r, c);
                }
            }
            const Naive op = t.transposed ? transpose(whole) : whole;
            op_sizes = t.transposed ? transpose(op_sizes) : op_sizes;
            const Naive solution = matrix(X, p);
            Naive want = matrix(B, p);
            if (t.identity) {
                want = entrywise(want, [](long double, auto r, auto c) -> long double {
                    return r == c ? 1 : 0;
                });
            }
            const Naive product = left ? multiply(op, solution) : multiply(solution, op);
            const Naive product_sizes = left ? multiply(op_sizes, absolute(solution))
                                             : multiply(absolute(solution), op_sizes);
            expect_within(product, want, scaled(3 * bound, product_sizes));
            ASSERT_FALSE(testing::Test::HasFailure());
        }
    }
}

TEST(Lu, FactorsAndSolvesOnEverySide) {
    for (const std::int64_t n : kSizes) {
        for (const std::int64_t other : {0, 1, 2, 5, 17}) {
            for (int bits = 0; bits < 4; ++bits) {
                LuCase t;
                t.n = n;
                t.other = other;
                t.side = (bits & 1) != 0 ? Side::right : Side::left;
                t.transposed = (bits & 2) != 0;
                t.types = kCombinations[(n + other + bits) % 3];
                check_lu(t);
                ASSERT_FALSE(HasFailure());
            }
        }
    }
}

TEST(Lu, InvertsAndTakesEveryOrderSharingAndItsOwnMemory) {
    for (const Types& types : kCombinations) {
        for (const Order order : kOrders) {
            for (int bits = 0; bits < 32; ++bits) {
                LuCase t;
                t.side = (bits & 1) != 0 ? Side::right : Side::left;
                t.transposed = (bits & 2) != 0;
                t.identity = (bits & 4) != 0;
                t.in_place = (bits & 8) != 0;
                t.shared = (bits & 16) != 0;
                t.types = types;
                t.order = order;
                check_lu(t);
                ASSERT_FALSE(HasFailure());
            }
        }
    }
}

TEST(Lu, DeterminantOfASingularMatrixIsZeroWhereOnlyThatIsWanted) {
    for (const bool fails : {false, true}) {
        ProgramBuilder build(ScalarType::float64);
        const ValueId a = build.operand("A", 3, 3, true);
        const ValueId lu = build.value(3, 3);
        const ValueId pivots = build.value(3, 1);
        build.step(Getrf{use(a), fails}, lu, {}, pivots);
        const ValueId det = build.value(1, 1);
        build.step(Reduce{ReduceOp::signed_product,
                          ReduceOver::diagonal,
                          {"n", 3},
                          {"n", 3},
                          {{{use(lu), Broadcast::none}}, {{MapOp::load, 0, -1, 0}}},
                          1,
                          use(pivots)},
                   det);
        build.output(det);
        const Program program = build.finish();
        Matrices A(ScalarType::float64, 20, 3, 3);
        A.fill_random(1);
        for (std::int64_t r = 0; r < 3; ++r) {
            A.set(4, r, 1, 0);  // second pivot
            A.set(7, r, 0, 0);  // first pivot
        }
        for (const ExecutorUnderTest& executor : executors_under_test()) {
            SCOPED_TRACE(executor.name);
            Matrices D(ScalarType::float64, 20, 1, 1);
            const RunResult result = run(executor, program, 20, {&A}, {&D});
            EXPECT_EQ(result.summary.failed, fails ? 2 : 0);
            for (const std::int64_t p : {4, 7}) {
                const int pivot = p == 4 ? 2 : 1;
                EXPECT_EQ(result.status[static_cast<std::size_t>(p)],
                          fails ? make_status(StatusKind::singular, pivot) : 0);
                if (fails) {
                    EXPECT_TRUE(std::isnan(D.get(p, 0, 0)));
                } else {
                    EXPECT_EQ(D.get(p, 0, 0), 0);
                }
            }
            EXPECT_NE(D.get(5, 0, 0), 0);
        }
    }
}

}  // namespace
}  // namespace matgrad::test
