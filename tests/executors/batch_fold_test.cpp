/// Products that an executor may take over the batch: X_p S or S X_p as one large gemm, the sum of A_p B_p,
/// which the planner marks, as one gemm whose inner dimension runs over the batch. The result is the same
/// but for the order in which products are added, so a sum of k of them is off by at most k u |A||B|, and
/// three roundings for alpha, beta and the store.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "executors/build_program.hpp"
#include "executors/naive.hpp"

namespace matgrad::test {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

struct FoldCase {
    std::int64_t batch = 19;
    std::int64_t m = 5, n = 3, k = 4;
    Order x_order = Order::rows, s_order = Order::rows, out_order = Order::rows;
    bool s_transposed = false;
    double beta = 0;
    ScalarType type = ScalarType::float64;
    bool sweep = false;  // one of many like it
};

void check_rows(const FoldCase& t) {
    const std::string text =
        (testing::Message() << "batch " << t.batch << " m " << t.m << " n " << t.n << " k " << t.k
                            << " orders " << static_cast<int>(t.x_order)
                            << static_cast<int>(t.s_order) << static_cast<int>(t.out_order)
                            << " transposed " << t.s_transposed << " beta " << t.beta << " type "
                            << static_cast<int>(t.type))
            .GetString();
    SCOPED_TRACE(text);
    ProgramBuilder build(t.type);
    const ValueId x = build.operand("X", t.m, t.k, true);
    const ValueId s =
        build.operand("S", t.s_transposed ? t.n : t.k, t.s_transposed ? t.k : t.n, false);
    const ValueId c = build.operand("C", t.m, t.n, true);
    const ValueId out = build.value(t.m, t.n);
    Gemm gemm{use(x), {s, t.s_transposed, -1, -1}, -0.5, t.beta, {}};
    if (t.beta != 0) {
        gemm.c = use(c);
    }
    build.step(gemm, out);
    // An own copy of X: rows of the batch that lie one under the other inside the executor.
    const ValueId inside = build.value(t.m, t.k);
    build.step(Copy{use(x)}, inside);
    const ValueId from_inside = build.value(t.m, t.n);
    gemm.a = use(inside);
    build.step(gemm, from_inside);
    // The same product transposed: the shared factor comes first.
    const ValueId flipped = build.value(t.n, t.m);
    gemm = {{s, !t.s_transposed, -1, -1}, use_transposed(inside), -0.5, t.beta, {}};
    if (t.beta != 0) {
        gemm.c = use_transposed(c);
    }
    build.step(gemm, flipped);
    build.output(out);
    build.output(from_inside);
    build.output(flipped, true);
    const Program program = build.finish();
    Matrices X(t.type, t.batch, t.m, t.k, t.x_order);
    Matrices S(t.type, 1, t.s_transposed ? t.n : t.k, t.s_transposed ? t.k : t.n, t.s_order);
    Matrices C(t.type, t.batch, t.m, t.n, t.x_order);
    X.fill_random(1);
    S.fill_random(2);
    C.fill_random(3);
    for (const ExecutorUnderTest& executor :
         t.sweep ? executors_for(text) : executors_under_test()) {
        SCOPED_TRACE(executor.name);
        Matrices G(t.type, t.batch, t.m, t.n, t.out_order);
        Matrices H(t.type, t.batch, t.m, t.n);
        Matrices F(t.type, t.batch, t.m, t.n, t.out_order);
        run(executor, program, t.batch, {&X, &S, &C}, {&G, &H, &F}, 2);
        Naive right = matrix(S, 0);
        right = t.s_transposed ? transpose(right) : right;
        for (std::int64_t p = 0; p < t.batch; ++p) {
            const Naive left = matrix(X, p);
            const Naive added = scaled(t.beta, matrix(C, p));
            const Naive want = plus(scaled(-0.5, multiply(left, right)), added);
            const Naive bound = scaled(
                static_cast<long double>(t.k + 3) * unit(t.type),
                plus(scaled(0.5, multiply(absolute(left), absolute(right))), absolute(added)));
            expect_within(matrix(G, p), want, bound);
            expect_within(matrix(H, p), want, bound);
            expect_within(matrix(F, p), want, bound);
            ASSERT_FALSE(testing::Test::HasFailure());
        }
    }
}

TEST(SharedFactor, MatchLoopsInEveryOrderOfMemory) {
    for (const Order order : kOrders) {
        for (const bool transposed : {false, true}) {
            FoldCase t;
            t.x_order = order;
            t.s_transposed = transposed;
            check_rows(t);
            t.s_order = order;
            t.x_order = Order::rows;
            t.beta = 2;
            t.type = ScalarType::float32;
            check_rows(t);
            t.out_order = order;
            t.s_order = Order::rows;
            check_rows(t);
            ASSERT_FALSE(HasFailure());
        }
    }
}

TEST(SharedFactor, MatchLoopsAtEverySizeAndBatch) {
    for (const std::int64_t batch : {0, 1, 2, 33}) {
        for (const std::int64_t m : {0, 1, 4}) {
            for (const std::int64_t n : {0, 1, 3}) {
                for (const std::int64_t k : {0, 1, 5}) {
                    FoldCase t;
                    t.batch = batch;
                    t.m = m;
                    t.n = n;
                    t.k = k;
                    t.beta = m == 1 ? 1 : 0;
                    t.sweep = true;
                    check_rows(t);
                    ASSERT_FALSE(HasFailure());
                }
            }
        }
    }
}

TEST(SharedFactor, OfAProblemWithNanLeaveTheOthersAlone) {
    ProgramBuilder build(ScalarType::float64);
    const ValueId x = build.operand("X", 4, 5, true);
    const ValueId s = build.operand("S", 5, 6, false);
    const ValueId out = build.value(4, 6);
    build.step(Gemm{use(x), use(s), 1, 0, {}}, out);
    build.output(out);
    const Program program = build.finish();
    Matrices X(ScalarType::float64, 21, 4, 5);
    Matrices S(ScalarType::float64, 1, 5, 6);
    X.fill_random(1);
    S.fill_random(2);
    Matrices bad = X;
    bad.set(7, 2, 3, kNan);
    for (const ExecutorUnderTest& executor : executors_under_test()) {
        SCOPED_TRACE(executor.name);
        Matrices before(ScalarType::float64, 21, 4, 6);
        Matrices after(ScalarType::float64, 21, 4, 6);
        run(executor, program, 21, {&X, &S}, {&before});
        EXPECT_EQ(run(executor, program, 21, {&bad, &S}, {&after}).summary.failed, 0);
        for (std::int64_t p = 0; p < 21; ++p) {
            if (p != 7) {
                EXPECT_TRUE(after.same_bits(p, before, p)) << "problem " << p;
                continue;
            }
            for (std::int64_t r = 0; r < 4; ++r) {
                EXPECT_EQ(std::isnan(after.get(p, r, 0)), r == 2);
            }
        }
    }
}

struct SumCase {
    std::int64_t batch = 19;
    std::int64_t m = 4, n = 3, k = 5;
    bool a_transposed = true, b_transposed = false;
    bool a_batched = true, b_batched = true;
    bool flipped = false;  // the sum reads the product transposed
    Order order = Order::rows;
    ScalarType type = ScalarType::float64;
    bool sweep = false;  // one of many like it
};

/// Sum of -2 op(A_p) op(B_p) over the problems whose S_p is positive, where B_p is Y_p = S_p^-1 B_p
/// or an operand.
void check_sum(const SumCase& t) {
    const std::string text =
        (testing::Message() << "batch " << t.batch << " m " << t.m << " n " << t.n << " k " << t.k
                            << " transposed " << t.a_transposed << t.b_transposed << t.flipped
                            << " batched " << t.a_batched << t.b_batched << " order "
                            << static_cast<int>(t.order) << " type " << static_cast<int>(t.type))
            .GetString();
    SCOPED_TRACE(text);
    const std::int64_t a_rows = t.a_transposed ? t.k : t.m;
    const std::int64_t a_cols = t.a_transposed ? t.m : t.k;
    const std::int64_t b_rows = t.b_transposed ? t.n : t.k;
    const std::int64_t b_cols = t.b_transposed ? t.k : t.n;
    ProgramBuilder build(t.type);
    const ValueId s = build.operand("S", 2, 2, true);
    const ValueId a = build.operand("A", a_rows, a_cols, t.a_batched);
    const ValueId b = build.operand("B", b_rows, b_cols, t.b_batched);
    const ValueId l = build.value(2, 2);
    build.step(Potrf{use(s)}, l);
    const ValueId copy = build.value(b_rows, b_cols, t.b_batched ? Scope::problem : Scope::shared);
    build.step(Copy{use(b)}, copy);
    const ValueId product = build.value(t.m, t.n);
    const ValueId again = build.value(t.m, t.n);
    build.step(Gemm{{a, t.a_transposed, -1, -1}, {b, t.b_transposed, -1, -1}, -2, 0, {}}, product)
        .fold = Fold::inner;
    build.step(Gemm{{a, t.a_transposed, -1, -1}, {copy, t.b_transposed, -1, -1}, -2, 0, {}}, again)
        .fold = Fold::inner;
    for (const ValueId each : {product, again}) {
        const ValueId sum =
            build.value(t.flipped ? t.n : t.m, t.flipped ? t.m : t.n, Scope::reduced);
        build.step(BatchReduce{t.flipped ? use_transposed(each) : use(each)}, sum);
        build.output(sum);
    }
    const Program program = build.finish();
    Matrices S(t.type, t.batch, 2, 2);
    Matrices A(t.type, t.a_batched ? t.batch : 1, a_rows, a_cols, t.order);
    Matrices B(t.type, t.b_batched ? t.batch : 1, b_rows, b_cols, t.order);
    S.make_positive(1, 1);
    A.fill_random(2);
    B.fill_random(3);
    // Failed problems do not count, whatever is in their operands.
    for (std::int64_t p = 2; p < t.batch; p += 5) {
        S.set(p, 1, 1, p % 2 == 0 ? kNan : -1);
        if (t.a_batched && A.rows() * A.cols() > 0) {
            A.set(p, 0, 0, kNan);
        }
        if (t.b_batched && B.rows() * B.cols() > 0) {
            B.set(p, 0, 0, std::numeric_limits<double>::infinity());
        }
    }
    Naive want(t.m, t.n);
    Naive sizes(t.m, t.n);
    std::int64_t failed = 0;
    for (std::int64_t p = 0; p < t.batch; ++p) {
        if (p % 5 == 2) {
            ++failed;
            continue;
        }
        Naive left = matrix(A, t.a_batched ? p : 0);
        Naive right = matrix(B, t.b_batched ? p : 0);
        left = t.a_transposed ? transpose(left) : left;
        right = t.b_transposed ? transpose(right) : right;
        want = plus(want, scaled(-2, multiply(left, right)));
        sizes = plus(sizes, scaled(2, multiply(absolute(left), absolute(right))));
    }
    want = t.flipped ? transpose(want) : want;
    sizes = t.flipped ? transpose(sizes) : sizes;
    for (const ExecutorUnderTest& executor :
         t.sweep ? executors_for(text) : executors_under_test()) {
        SCOPED_TRACE(executor.name);
        Matrices G(t.type, 1, want.rows, want.cols);
        Matrices H(t.type, 1, want.rows, want.cols, Order::columns);
        const RunResult result = run(executor, program, t.batch, {&S, &A, &B}, {&G, &H}, 2);
        EXPECT_EQ(result.summary.failed, failed);
        const Naive bound =
            scaled(static_cast<long double>(t.batch * t.k + 3) * unit(t.type), sizes);
        expect_within(matrix(G, 0), want, bound);
        expect_within(matrix(H, 0), want, bound);
        ASSERT_FALSE(testing::Test::HasFailure());
    }
}

TEST(FoldedSum, MatchesLoopsForEveryTransposeAndSharingWithoutTheFailedProblems) {
    for (int bits = 0; bits < 32; ++bits) {
        SumCase t;
        t.sweep = true;
        t.a_transposed = (bits & 1) != 0;
        t.b_transposed = (bits & 2) != 0;
        t.a_batched = (bits & 4) != 0;
        t.b_batched = (bits & 8) != 0;
        t.flipped = (bits & 16) != 0;
        t.type = kTypes[bits % 2];
        check_sum(t);
        ASSERT_FALSE(HasFailure());
    }
}

TEST(FoldedSum, TakesEveryOrderOfMemory) {
    for (const Order order : kOrders) {
        for (const bool transposed : {false, true}) {
            SumCase t;
            t.order = order;
            t.a_transposed = transposed;
            t.b_transposed = !transposed;
            check_sum(t);
            ASSERT_FALSE(HasFailure());
        }
    }
}

TEST(FoldedSum, MatchesLoopsAtEverySizeAndBatch) {
    for (const std::int64_t batch : {0, 1, 2, 16, 22, 333}) {
        for (const std::int64_t k : {0, 1, 6}) {
            SumCase t;
            t.batch = batch;
            t.k = k;
            check_sum(t);
            t.m = 1;
            t.n = k == 1 ? 0 : 1;
            check_sum(t);
            ASSERT_FALSE(HasFailure());
        }
    }
}

}  // namespace
}  // namespace matgrad::test
