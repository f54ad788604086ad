/// reduce against loops, with every domain and memory order.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "executors/entrywise_cases.hpp"
#include "executors/naive.hpp"

namespace matgrad::test {
namespace {

long double reduce_naive(ReduceOp op, const std::vector<long double>& values) {
    long double result = op == ReduceOp::sum   ? 0
                         : op == ReduceOp::max ? -std::numeric_limits<long double>::infinity()
                                               : 1;
    for (const long double x : values) {
        result = op == ReduceOp::sum   ? result + x
                 : op == ReduceOp::max ? std::max(result, x)
                                       : result * x;
    }
    return result;
}

/// The sum, maximum or product of A .* B' over a domain.
struct ReduceCase {
    Sizes size;
    ReduceOp op;
    ReduceOver over;
    Order order;
    ScalarType type;
};

/// The terms of entry (i, j) of the result.
std::vector<long double> terms_of(const ReduceCase& t, const Matrices& A, const Matrices& B,
                                  std::int64_t p, std::int64_t i, std::int64_t j) {
    const auto [m, n] = t.size;
    std::vector<long double> terms;
    for (std::int64_t r = t.over == ReduceOver::rows ? i : 0; r < m; ++r) {
        for (std::int64_t c = t.over == ReduceOver::cols ? j : 0; c < n; ++c) {
            if (t.over != ReduceOver::diagonal || r == c) {
                terms.push_back(static_cast<long double>(A.get(p, r, c)) * B.get(0, c, r));
            }
            if (t.over == ReduceOver::cols) {
                break;
            }
        }
        if (t.over == ReduceOver::rows) {
            break;
        }
    }
    return terms;
}

void check_reduce(const ReduceCase& t) {
    const auto [m, n] = t.size;
    // The order of memory takes no part in the choice: kernels that are compiled are tried in all of them.
    const std::string text =
        (testing::Message() << m << "x" << n << " op " << static_cast<int>(t.op) << " over "
                            << static_cast<int>(t.over) << " type " << static_cast<int>(t.type))
            .GetString();
    SCOPED_TRACE(text + " order " + std::to_string(static_cast<int>(t.order)));
    const std::vector<ExecutorUnderTest> executors = executors_for(text);
    if (executors.empty()) {
        return;
    }
    const bool product = t.op == ReduceOp::product;
    const long double scale = product ? -1 : 0.5L;
    const std::int64_t out_rows = t.over == ReduceOver::rows ? m : 1;
    const std::int64_t out_cols = t.over == ReduceOver::cols ? n : 1;
    ProgramBuilder build(t.type);
    const ValueId a = build.operand("A", m, n, true);
    const ValueId b = build.operand("B", n, m, false);
    const ValueId out = build.value(out_rows, out_cols);
    build.step(Reduce{t.op,
                      t.over,
                      {"m", m},
                      {"n", n},
                      {{{use(a), Broadcast::none}, {use_transposed(b), Broadcast::none}},
                       {load(0), load(1), {MapOp::mul, 0, 1, 0}}},
                      static_cast<double>(scale),
                      {}},
               out);
    build.output(out);
    const Program program = build.finish();
    Matrices A(t.type, kBatch, m, n, t.order);
    Matrices B(t.type, 1, n, m, t.order);
    // Products of many numbers close to 1 stay in range.
    A.fill_random(1, product ? 0.95 : -1, product ? 1.05 : 1);
    B.fill_random(2, product ? 0.95 : -1, product ? 1.05 : 1);
    std::vector<Matrices> found;  // by each executor
    for (const ExecutorUnderTest& executor : executors) {
        SCOPED_TRACE(executor.name);
        found.emplace_back(t.type, kBatch, out_rows, out_cols);
        run(executor, program, kBatch, {&A, &B}, {&found.back()});
    }
    for (std::int64_t p = 0; p < kBatch; ++p) {
        for (std::int64_t i = 0; i < out_rows; ++i) {
            for (std::int64_t j = 0; j < out_cols; ++j) {
                const std::vector<long double> terms = terms_of(t, A, B, p, i, j);
                const long double want = scale * reduce_naive(t.op, terms);
                long double sizes = 0;
                for (const long double x : terms) {
                    sizes += std::abs(x);
                }
                const auto count = static_cast<long double>(terms.size());
                const long double bound = product ? 2 * (count + 2) * unit(t.type) * std::abs(want)
                                                  : (count + 2) * unit(t.type) * sizes;
                for (std::size_t e = 0; e < executors.size(); ++e) {
                    SCOPED_TRACE(executors[e].name);
                    if (std::isinf(want)) {
                        ASSERT_EQ(found[e].get(p, i, j), static_cast<double>(want));
                    } else {
                        ASSERT_LE(std::abs(found[e].get(p, i, j) - want), bound);
                    }
                }
            }
        }
    }
}

TEST(Reduce, MatchesLoopsOverEveryDomain) {
    for (const ScalarType type : kTypes) {
        for (const Sizes& size : kShapes) {
            for (const ReduceOp op : {ReduceOp::sum, ReduceOp::max, ReduceOp::product}) {
                for (const ReduceOver over :
                     {ReduceOver::all, ReduceOver::rows, ReduceOver::cols, ReduceOver::diagonal}) {
                    for (const Order order : {Order::rows, Order::columns, Order::reversed_both}) {
                        check_reduce({size, op, over, order, type});
                        ASSERT_FALSE(HasFailure());
                    }
                }
            }
        }
    }
}

TEST(Reduce, TakesBroadcastsPositionsAndSquares) {
    constexpr std::int64_t kRows = 21;
    constexpr std::int64_t kCols = 38;
    struct Case {
        const char* name;
        std::vector<MapInstruction> code;
        long double (*term)(long double a, long double u, long double v, long double s, bool lower);
    };
    // Operands: 0 A, 1 u along columns, 2 v along rows, 3 the number s.
    const Case cases[] = {
        {"a", {load(0)}, [](auto a, auto, auto, auto, bool) { return a; }},
        {"a .* a",
         {load(0), {MapOp::mul, 0, 0, 0}},
         [](auto a, auto, auto, auto, bool) { return a * a; }},
        {"a ^ 2",
         {load(0), {MapOp::pow, 0, -1, 2}},
         [](auto a, auto, auto, auto, bool) { return a * a; }},
        {"a .* a, loaded twice",
         {load(0), load(0), {MapOp::mul, 0, 1, 0}},
         [](auto a, auto, auto, auto, bool) { return a * a; }},
        {"a ^ 3",
         {load(0), {MapOp::pow, 0, -1, 3}},
         [](auto a, auto, auto, auto, bool) { return a * a * a; }},
        {"a + u",
         {load(0), load(1), {MapOp::add, 0, 1, 0}},
         [](auto a, auto u, auto, auto, bool) { return a + u; }},
        {"a .* u",
         {load(0), load(1), {MapOp::mul, 0, 1, 0}},
         [](auto a, auto u, auto, auto, bool) { return a * u; }},
        {"v .* a",
         {load(2), load(0), {MapOp::mul, 0, 1, 0}},
         [](auto a, auto, auto v, auto, bool) { return v * a; }},
        {"s .* a",
         {load(3), load(0), {MapOp::mul, 0, 1, 0}},
         [](auto a, auto, auto, auto s, bool) { return s * a; }},
        {"u .* v",
         {load(1), load(2), {MapOp::mul, 0, 1, 0}},
         [](auto, auto u, auto v, auto, bool) { return u * v; }},
        {"a .* a beside a load that nothing reads",
         {load(0), load(1), {MapOp::mul, 0, 0, 0}},
         [](auto a, auto, auto, auto, bool) { return a * a; }},
        {"a where lower, times s - v",
         {load(0),
          {MapOp::is_lower, -1, -1, 0},
          {MapOp::mask, 0, 1, 0},
          load(3),
          load(2),
          {MapOp::sub, 3, 4, 0},
          {MapOp::mul, 2, 5, 0}},
         [](auto a, auto, auto v, auto s, bool lower) { return lower ? a * (s - v) : 0; }},
    };
    for (const ScalarType type : kTypes) {
        for (const Case& c : cases) {
            for (const ReduceOver over :
                 {ReduceOver::all, ReduceOver::rows, ReduceOver::cols, ReduceOver::diagonal}) {
                for (const Order order : {Order::rows, Order::columns, Order::padded_rows}) {
                    const std::string text =
                        (testing::Message()
                         << c.name << " over " << static_cast<int>(over) << " order "
                         << static_cast<int>(order) << " type " << static_cast<int>(type))
                            .GetString();
                    SCOPED_TRACE(text);
                    const std::int64_t out_rows = over == ReduceOver::rows ? kRows : 1;
                    const std::int64_t out_cols = over == ReduceOver::cols ? kCols : 1;
                    ProgramBuilder build(type);
                    const ValueId a = build.operand("A", kRows, kCols, true);
                    const ValueId u = build.operand("u", kRows, 1, true);
                    const ValueId v = build.operand("v", 1, kCols, true);
                    const ValueId s = build.operand("s", 1, 1, false);
                    const ValueId out = build.value(out_rows, out_cols);
                    const MapBody body{{{use(a), Broadcast::none},
                                        {use(u), Broadcast::column},
                                        {use(v), Broadcast::row},
                                        {use(s), Broadcast::scalar}},
                                       c.code};
                    build.step(
                        Reduce{ReduceOp::sum, over, {"m", kRows}, {"n", kCols}, body, 0.5, {}},
                        out);
                    build.output(out);
                    const Program program = build.finish();
                    Matrices A(type, kBatch, kRows, kCols, order);
                    Matrices U(type, kBatch, kRows, 1, order);
                    Matrices V(type, kBatch, 1, kCols, order);
                    Matrices S(type, 1, 1, 1);
                    A.fill_random(1);
                    U.fill_random(2);
                    V.fill_random(3);
                    S.fill_random(4);
                    for (const ExecutorUnderTest& executor : executors_for(text)) {
                        SCOPED_TRACE(executor.name);
                        Matrices G(type, kBatch, out_rows, out_cols);
                        run(executor, program, kBatch, {&A, &U, &V, &S}, {&G});
                        for (std::int64_t p = 0; p < kBatch; ++p) {
                            Naive want(out_rows, out_cols);
                            Naive bound(out_rows, out_cols);
                            for (std::int64_t i = 0; i < kRows; ++i) {
                                for (std::int64_t j = 0; j < kCols; ++j) {
                                    if (over == ReduceOver::diagonal && i != j) {
                                        continue;
                                    }
                                    const std::int64_t r = over == ReduceOver::rows ? i : 0;
                                    const std::int64_t k = over == ReduceOver::cols ? j : 0;
                                    want(r, k) +=
                                        0.5L * c.term(A.get(p, i, j), U.get(p, i, 0),
                                                      V.get(p, 0, j), S.get(0, 0, 0), i >= j);
                                    // Numbers of at most 1, so terms of at most 2.
                                    bound(r, k) += (kRows * kCols + 4) * unit(type) * 2;
                                }
                            }
                            expect_within(matrix(G, p), want, bound);
                            ASSERT_FALSE(HasFailure());
                        }
                    }
                }
            }
        }
    }
}

TEST(Reduce, MaxKeepsNan) {
    ProgramBuilder build(ScalarType::float32);
    const ValueId a = build.operand("A", 1, 40, true);
    const ValueId out = build.value(1, 1);
    build.step(Reduce{ReduceOp::max,
                      ReduceOver::all,
                      {"", 1},
                      {"", 40},
                      {{{use(a), Broadcast::none}}, {load(0)}},
                      1,
                      {}},
               out);
    build.output(out);
    const Program program = build.finish();
    Matrices A(ScalarType::float32, 40, 1, 40);
    A.fill_random(4);
    for (std::int64_t p = 0; p < 40; p += 2) {
        A.set(p, 0, p, std::nan(""));
    }
    for (const ExecutorUnderTest& executor : executors_under_test()) {
        SCOPED_TRACE(executor.name);
        Matrices G(ScalarType::float32, 40, 1, 1);
        run(executor, program, 40, {&A}, {&G});
        for (std::int64_t p = 0; p < 40; ++p) {
            EXPECT_EQ(std::isnan(G.get(p, 0, 0)), p % 2 == 0);
        }
    }
}

/// The norm of A, of problems whose squares overflow or underflow beside others that are ordinary.
void check_norms(ScalarType type, const Sizes& size) {
    const auto [m, n] = size;
    const std::string text =
        (testing::Message() << "norm of " << m << "x" << n << " type " << static_cast<int>(type))
            .GetString();
    SCOPED_TRACE(text);
    ProgramBuilder build(type);
    const ValueId a = build.operand("A", m, n, true);
    const ValueId out = build.value(1, 1);
    build.step(Reduce{ReduceOp::norm,
                      ReduceOver::all,
                      {"m", m},
                      {"n", n},
                      {{{use(a), Broadcast::none}}, {load(0)}},
                      -0.5,
                      {}},
               out);
    build.output(out);
    const Program program = build.finish();
    const double large = type == ScalarType::float32 ? 1e30 : 1e200;
    const double scales[] = {1, large, 1 / large, 0, 1, large};
    Matrices A(type, kBatch, m, n);
    A.fill_random(7);
    for (std::int64_t p = 0; p < kBatch; ++p) {
        for (std::int64_t i = 0; i < m * n; ++i) {
            A.set(p, i / n, i % n, scales[p % 6] * A.get(p, i / n, i % n));
        }
    }
    for (const ExecutorUnderTest& executor : executors_for(text)) {
        SCOPED_TRACE(executor.name);
        Matrices G(type, kBatch, 1, 1);
        run(executor, program, kBatch, {&A}, {&G});
        for (std::int64_t p = 0; p < kBatch; ++p) {
            long double squares = 0;
            for (std::int64_t i = 0; i < m * n; ++i) {
                const long double x = A.get(p, i / n, i % n);
                squares += x * x;
            }
            const long double want = -0.5L * std::sqrt(squares);
            const auto count = static_cast<long double>(m * n);
            ASSERT_LE(std::abs(G.get(p, 0, 0) - want), (count + 4) * unit(type) * std::abs(want))
                << "problem " << p;
        }
    }
}

TEST(Reduce, NormsNeitherOverflowNorUnderflow) {
    for (const ScalarType type : kTypes) {
        for (const Sizes& size : kShapes) {
            check_norms(type, size);
            ASSERT_FALSE(HasFailure());
        }
    }
}

}  // namespace
}  // namespace matgrad::test
