/// gemm, syrk and copy against triple loops.
/// Bound of a sum of k products (Higham, Accuracy and Stability, 3.5): k u |A||B|; three more
/// roundings for alpha, beta and the store.

#include <gtest/gtest.h>

#include "executors/build_program.hpp"
#include "executors/naive.hpp"

namespace matgrad::test {
namespace {

struct GemmCase {
    std::int64_t m, n, k, batch;
    bool a_batched = true, b_batched = true;
    bool a_transposed = false, b_transposed = false;
    Order a_order = Order::rows, b_order = Order::rows, c_order = Order::rows,
          out_order = Order::rows;
    ScalarType type = ScalarType::float32;                  // of the data
    ScalarType compute = ScalarType::float32;               // of the step
    bool wide_a = false, wide_b = false, wide_out = false;  // values in double inside
    double alpha = 1, beta = 0;
    bool in_place = false;  // out has the memory of c
    bool reversed_batch = false;
    bool sweep = false;  // one of many like it
};

ValueId widened(ProgramBuilder& build, ValueId from, std::int64_t rows, std::int64_t cols,
                bool batched) {
    const ValueId wide =
        build.value(rows, cols, batched ? Scope::problem : Scope::shared, ScalarType::float64);
    build.step(Copy{use(from)}, wide, ScalarType::float64);
    return wide;
}

void check_gemm(const GemmCase& t, int threads = 1) {
    const std::string text =
        (testing::Message() << "m " << t.m << " n " << t.n << " k " << t.k << " batch " << t.batch
                            << " batched " << t.a_batched << t.b_batched << " transposed "
                            << t.a_transposed << t.b_transposed << " orders "
                            << static_cast<int>(t.a_order) << static_cast<int>(t.b_order)
                            << static_cast<int>(t.c_order) << static_cast<int>(t.out_order)
                            << " double " << static_cast<int>(t.type) << static_cast<int>(t.compute)
                            << " wide " << t.wide_a << t.wide_b << t.wide_out << " alpha "
                            << t.alpha << " beta " << t.beta << " in place " << t.in_place)
            .GetString();
    SCOPED_TRACE(text);
    const std::vector<ExecutorUnderTest> executors =
        t.sweep ? executors_for(text) : executors_under_test();
    if (executors.empty()) {
        return;
    }
    const std::int64_t a_rows = t.a_transposed ? t.k : t.m;
    const std::int64_t a_cols = t.a_transposed ? t.m : t.k;
    const std::int64_t b_rows = t.b_transposed ? t.n : t.k;
    const std::int64_t b_cols = t.b_transposed ? t.k : t.n;

    ProgramBuilder build(t.type);
    ValueId a = build.operand("A", a_rows, a_cols, t.a_batched);
    ValueId b = build.operand("B", b_rows, b_cols, t.b_batched);
    const ValueId c_operand = build.operand("C", t.m, t.n, true);
    a = t.wide_a ? widened(build, a, a_rows, a_cols, t.a_batched) : a;
    b = t.wide_b ? widened(build, b, b_rows, b_cols, t.b_batched) : b;
    ValueId c = c_operand;
    if (t.in_place) {
        c = build.value(t.m, t.n);
        build.step(Copy{use(c_operand)}, c);
    }
    const ValueId spare = build.value(1, 1);  // so that results fall on both parities
    build.step(Reduce{ReduceOp::sum,
                      ReduceOver::all,
                      {"", 0},
                      {"", 0},
                      {{}, {{MapOp::constant, -1, -1, 0.0}}},
                      1,
                      {}},
               spare);
    const ValueId out =
        build.value(t.m, t.n, Scope::problem, t.wide_out ? ScalarType::float64 : t.type);
    Gemm gemm{{a, t.a_transposed, -1, -1}, {b, t.b_transposed, -1, -1}, t.alpha, t.beta, {}};
    if (t.beta != 0) {
        gemm.c = use(c);
    }
    build.step(gemm, out, t.compute);
    build.output(out);
    if (t.in_place) {
        build.share_memory(out, c);
    }
    const Program program = build.finish();

    Matrices A(t.type, t.a_batched ? t.batch : 1, a_rows, a_cols, t.a_order, t.reversed_batch);
    Matrices B(t.type, t.b_batched ? t.batch : 1, b_rows, b_cols, t.b_order);
    Matrices C(t.type, t.batch, t.m, t.n, t.c_order);
    A.fill_random(11);
    B.fill_random(12);
    C.fill_random(13);
    const long double u = std::max(unit(t.compute), unit(t.type));
    std::vector<Matrices> found;  // by each executor
    for (const ExecutorUnderTest& executor : executors) {
        SCOPED_TRACE(executor.name);
        found.emplace_back(t.type, t.batch, t.m, t.n, t.out_order, t.reversed_batch);
        const RunResult result =
            run(executor, program, t.batch, {&A, &B, &C}, {&found.back()}, threads);
        EXPECT_EQ(result.summary.problems, t.batch);
        EXPECT_EQ(result.summary.failed, 0);
        for (std::int64_t p = 0; p < t.batch; ++p) {
            EXPECT_EQ(result.status[static_cast<std::size_t>(p)], 0);
        }
    }
    for (std::int64_t p = 0; p < t.batch; ++p) {
        Naive left = matrix(A, t.a_batched ? p : 0);
        Naive right = matrix(B, t.b_batched ? p : 0);
        left = t.a_transposed ? transpose(left) : left;
        right = t.b_transposed ? transpose(right) : right;
        const Naive added = scaled(t.beta, matrix(C, p));
        const Naive want = plus(scaled(t.alpha, multiply(left, right)), added);
        const Naive sizes = plus(
            scaled(std::abs(t.alpha), multiply(absolute(left), absolute(right))), absolute(added));
        const Naive bound = scaled(static_cast<long double>(t.k + 3) * u, sizes);
        for (std::size_t i = 0; i < executors.size(); ++i) {
            SCOPED_TRACE(executors[i].name);
            expect_within(matrix(found[i], p), want, bound);
            if (testing::Test::HasFatalFailure()) {
                return;
            }
        }
    }
}

constexpr std::int64_t kSizes[] = {0, 1, 2, 3, 4, 5, 8, 9, 17, 33};

TEST(Gemm, MatchesLoopsAtEverySize) {
    for (const std::int64_t m : kSizes) {
        for (const std::int64_t n : {0, 1, 2, 3, 4, 5, 6, 9, 17}) {
            for (const std::int64_t k : {0, 1, 2, 16, 17}) {
                GemmCase t{m, n, k, 17};
                t.sweep = true;
                check_gemm(t);
                ASSERT_FALSE(HasFailure());
            }
        }
    }
}

TEST(Gemm, MatchesLoopsForEveryTransposeSharingAndType) {
    for (const ScalarType type : kTypes) {
        for (int bits = 0; bits < 16; ++bits) {
            for (const std::int64_t n : {1, 5}) {
                for (const std::int64_t m : {1, 7}) {
                    GemmCase t{m, n, 6, 18};
                    t.sweep = true;
                    t.a_transposed = (bits & 1) != 0;
                    t.b_transposed = (bits & 2) != 0;
                    t.a_batched = (bits & 4) != 0;
                    t.b_batched = (bits & 8) != 0;
                    t.type = t.compute = type;
                    t.alpha = -1.5;
                    t.beta = 0.75;
                    check_gemm(t, 2);
                    ASSERT_FALSE(HasFailure());
                }
            }
        }
    }
}

TEST(Gemm, ReadsFloatAndDoubleMixed) {
    for (int bits = 0; bits < 64; ++bits) {
        GemmCase t{5, 6, 9, 19};
        t.sweep = true;
        t.wide_a = (bits & 1) != 0;
        t.wide_b = (bits & 2) != 0;
        t.wide_out = (bits & 4) != 0;
        t.a_batched = (bits & 8) != 0;
        t.b_batched = (bits & 16) != 0;
        t.compute = (bits & 32) != 0 ? ScalarType::float64 : ScalarType::float32;
        t.beta = 2;
        check_gemm(t);
        ASSERT_FALSE(HasFailure());
    }
}

TEST(Gemm, TakesEveryOrderOfMemory) {
    for (const ScalarType type : kTypes) {
        for (const Order order : kOrders) {
            for (const Order other : kOrders) {
                for (const bool reversed : {false, true}) {
                    GemmCase t{5, 18, 7, 17};
                    t.sweep = true;
                    t.type = t.compute = type;
                    t.a_order = order;
                    t.b_order = other;
                    t.c_order = order;
                    t.out_order = other;
                    t.beta = 1;
                    t.reversed_batch = reversed;
                    check_gemm(t);
                    ASSERT_FALSE(HasFailure());
                }
            }
        }
    }
}

TEST(Gemm, TakesOperandsWithStrideZero) {
    GemmCase t{6, 5, 4, 17};
    t.a_order = Order::spread;
    t.b_order = Order::spread;
    check_gemm(t);
}

TEST(Gemm, TakesEveryOrderOfRowsAndColumnsOfLengthOne) {
    for (const Order order : kOrders) {
        for (const std::int64_t m : {1, 4}) {
            for (const std::int64_t n : {1, 4}) {
                for (const std::int64_t k : {1, 4}) {
                    GemmCase t{m, n, k, 3};
                    t.sweep = true;
                    t.a_order = t.b_order = t.c_order = t.out_order = order;
                    t.beta = 0.5;
                    check_gemm(t);
                    ASSERT_FALSE(HasFailure());
                }
            }
        }
    }
}

TEST(Gemm, MatchesLoopsAtEveryBatch) {
    for (const std::int64_t batch : {0, 1, 2, 15, 16, 17, 31, 32, 33, 200}) {
        for (const int threads : {1, 2, 5}) {
            check_gemm({5, 4, 3, batch}, threads);
        }
    }
}

TEST(Gemm, MayWriteOverItsAddend) {
    for (const ScalarType type : kTypes) {
        GemmCase t{9, 7, 5, 20};
        t.type = t.compute = type;
        t.beta = -1;
        t.in_place = true;
        check_gemm(t);
        t.n = 1;
        check_gemm(t);
    }
}

TEST(Gemm, ABlasTakesItsBlockedRoad) {
    GemmCase t{150, 170, 130, 2};
    t.a_transposed = true;
    check_gemm(t, 2);
    t.type = t.compute = ScalarType::float64;
    t.b_transposed = true;
    check_gemm(t, 2);
}

TEST(Gemm, ABlasReadsEveryOrderOrACopy) {
    for (const Order order : kOrders) {
        for (int bits = 0; bits < 4; ++bits) {
            GemmCase t{9, 100, 90, 2};
            t.a_order = t.b_order = t.c_order = t.out_order = order;
            t.a_transposed = (bits & 1) != 0;
            t.b_transposed = (bits & 2) != 0;
            t.beta = 0.5;
            t.type = t.compute = kTypes[bits % 2];
            check_gemm(t);
            ASSERT_FALSE(HasFailure());
        }
    }
}

TEST(Gemm, ResultsBeyondTheCachesAreWrittenWhole) {
    // Large enough a batch that results are written past the caches, from odd addresses and in
    // every order.
    for (const ScalarType type : kTypes) {
        for (const Order order : {Order::rows, Order::columns, Order::padded_rows}) {
            for (const std::int64_t n : {37, 64}) {
                GemmCase t{37, n, 2, 900};
                t.sweep = true;
                t.out_order = order;
                t.type = t.compute = type;
                check_gemm(t, 2);
                ASSERT_FALSE(HasFailure());
            }
        }
    }
}

TEST(Gemm, PropagatesNanPastZeros) {
    ProgramBuilder build(ScalarType::float32);
    const ValueId a = build.operand("A", 3, 3, true);
    const ValueId b = build.operand("B", 3, 4, true);
    const ValueId zero_alpha = build.value(3, 4);
    const ValueId out = build.value(3, 4);
    build.step(Gemm{use(a), use(b), 1, 0, {}}, out);
    build.step(Gemm{use(a), use(b), 0, 0, {}}, zero_alpha);
    build.output(out);
    build.output(zero_alpha);
    const Program program = build.finish();
    Matrices A(ScalarType::float32, 17, 3, 3);
    Matrices B(ScalarType::float32, 17, 3, 4);
    A.fill_random(1, 0, 0);  // all zero
    B.fill_random(2);
    B.set(5, 1, 2, std::nan(""));
    for (const ExecutorUnderTest& executor : executors_under_test()) {
        SCOPED_TRACE(executor.name);
        Matrices G(ScalarType::float32, 17, 3, 4);
        Matrices Z(ScalarType::float32, 17, 3, 4);
        run(executor, program, 17, {&A, &B}, {&G, &Z});
        for (std::int64_t p = 0; p < 17; ++p) {
            for (std::int64_t r = 0; r < 3; ++r) {
                for (std::int64_t c = 0; c < 4; ++c) {
                    EXPECT_EQ(std::isnan(G.get(p, r, c)), p == 5 && c == 2);
                    EXPECT_EQ(std::isnan(Z.get(p, r, c)), p == 5 && c == 2);
                }
            }
        }
    }
}

TEST(Gemm, ReadsOneRowOrColumnOfAValue) {
    ProgramBuilder build(ScalarType::float64);
    const ValueId a = build.operand("A", 5, 6, true);
    const ValueId b = build.operand("B", 6, 5, false);
    const ValueId spare = build.operand("S", 1, 1, false);
    const ValueId out = build.value(1, 5);
    const ValueId dot = build.value(1, 1);
    Use row = use(a);
    row.row = 3;
    Use col = use(b);
    col.col = 4;
    build.step(Gemm{row, use(b), 1, 0, {}}, out);
    build.step(Gemm{row, col, 1, 0, {}}, dot);
    build.output(out);
    build.output(dot);
    build.output(spare);
    const Program program = build.finish();
    Matrices A(ScalarType::float64, 18, 5, 6);
    Matrices B(ScalarType::float64, 1, 6, 5);
    Matrices S(ScalarType::float64, 1, 1, 1);
    A.fill_random(1);
    B.fill_random(2);
    S.fill_random(3);
    for (const ExecutorUnderTest& executor : executors_under_test()) {
        SCOPED_TRACE(executor.name);
        Matrices G(ScalarType::float64, 18, 1, 5);
        Matrices D(ScalarType::float64, 18, 1, 1);
        Matrices T(ScalarType::float64, 1, 1, 1);
        run(executor, program, 18, {&A, &B, &S}, {&G, &D, &T});
        EXPECT_EQ(T.get(0, 0, 0), S.get(0, 0, 0));
        for (std::int64_t p = 0; p < 18; ++p) {
            for (std::int64_t c = 0; c < 5; ++c) {
                long double want = 0;
                long double sizes = 0;
                for (std::int64_t k = 0; k < 6; ++k) {
                    want += static_cast<long double>(A.get(p, 3, k)) * B.get(0, k, c);
                    sizes += std::abs(static_cast<long double>(A.get(p, 3, k)) * B.get(0, k, c));
                }
                EXPECT_LE(std::abs(G.get(p, 0, c) - want), 9 * unit(ScalarType::float64) * sizes);
                if (c == 4) {
                    EXPECT_LE(std::abs(D.get(p, 0, 0) - want),
                              9 * unit(ScalarType::float64) * sizes);
                }
            }
        }
    }
}

void check_syrk(std::int64_t n, std::int64_t k, bool transposed, bool mirror, ScalarType type,
                ScalarType compute, bool batched, Order order) {
    const std::string text =
        (testing::Message() << "n " << n << " k " << k << " transposed " << transposed << " mirror "
                            << mirror << " type " << static_cast<int>(type)
                            << static_cast<int>(compute) << " batched " << batched)
            .GetString();
    SCOPED_TRACE(text);
    const std::vector<ExecutorUnderTest> executors = executors_for(text);
    if (executors.empty()) {
        return;
    }
    ProgramBuilder build(type);
    const std::int64_t rows = transposed ? k : n;
    const std::int64_t cols = transposed ? n : k;
    const ValueId a = build.operand("A", rows, cols, batched);
    const ValueId out = build.value(n, n, batched ? Scope::problem : Scope::shared);
    build.step(Syrk{{a, transposed, -1, -1}, -2, mirror}, out, compute);
    const ValueId copy = build.value(n, n);
    build.step(Copy{use(out)}, copy);
    build.output(copy);
    const Program program = build.finish();
    constexpr std::int64_t kBatch = 17;
    Matrices A(type, batched ? kBatch : 1, rows, cols, order);
    A.fill_random(3);
    const long double u = std::max(unit(type), unit(compute));
    for (const ExecutorUnderTest& executor : executors) {
        SCOPED_TRACE(executor.name);
        Matrices G(type, kBatch, n, n);
        run(executor, program, kBatch, {&A}, {&G}, 2);
        for (std::int64_t p = 0; p < kBatch; ++p) {
            Naive left = matrix(A, batched ? p : 0);
            left = transposed ? transpose(left) : left;
            Naive want = scaled(-2, multiply(left, transpose(left)));
            Naive bound = scaled(2 * static_cast<long double>(k + 2) * u,
                                 multiply(absolute(left), transpose(absolute(left))));
            Naive got = matrix(G, p);
            if (!mirror) {
                got = lower_part(got);
                want = lower_part(want);
            } else {
                expect_within(got, transpose(got), scaled(0, got));
            }
            expect_within(got, want, bound);
            ASSERT_FALSE(testing::Test::HasFailure());
        }
    }
}

TEST(Syrk, MatchesLoops) {
    for (const std::int64_t n : {0, 1, 2, 3, 4, 5, 8, 9, 17}) {
        for (const std::int64_t k : {0, 1, 3, 16, 33}) {
            for (const bool transposed : {false, true}) {
                check_syrk(n, k, transposed, true, ScalarType::float32, ScalarType::float32, true,
                           Order::rows);
                check_syrk(n, k, transposed, false, ScalarType::float64, ScalarType::float64, true,
                           Order::columns);
                check_syrk(n, k, transposed, true, ScalarType::float32, ScalarType::float64, true,
                           Order::strided);
                check_syrk(n, k, transposed, true, ScalarType::float32, ScalarType::float64, false,
                           Order::reversed_both);
                ASSERT_FALSE(HasFailure());
            }
        }
    }
}

TEST(Copy, ConvertsTransposesAndSpreads) {
    for (const Order order : kOrders) {
        ProgramBuilder build(ScalarType::float32);
        const ValueId a = build.operand("A", 3, 18, true);
        const ValueId t = build.operand("t", 1, 1, true);
        const ValueId flipped = build.value(18, 3, Scope::problem, ScalarType::float64);
        const ValueId spread = build.value(4, 5);
        const ValueId back = build.value(18, 3);
        build.step(Copy{use_transposed(a)}, flipped, ScalarType::float64);
        build.step(Copy{use(t)}, spread);
        build.step(Copy{use(flipped)}, back);
        build.output(flipped);
        build.output(spread);
        build.output(back, true);
        build.output(a, true);
        const Program program = build.finish();
        Matrices A(ScalarType::float32, 17, 3, 18, order);
        Matrices T(ScalarType::float32, 17, 1, 1, order);
        A.fill_random(1);
        T.fill_random(2);
        for (const ExecutorUnderTest& executor : executors_under_test()) {
            SCOPED_TRACE(executor.name);
            Matrices F(ScalarType::float32, 17, 18, 3, order);
            Matrices S(ScalarType::float32, 17, 4, 5, order);
            Matrices B(ScalarType::float32, 17, 3, 18, order);
            Matrices E(ScalarType::float32, 17, 18, 3, order);
            run(executor, program, 17, {&A, &T}, {&F, &S, &B, &E});
            for (std::int64_t p = 0; p < 17; ++p) {
                for (std::int64_t r = 0; r < 3; ++r) {
                    for (std::int64_t c = 0; c < 18; ++c) {
                        EXPECT_EQ(F.get(p, c, r), A.get(p, r, c));
                        EXPECT_EQ(B.get(p, r, c), A.get(p, r, c));
                        EXPECT_EQ(E.get(p, c, r), A.get(p, r, c));
                    }
                }
                EXPECT_EQ(S.get(p, 3, 4), T.get(p, 0, 0));
                EXPECT_EQ(S.get(p, 0, 1), T.get(p, 0, 0));
            }
        }
    }
}

}  // namespace
}  // namespace matgrad::test
