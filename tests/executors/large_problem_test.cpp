/// One large problem, beyond what is done in one piece: threads share its steps in panels, libraries
/// take their blocked roads.
///
/// Long double loops would take minutes at these sizes, so products are checked by a vector
/// (Freivalds): |C v - A (B v)| <= 2 k u |A||B||v|, entry by entry.

#include <gtest/gtest.h>

#include "executors/build_program.hpp"
#include "executors/naive.hpp"
#include "matgrad/status.hpp"

namespace matgrad::test {
namespace {

constexpr std::int64_t kSize = 620;  // two panels and a part

Naive random_vector(std::int64_t n) {
    Matrices v(ScalarType::float64, 1, n, 1);
    v.fill_random(99);
    return matrix(v, 0);
}

/// What |T| w, or |T||T^-1||T| w, is at most. |T^-1| is bounded by the inverse of T's comparison
/// matrix (Higham 8.10).
Naive solve_sizes_of(const Latitude& latitude, const Naive& t, const Naive& w) {
    const Naive sizes = absolute(t);
    Naive y = multiply(sizes, w);
    if (!latitude.inverted_blocks) {
        return y;
    }
    const bool lower = t(0, t.cols - 1) == 0;
    for (std::int64_t i = 0; i < t.rows; ++i) {
        const std::int64_t r = lower ? i : t.rows - 1 - i;
        for (std::int64_t c = lower ? 0 : r + 1; c < (lower ? r : t.cols); ++c) {
            y(r, 0) += sizes(r, c) * y(c, 0);
        }
        y(r, 0) /= sizes(r, r);
    }
    return multiply(sizes, y);
}

std::vector<ExecutorUnderTest> executors_for_large_problems() {
    std::vector<ExecutorUnderTest> result;
    for (const ExecutorUnderTest& executor : executors_under_test()) {
        if (!executor.small_only) {
            result.push_back(executor);
        }
    }
    return result;
}

struct Shape {
    std::int64_t m, n;
};

class LargeProblem : public testing::TestWithParam<std::tuple<ExecutorUnderTest, ScalarType>> {
protected:
    [[nodiscard]] static const ExecutorUnderTest& executor() { return std::get<0>(GetParam()); }
    [[nodiscard]] static ScalarType type() { return std::get<1>(GetParam()); }
    /// Case number `i` of one parameter with number `j` of another: each with each, or, where a Program is
    /// costly to run, each with one.
    [[nodiscard]] static bool takes(std::size_t i, std::size_t j, std::size_t count) {
        return executor().sweep == 1 || j == i % count;
    }
    /// Runs with 1, 2 and 5 threads, or twice where threads share nothing: the same bits.
    static RunResult run_alike(const Program& program, const std::vector<const Matrices*>& operands,
                               const std::vector<Matrices*>& results) {
        const RunResult first = run(executor(), program, 1, operands, results, 1);
        const std::vector<int> again_with =
            executor().threaded ? std::vector{2, 5} : std::vector{1};
        for (const int threads : again_with) {
            std::vector<Matrices> copies;
            for (const Matrices* result : results) {
                copies.push_back(*result);
                copies.back().fill_random(1);
            }
            std::vector<Matrices*> again;
            for (Matrices& copy : copies) {
                again.push_back(&copy);
            }
            const RunResult result = run(executor(), program, 1, operands, again, threads);
            EXPECT_EQ(result.status, first.status);
            for (std::size_t i = 0; i < results.size(); ++i) {
                EXPECT_TRUE(again[i]->same_bits(0, *results[i], 0)) << threads << " threads";
            }
        }
        return first;
    }
    static void expect_entrywise_steps(const Shape& shape, Order order);
};
INSTANTIATE_TEST_SUITE_P(Run, LargeProblem,
                         testing::Combine(testing::ValuesIn(executors_for_large_problems()),
                                          testing::ValuesIn(kTypes)),
                         name_of_executor_and_type);

TEST_P(LargeProblem, ProductsAreSplitWithoutATrace) {
    for (const bool tall : {false, true}) {
        const std::int64_t m = tall ? kSize : 90;
        const std::int64_t n = tall ? 90 : kSize;
        const std::int64_t k = 350;
        ProgramBuilder build(type());
        const ValueId a = build.operand("A", k, m, true);
        const ValueId b = build.operand("B", k, n, true);
        const ValueId c = build.value(m, n);
        build.step(Gemm{use_transposed(a), use(b), 1, 0, {}}, c);
        const ValueId g = build.value(kSize, kSize);
        build.step(Syrk{tall ? use_transposed(a) : use_transposed(b), 1, true}, g);
        build.output(c);
        build.output(g);
        const Program program = build.finish();
        Matrices A(type(), 1, k, m);
        Matrices B(type(), 1, k, n, Order::padded_rows);
        A.fill_random(1);
        B.fill_random(2);
        Matrices C(type(), 1, m, n);
        Matrices G(type(), 1, kSize, kSize);
        run_alike(program, {&A, &B}, {&C, &G});
        const Naive at = transpose(matrix(A, 0));
        const Naive bm = matrix(B, 0);
        const Naive v = random_vector(n);
        const long double bound = 2 * static_cast<long double>(k) * unit(type());
        expect_within(multiply(matrix(C, 0), v), multiply(at, multiply(bm, v)),
                      scaled(bound, multiply(absolute(at), multiply(absolute(bm), absolute(v)))));
        const Naive left = tall ? at : transpose(bm);
        const Naive w = random_vector(kSize);
        expect_within(multiply(matrix(G, 0), w), multiply(left, multiply(transpose(left), w)),
                      scaled(2 * bound, multiply(absolute(left), multiply(transpose(absolute(left)),
                                                                          absolute(w)))));
    }
}

/// y = A x - b, its squares summed, z = 2 A' y + c.
void expect_residual_and_gradient(const ExecutorUnderTest& executor, ScalarType type, Order order,
                                  bool transposed) {
    constexpr std::int64_t kRows = 1110;
    constexpr std::int64_t kCols = 301;
    const std::int64_t m = transposed ? kCols : kRows;
    const std::int64_t n = transposed ? kRows : kCols;
    ProgramBuilder build(type);
    const ValueId a = build.operand("A", kRows, kCols, true);
    const ValueId x = build.operand("x", n, 1, true);
    const ValueId b = build.operand("b", m, 1, true);
    const ValueId c = build.operand("c", n, 1, true);
    const ValueId y = build.value(m, 1);
    build.step(Gemm{{a, transposed, -1, -1}, use(x), 1, -1, use(b)}, y);
    const ValueId s = build.value(1, 1);
    build.step(
        Reduce{ReduceOp::sum,
               ReduceOver::all,
               {"m", m},
               {"", 1},
               {{{use(y), Broadcast::none}}, {{MapOp::load, 0, -1, 0}, {MapOp::mul, 0, 0, 0}}},
               1,
               {}},
        s);
    const ValueId z = build.value(n, 1);
    build.step(Gemm{{a, !transposed, -1, -1}, use(y), 2, 1, use(c)}, z);
    build.output(y);
    build.output(s);
    build.output(z);
    const Program program = build.finish();
    Matrices A(type, 2, kRows, kCols, order);
    Matrices X(type, 2, n, 1, Order::strided);
    Matrices B(type, 2, m, 1);
    Matrices C(type, 2, n, 1);
    A.fill_random(1);
    X.fill_random(2);
    B.fill_random(3);
    C.fill_random(4);
    Matrices Y(type, 2, m, 1);
    Matrices S(type, 2, 1, 1);
    Matrices Z(type, 2, n, 1);
    const RunResult result = run(executor, program, 2, {&A, &X, &B, &C}, {&Y, &S, &Z}, 2);
    EXPECT_EQ(result.summary.failed, 0);
    for (std::int64_t problem = 0; problem < 2; ++problem) {
        const Naive left = transposed ? transpose(matrix(A, problem)) : matrix(A, problem);
        const Naive expected_y =
            plus(multiply(left, matrix(X, problem)), scaled(-1, matrix(B, problem)));
        const Naive sizes_y = plus(multiply(absolute(left), absolute(matrix(X, problem))),
                                   absolute(matrix(B, problem)));
        const long double bound = 2 * static_cast<long double>(m + n) * unit(type);
        expect_within(matrix(Y, problem), expected_y, scaled(bound, sizes_y));
        expect_within(matrix(S, problem), multiply(transpose(expected_y), expected_y),
                      scaled(2 * bound, multiply(transpose(sizes_y), sizes_y)));
        const Naive right = transpose(left);
        expect_within(matrix(Z, problem),
                      plus(scaled(2, multiply(right, expected_y)), matrix(C, problem)),
                      scaled(2 * bound, plus(scaled(2, multiply(absolute(right), sizes_y)),
                                             absolute(matrix(C, problem)))));
    }
}

TEST_P(LargeProblem, AResidualAndItsGradientMatchLoops) {
    constexpr Order kFour[] = {Order::rows, Order::columns, Order::padded_rows, Order::strided};
    for (std::size_t i = 0; i < std::size(kFour); ++i) {
        for (const bool transposed : {false, true}) {
            if (takes(i, transposed ? 1 : 0, 2)) {
                SCOPED_TRACE(testing::Message() << static_cast<int>(kFour[i]) << transposed);
                expect_residual_and_gradient(executor(), type(), kFour[i], transposed);
            }
        }
    }
}

TEST_P(LargeProblem, AGradientThatTheResidualIsAddedToMatchesLoops) {
    // z = A' y + y: all of y is needed before the first entry of z.
    constexpr std::int64_t kOrder = 530;
    ProgramBuilder build(type());
    const ValueId a = build.operand("A", kOrder, kOrder, true);
    const ValueId x = build.operand("x", kOrder, 1, true);
    const ValueId y = build.value(kOrder, 1);
    build.step(Gemm{use(a), use(x), 1, 0, {}}, y);
    const ValueId z = build.value(kOrder, 1);
    build.step(Gemm{use_transposed(a), use(y), 1, 1, use(y)}, z);
    build.output(z);
    const Program program = build.finish();
    Matrices A(type(), 1, kOrder, kOrder);
    Matrices X(type(), 1, kOrder, 1);
    A.fill_random(1);
    X.fill_random(2);
    Matrices Z(type(), 1, kOrder, 1);
    run_alike(program, {&A, &X}, {&Z});
    const Naive left = matrix(A, 0);
    const Naive expected_y = multiply(left, matrix(X, 0));
    const Naive sizes_y = multiply(absolute(left), absolute(matrix(X, 0)));
    const long double bound = 4 * static_cast<long double>(kOrder) * unit(type());
    expect_within(matrix(Z, 0), plus(multiply(transpose(left), expected_y), expected_y),
                  scaled(bound, plus(multiply(transpose(absolute(left)), sizes_y), sizes_y)));
}

TEST_P(LargeProblem, OneTriangleOfASymmetricProductMatchesLoops) {
    constexpr std::int64_t kOrder = 1100;
    constexpr std::int64_t kInner = 3;
    for (const bool transposed : {false, true}) {
        ProgramBuilder build(type());
        const ValueId a =
            build.operand("A", transposed ? kInner : kOrder, transposed ? kOrder : kInner, true);
        const ValueId g = build.value(kOrder, kOrder);
        build.step(Syrk{{a, transposed, -1, -1}, -0.5, false}, g);
        build.output(g);
        const Program program = build.finish();
        Matrices A(type(), 1, transposed ? kInner : kOrder, transposed ? kOrder : kInner);
        A.fill_random(5);
        Matrices G(type(), 1, kOrder, kOrder);
        run(executor(), program, 1, {&A}, {&G}, 2);
        const Naive left = transposed ? transpose(matrix(A, 0)) : matrix(A, 0);
        for (std::int64_t r = 0; r < kOrder; ++r) {
            for (std::int64_t c = 0; c <= r; ++c) {
                long double want = 0;
                long double sizes = 0;
                for (std::int64_t k = 0; k < kInner; ++k) {
                    want -= 0.5L * left(r, k) * left(c, k);
                    sizes += 0.5L * std::abs(left(r, k) * left(c, k));
                }
                ASSERT_LE(std::abs(G.get(0, r, c) - want),
                          static_cast<long double>(kInner + 2) * unit(type()) * sizes)
                    << "entry " << r << "," << c;
            }
        }
    }
}

TEST_P(LargeProblem, CholeskyAndSolvesAreSplitWithoutATrace) {
    ProgramBuilder build(type());
    const ValueId s = build.operand("S", kSize, kSize, true);
    const ValueId b = build.operand("B", kSize, kSize, true);
    const ValueId l = build.value(kSize, kSize);
    build.step(Potrf{use(s)}, l);
    const ValueId spare = build.value(1, 1);
    build.step(Copy{{b, false, 0, 0}}, spare);
    const ValueId x = build.value(kSize, kSize);
    build.step(Trsm{Side::left, true, false, use(l), use(b)}, x);
    const ValueId y = build.value(kSize, kSize);
    build.step(Trsm{Side::right, true, true, use(l), use(b)}, y);
    const ValueId factor_alone = build.value(kSize, kSize);  // above the diagonal is no one's
    build.step(
        Map{{{{use(l), Broadcast::none}},
             {{MapOp::load, 0, -1, 0}, {MapOp::is_lower, -1, -1, 0}, {MapOp::mask, 0, 1, 0}}}},
        factor_alone);
    build.output(factor_alone);
    build.output(x);
    build.output(y);
    const Program program = build.finish();
    Matrices S(type(), 1, kSize, kSize);
    Matrices B(type(), 1, kSize, kSize);
    B.fill_random(3);
    for (std::int64_t r = 0; r < kSize; ++r) {  // diagonally dominant
        for (std::int64_t c = 0; c <= r; ++c) {
            const double entry = r == c ? 2.0 * kSize : B.get(0, r, c);
            S.set(0, r, c, entry);
            S.set(0, c, r, entry);
        }
    }
    Matrices L(type(), 1, kSize, kSize);
    Matrices X(type(), 1, kSize, kSize);
    Matrices Y(type(), 1, kSize, kSize);
    ASSERT_EQ(run_alike(program, {&S, &B}, {&L, &X, &Y}).summary.failed, 0);
    const Naive v = random_vector(kSize);
    const Naive factor = lower_part(matrix(L, 0));
    const Naive upper = transpose(factor);
    const long double bound = static_cast<long double>(kSize + 4) * unit(type());
    const auto sizes = [](const Naive& triangle, const Naive& w) {
        return solve_sizes_of(executor().latitude, triangle, w);
    };
    expect_within(multiply(factor, multiply(upper, v)), multiply(matrix(S, 0), v),
                  scaled(bound, sizes(factor, multiply(absolute(upper), absolute(v)))));
    const Naive right = matrix(B, 0);
    const Naive solved = matrix(X, 0);
    expect_within(multiply(factor, multiply(solved, v)), multiply(right, v),
                  scaled(bound, sizes(factor, multiply(absolute(solved), absolute(v)))));
    const Naive mirrored = matrix(Y, 0);
    expect_within(multiply(mirrored, multiply(upper, v)), multiply(right, v),
                  scaled(bound, multiply(absolute(mirrored), sizes(upper, absolute(v)))));

    // A bad pivot in the third panel keeps its number.
    for (const double value : {std::nan(""), -1.0}) {
        Matrices bad = S;
        bad.set(0, 600, 600, value);
        const StatusKind kind = value == -1 ? StatusKind::not_positive : StatusKind::not_finite;
        EXPECT_EQ(run(executor(), program, 1, {&bad, &B}, {&L, &X, &Y}, 5).status[0],
                  make_status(kind, 601));
    }
}

/// Sums, maximum and entries of A .* B, of which B is in the order.
void LargeProblem::expect_entrywise_steps(const Shape& shape, Order order) {
    const auto [m, n] = shape;
    SCOPED_TRACE(testing::Message() << m << "x" << n << " order " << static_cast<int>(order));
    ProgramBuilder build(type());
    const ValueId a = build.operand("A", m, n, true);
    const ValueId b = build.operand("B", m, n, true);
    const MapBody products{
        {{use(a), Broadcast::none}, {use(b), Broadcast::none}},
        {{MapOp::load, 0, -1, 0}, {MapOp::load, 1, -1, 0}, {MapOp::mul, 0, 1, 0}}};
    MapBody below = products;
    below.code.push_back({MapOp::is_lower, -1, -1, 0});
    below.code.push_back({MapOp::mask, 2, 3, 0});
    const Extent rows{"m", m};
    const Extent cols{"n", n};
    const ValueId sum = build.value(1, 1);
    build.step(Reduce{ReduceOp::sum, ReduceOver::all, rows, cols, products, 1, {}}, sum);
    const ValueId part = build.value(1, 1);
    build.step(Reduce{ReduceOp::sum, ReduceOver::all, rows, cols, below, 1, {}}, part);
    const ValueId largest = build.value(1, 1);
    build.step(Reduce{ReduceOp::max, ReduceOver::all, rows, cols, products, 1, {}}, largest);
    const ValueId map = build.value(m, n);
    build.step(Map{below}, map);
    for (const ValueId result : {sum, part, largest, map}) {
        build.output(result);
    }
    const Program program = build.finish();
    Matrices A(type(), 1, m, n);
    Matrices B(type(), 1, m, n, order);
    A.fill_random(1);
    B.fill_random(2);
    Matrices S(type(), 1, 1, 1);
    Matrices P(type(), 1, 1, 1);
    Matrices L(type(), 1, 1, 1);
    Matrices M(type(), 1, m, n);
    run_alike(program, {&A, &B}, {&S, &P, &L, &M});
    long double want_sum = 0;
    long double want_part = 0;
    long double want_largest = -1;
    long double sizes = 0;
    for (std::int64_t r = 0; r < m; ++r) {
        for (std::int64_t c = 0; c < n; ++c) {
            const long double x = static_cast<long double>(A.get(0, r, c)) * B.get(0, r, c);
            const long double kept = r >= c ? x : 0;
            want_sum += x;
            want_part += kept;
            want_largest = std::max(want_largest, x);
            sizes += std::abs(x);
            ASSERT_LE(std::abs(M.get(0, r, c) - kept), unit(type()));
        }
    }
    const long double bound = static_cast<long double>(m * n) * unit(type()) * sizes;
    EXPECT_LE(std::abs(S.get(0, 0, 0) - want_sum), bound);
    EXPECT_LE(std::abs(P.get(0, 0, 0) - want_part), bound);
    EXPECT_LE(std::abs(L.get(0, 0, 0) - want_largest), unit(type()));
}

TEST_P(LargeProblem, EntrywiseStepsAreSplitWithoutATrace) {
    constexpr Shape kShapes[] = {{kSize, 500}, {1, 300000}, {300000, 1}};
    constexpr Order kThree[] = {Order::rows, Order::columns, Order::padded_rows};
    for (std::size_t i = 0; i < std::size(kShapes); ++i) {
        for (std::size_t j = 0; j < std::size(kThree); ++j) {
            if (takes(i, j, std::size(kThree))) {
                expect_entrywise_steps(kShapes[i], kThree[j]);
            }
        }
    }
}

TEST_P(LargeProblem, AnExpressionWithManyRegistersIsSplitWithoutATrace) {
    constexpr int kLoads = 40;
    ProgramBuilder build(type());
    const ValueId a = build.operand("A", kSize, kSize, true);
    MapBody body{{{use(a), Broadcast::none}}, {}};
    // Forty multiples of a, all of them alive until their sum is begun: 40*41/2 a.
    for (int i = 1; i <= kLoads; ++i) {
        body.code.push_back({MapOp::load, 0, -1, 0});
        body.code.push_back({MapOp::scale, 2 * (i - 1), -1, static_cast<double>(i)});
    }
    int total = 1;
    for (int i = 2; i <= kLoads; ++i) {
        body.code.push_back({MapOp::add, total, 2 * i - 1, 0});
        total = static_cast<int>(body.code.size()) - 1;
    }
    const ValueId map = build.value(kSize, kSize);
    build.step(Map{body}, map);
    const ValueId largest = build.value(1, 1);
    const Extent size{"n", kSize};
    build.step(Reduce{ReduceOp::max, ReduceOver::all, size, size, body, 1, {}}, largest);
    build.output(map);
    build.output(largest);
    const Program program = build.finish();
    Matrices A(type(), 1, kSize, kSize);
    A.fill_random(6);
    Matrices M(type(), 1, kSize, kSize);
    Matrices L(type(), 1, 1, 1);
    run_alike(program, {&A}, {&M, &L});
    constexpr long double kSum = kLoads * (kLoads + 1) / 2;
    long double want_largest = -kSum;
    for (std::int64_t r = 0; r < kSize; ++r) {
        for (std::int64_t c = 0; c < kSize; ++c) {
            const long double want = kSum * A.get(0, r, c);
            ASSERT_LE(std::abs(M.get(0, r, c) - want), (kLoads + 1) * unit(type()) * kSum);
            want_largest = std::max(want_largest, want);
        }
    }
    EXPECT_LE(std::abs(L.get(0, 0, 0) - want_largest), (kLoads + 1) * unit(type()) * kSum);
}

}  // namespace
}  // namespace matgrad::test
