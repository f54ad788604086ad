/// The summed gradient of a variable that the batch shares, against loops: only its sum over the batch is used.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "executors/build_program.hpp"
#include "executors/naive.hpp"

namespace matgrad::test {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

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
