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

/// Sums over the batch of what gradients of shared variables are made of.
struct GradientCase {
    std::int64_t batch = 7;
    std::int64_t m = 5, n = 3, k = 4;
    Order order = Order::rows;
    ScalarType type = ScalarType::float64;
    enum class Fails {
        never,
        first,
        last
    } fails = Fails::first;  ///< the factorization among the steps
    bool sweep = false;      // one of many like it
};

struct Sum {
    ValueId value = kNoValue;  ///< over the batch
    Naive want, sizes;
};

class GradientSums {
public:
    explicit GradientSums(const GradientCase& t) : t_(t), build_(t.type) {
        s_ = build_.operand("S", 2, 2, true);
        r_ = build_.operand("r", t.m, 1, true);
        u_ = build_.operand("u", t.n, 1, true);
        scale_ = build_.operand("t", 1, 1, true);
        x_ = build_.operand("X", t.k, t.m, true);
        y_ = build_.operand("Y", t.k, t.n, true);
        v_ = build_.operand("V", t.m, t.n, false);
        if (t.fails == GradientCase::Fails::first) {
            factor();
        }
        make_sums();
        if (t.fails == GradientCase::Fails::last) {
            factor();
        }
        add_sums();
    }

    void check() {
        const Program program = build_.finish();
        std::vector<Matrices> operands;
        for (const ProgramOperand& o : program.operands) {
            const Value& v = program.value(o.value);
            operands.emplace_back(t_.type, o.batched ? t_.batch : 1, v.rows.size, v.cols.size,
                                  t_.order);
            operands.back().fill_random(static_cast<std::uint32_t>(operands.size()));
        }
        operands[0].make_positive(1, 1);
        const std::int64_t failed = t_.fails == GradientCase::Fails::never ? 0 : spoil(operands);
        std::vector<Sum> sums = expected(operands);
        for (const ExecutorUnderTest& executor :
             t_.sweep ? executors_for(text()) : executors_under_test()) {
            SCOPED_TRACE(executor.name);
            std::vector<const Matrices*> inputs;
            for (const Matrices& o : operands) {
                inputs.push_back(&o);
            }
            std::vector<Matrices> results;
            for (const Sum& sum : sums) {
                results.emplace_back(t_.type, 1, sum.want.rows, sum.want.cols, t_.order);
            }
            std::vector<Matrices*> outputs;
            for (Matrices& result : results) {
                outputs.push_back(&result);
            }
            EXPECT_EQ(run(executor, program, t_.batch, inputs, outputs, 2).summary.failed, failed);
            for (std::size_t i = 0; i < sums.size(); ++i) {
                SCOPED_TRACE(testing::Message() << "sum " << i);
                const auto terms = static_cast<long double>(t_.batch * t_.k + 8);
                expect_within(matrix(results[i], 0), sums[i].want,
                              scaled(terms * unit(t_.type), sums[i].sizes));
            }
            ASSERT_FALSE(testing::Test::HasFailure());
        }
    }

    [[nodiscard]] std::string text() const {
        return (testing::Message()
                << "batch " << t_.batch << " m " << t_.m << " n " << t_.n << " k " << t_.k
                << " order " << static_cast<int>(t_.order) << " type " << static_cast<int>(t_.type)
                << " fails " << static_cast<int>(t_.fails))
            .GetString();
    }

private:
    void factor() { build_.step(Potrf{use(s_)}, build_.value(2, 2)); }

    ValueId product(Operation operation, std::int64_t rows, std::int64_t cols) {
        const ValueId out = build_.value(rows, cols);
        build_.step(std::move(operation), out).fold = Fold::inner;
        return out;
    }

    void make_sums() {
        products_ = {
            product(Gemm{use(r_), use_transposed(u_), -1, 0, {}}, t_.m, t_.n),
            product(Gemm{use(r_), use(scale_), 2, 0, {}}, t_.m, 1),
            product(Gemm{use_transposed(scale_), use_transposed(u_), 1, 0, {}}, 1, t_.n),
            product(Syrk{use_transposed(x_), 1, true}, t_.m, t_.m),
            product(Syrk{use(x_), -1, true}, t_.k, t_.k),
            // Row 0 of X, transposed, times the last row of Y.
            product(Gemm{{x_, true, 0, -1}, {y_, false, t_.k - 1, -1}, 1, 0, {}}, t_.m, t_.n),
        };
        // A factor that is computed, in double.
        const ValueId weighed = build_.value(t_.k, t_.n, Scope::problem, ScalarType::float64);
        MapBody body;
        body.operands = {{use(scale_), Broadcast::scalar}, {use(y_), Broadcast::none}};
        body.code = {{MapOp::load, 0, -1, 0}, {MapOp::load, 1, -1, 0}, {MapOp::mul, 0, 1, 0}};
        build_.step(Map{body}, weighed);
        products_.push_back(
            product(Gemm{use_transposed(x_), use(weighed), 0.5, 0, {}}, t_.m, t_.n));
    }

    /// The sums, and of three of them one more: what is computed from sums.
    void add_sums() {
        std::vector<ValueId> sums;
        for (const ValueId p : products_) {
            const Value& v = build_.of(p);
            sums.push_back(build_.value(v.rows.size, v.cols.size, Scope::reduced));
            build_.step(BatchReduce{use(p)}, sums.back());
        }
        const ValueId flipped = build_.value(t_.n, t_.m, Scope::reduced, ScalarType::float64);
        build_.step(BatchReduce{use_transposed(products_.back())}, flipped);
        const ValueId shared = build_.value(t_.m, t_.n, Scope::reduced, ScalarType::float64);
        build_.step(BatchReduce{use(v_)}, shared);
        MapBody body;
        body.operands = {{use(sums.front()), Broadcast::none},
                         {use_transposed(flipped), Broadcast::none},
                         {use(shared), Broadcast::none}};
        body.code = {{MapOp::load, 0, -1, 0},      {MapOp::load, 1, -1, 0}, {MapOp::load, 2, -1, 0},
                     {MapOp::is_lower, -1, -1, 0}, {MapOp::mask, 1, 3, 0},  {MapOp::sub, 4, 0, 0},
                     {MapOp::add, 5, 2, 0}};
        const ValueId total = build_.value(t_.m, t_.n, Scope::reduced);
        build_.step(Map{body}, total);
        for (const ValueId sum : sums) {
            build_.output(sum);
        }
        build_.output(total);
    }

    /// Failed problems do not count, whatever is in their operands.
    std::int64_t spoil(std::vector<Matrices>& operands) const {
        std::int64_t failed = 0;
        for (std::int64_t p = 2; p < t_.batch; p += 5) {
            ++failed;
            for (std::size_t i = 0; i + 1 < operands.size(); ++i) {
                Matrices& o = operands[i];
                if (o.rows() * o.cols() > 0) {
                    o.set(p, o.rows() - 1, o.cols() - 1,
                          p % 2 == 0 ? kNan : std::numeric_limits<double>::infinity());
                }
            }
            operands[0].set(p, 1, 1, p % 2 == 0 ? kNan : -1);
        }
        return failed;
    }

    [[nodiscard]] std::vector<Sum> expected(const std::vector<Matrices>& operands) const {
        const auto of_problem = [&](std::int64_t p, bool sizes) {
            std::vector<Naive> o;
            for (const Matrices& m : operands) {
                o.push_back(matrix(m, m.batch() == 1 ? 0 : p));
                o.back() = sizes ? absolute(o.back()) : o.back();
            }
            const long double sign = sizes ? 1 : -1;
            const auto row = [](const Naive& m, std::int64_t r) {
                Naive out(1, m.cols);
                for (std::int64_t c = 0; c < m.cols; ++c) {
                    out(0, c) = m(r, c);
                }
                return out;
            };
            const Naive &r = o[1], &u = o[2], &t = o[3], &x = o[4], &y = o[5], &v = o[6];
            std::vector<Naive> terms = {scaled(sign, multiply(r, transpose(u))),
                                        scaled(2, multiply(r, t)),
                                        multiply(t, transpose(u)),
                                        multiply(transpose(x), x),
                                        scaled(sign, multiply(x, transpose(x))),
                                        multiply(transpose(row(x, 0)), row(y, t_.k - 1)),
                                        scaled(0.5L * t(0, 0), multiply(transpose(x), y))};
            terms.push_back(plus(plus(lower_part(terms.back()), scaled(sign, terms.front())), v));
            return terms;
        };
        std::vector<Sum> sums;
        for (std::int64_t p = 0; p < std::max<std::int64_t>(1, t_.batch); ++p) {
            const bool counts =
                p < t_.batch && (t_.fails == GradientCase::Fails::never || p % 5 != 2);
            if (p > 0 && !counts) {
                continue;
            }
            const std::vector<Naive> terms = t_.batch == 0 ? empty_terms() : of_problem(p, false);
            const std::vector<Naive> sizes = t_.batch == 0 ? empty_terms() : of_problem(p, true);
            for (std::size_t i = 0; i < terms.size(); ++i) {
                if (sums.size() <= i) {
                    sums.push_back({kNoValue, scaled(0, terms[i]), scaled(0, sizes[i])});
                }
                if (counts) {
                    sums[i].want = plus(sums[i].want, terms[i]);
                    sums[i].sizes = plus(sums[i].sizes, sizes[i]);
                }
            }
        }
        return sums;
    }

    [[nodiscard]] std::vector<Naive> empty_terms() const {
        return {Naive(t_.m, t_.n), Naive(t_.m, 1),    Naive(1, t_.n),    Naive(t_.m, t_.m),
                Naive(t_.k, t_.k), Naive(t_.m, t_.n), Naive(t_.m, t_.n), Naive(t_.m, t_.n)};
    }

    GradientCase t_;
    ProgramBuilder build_;
    ValueId s_, r_, u_, scale_, x_, y_, v_;
    std::vector<ValueId> products_;
};

void check_gradient(const GradientCase& t) {
    GradientSums sums(t);
    SCOPED_TRACE(sums.text());
    sums.check();
}

TEST(SummedGradient, MatchesLoopsForEveryLengthOfTheBatch) {
    for (const std::int64_t batch : {0, 1, 7, 300}) {
        for (const ScalarType type : kTypes) {
            GradientCase t;
            t.batch = batch;
            t.type = type;
            t.sweep = batch < 2;
            check_gradient(t);
            ASSERT_FALSE(HasFailure());
        }
    }
}

TEST(SummedGradient, MatchesLoopsWhereverProblemsFail) {
    for (const auto fails : {GradientCase::Fails::never, GradientCase::Fails::last}) {
        GradientCase t;
        t.batch = 45;
        t.fails = fails;
        t.type = ScalarType::float32;
        check_gradient(t);
        ASSERT_FALSE(HasFailure());
    }
}

TEST(SummedGradient, TakesEveryOrderOfMemory) {
    for (const Order order : kOrders) {
        GradientCase t;
        t.batch = 31;
        t.order = order;
        t.type = order == Order::columns ? ScalarType::float32 : ScalarType::float64;
        t.sweep = order == Order::reversed_both || order == Order::padded_rows;
        check_gradient(t);
        ASSERT_FALSE(HasFailure());
    }
}

TEST(SummedGradient, MatchesLoopsAtEverySize) {
    for (const std::int64_t m : {1, 4, 17}) {
        for (const std::int64_t n : {1, 3}) {
            for (const std::int64_t k : {1, 6}) {
                GradientCase t;
                t.batch = 19;
                t.m = m;
                t.n = n;
                t.k = k;
                t.sweep = true;
                check_gradient(t);
                ASSERT_FALSE(HasFailure());
            }
        }
    }
}

}  // namespace
}  // namespace matgrad::test
