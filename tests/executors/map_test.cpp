/// map against loops, with every broadcast and memory order.

#include <gtest/gtest.h>

#include "executors/entrywise_cases.hpp"
#include "executors/naive.hpp"

namespace matgrad::test {
namespace {

TEST(Map, EvaluatesEveryBroadcastAndPosition) {
    for (const ScalarType type : kTypes) {
        for (const Sizes& size : kShapes) {
            for (const Order order : kOrders) {
                for (const bool batched : {false, true}) {
                    const std::string text =
                        (testing::Message()
                         << size.m << "x" << size.n << " order " << static_cast<int>(order)
                         << " type " << static_cast<int>(type) << " batched " << batched)
                            .GetString();
                    SCOPED_TRACE(text);
                    const std::vector<ExecutorUnderTest> executors = executors_for(text);
                    if (executors.empty()) {
                        continue;
                    }
                    const auto [m, n] = size;
                    ProgramBuilder build(type);
                    const ValueId a = build.operand("A", m, n, true);
                    const ValueId b = build.operand("B", n, m, batched);
                    const ValueId s = build.operand("s", 1, 1, batched);
                    const ValueId u = build.operand("u", m, 1, batched);
                    const ValueId v = build.operand("v", 1, n, true);
                    const ValueId out = build.value(m, n);
                    MapBody body;
                    body.operands = {{use(a), Broadcast::none},
                                     {use_transposed(b), Broadcast::none},
                                     {use(s), Broadcast::scalar},
                                     {use(u), Broadcast::column},
                                     {use(v), Broadcast::row}};
                    // ((a - 2b) * s + u*v) where row >= col, + 3 on the diagonal, a above it.
                    body.code = {load(0),
                                 load(1),
                                 {MapOp::scale, 1, -1, -2},
                                 {MapOp::add, 0, 2, 0},
                                 load(2),
                                 {MapOp::mul, 3, 4, 0},
                                 load(3),
                                 load(4),
                                 {MapOp::mul, 6, 7, 0},
                                 {MapOp::add, 5, 8, 0},
                                 {MapOp::is_lower, -1, -1, 0},
                                 {MapOp::mask, 9, 10, 0},
                                 {MapOp::is_diagonal, -1, -1, 0},
                                 {MapOp::constant, -1, -1, 3},
                                 {MapOp::mul, 12, 13, 0},
                                 {MapOp::add, 11, 14, 0},
                                 {MapOp::is_upper, -1, -1, 0},
                                 {MapOp::mul, 16, 0, 0},
                                 {MapOp::add, 15, 17, 0}};
                    build.step(Map{body}, out);
                    build.output(out);
                    const Program program = build.finish();
                    Matrices A(type, kBatch, m, n, order);
                    Matrices B(type, batched ? kBatch : 1, n, m, order);
                    Matrices S(type, batched ? kBatch : 1, 1, 1, order);
                    Matrices U(type, batched ? kBatch : 1, m, 1, order);
                    Matrices V(type, kBatch, 1, n, order);
                    A.fill_random(1);
                    B.fill_random(2);
                    S.fill_random(3);
                    U.fill_random(4);
                    V.fill_random(5);
                    for (const ExecutorUnderTest& executor : executors) {
                        SCOPED_TRACE(executor.name);
                        Matrices G(type, kBatch, m, n, order);
                        run(executor, program, kBatch, {&A, &B, &S, &U, &V}, {&G}, 2);
                        for (std::int64_t p = 0; p < kBatch; ++p) {
                            const std::int64_t q = batched ? p : 0;
                            const Naive want =
                                entrywise(matrix(A, p), [&](long double x, auto r, auto c) {
                                    long double y =
                                        (x - 2 * static_cast<long double>(B.get(q, c, r))) *
                                            S.get(q, 0, 0) +
                                        static_cast<long double>(U.get(q, r, 0)) * V.get(p, 0, c);
                                    y = r >= c ? y : 0;
                                    return y + (r == c ? 3 : 0) + (r <= c ? x : 0);
                                });
                            // Six roundings of numbers of at most 8.
                            expect_within(matrix(G, p), want,
                                          entrywise(want, [&](auto, auto, auto) {
                                              return 6 * 8 * unit(type);
                                          }));
                            ASSERT_FALSE(HasFailure());
                        }
                    }
                }
            }
        }
    }
}

TEST(Map, MayWriteOverAnOperandAndReadsMixedTypes) {
    for (const ExecutorUnderTest& executor : executors_under_test()) {
        SCOPED_TRACE(executor.name);
        ProgramBuilder build(ScalarType::float32);
        const ValueId operand = build.operand("A", 9, 11, true);
        const ValueId a = build.value(9, 11);
        build.step(Copy{use(operand)}, a);
        const ValueId wide = build.value(9, 11, Scope::problem, ScalarType::float64);
        build.step(Map{{{{use(a), Broadcast::none}}, {load(0), {MapOp::scale, 0, -1, 1.0 / 3}}}},
                   wide, ScalarType::float64);
        const ValueId out = build.value(9, 11);
        build.step(Map{{{{use(a), Broadcast::none}, {use(wide), Broadcast::none}},
                        {load(0), load(1), {MapOp::sub, 0, 1, 0}}}},
                   out, ScalarType::float64);
        build.share_memory(out, a);
        build.output(out);
        const Program program = build.finish();
        Matrices A(ScalarType::float32, kBatch, 9, 11);
        A.fill_random(8);
        Matrices G(ScalarType::float32, kBatch, 9, 11);
        run(executor, program, kBatch, {&A}, {&G});
        for (std::int64_t p = 0; p < kBatch; ++p) {
            for (std::int64_t r = 0; r < 9; ++r) {
                for (std::int64_t c = 0; c < 11; ++c) {
                    const double x = A.get(p, r, c);
                    EXPECT_EQ(G.get(p, r, c),
                              static_cast<double>(static_cast<float>(x - (1.0 / 3) * x)));
                }
            }
        }
    }
}

}  // namespace
}  // namespace matgrad::test
