/// Tiles of problems whose steps are one call for all of them: what each problem gives, and the sums
/// over the batch, past every edge of a tile.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>

#include "cpu/executor.hpp"
#include "executors/build_program.hpp"
#include "executors/naive.hpp"
#include "matgrad/status.hpp"

namespace matgrad::test {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// A loss with a shared V and w, as a training loop has them, and a factorization that may fail:
///
///     r = x - V u,  z = dot(r, w),  m = z * tanh(r),  v = 0.5 * sum(r .* r),  G = -r u'
///
/// with r, z and m of each problem and the sums of v, G and m over the batch.
struct SharedLoss {
    Program program;
    std::int64_t d, r;

    SharedLoss(ScalarType type, std::int64_t rows, std::int64_t cols) : d(rows), r(cols) {
        ProgramBuilder build(type);
        const ValueId s = build.operand("S", 2, 2, true);
        const ValueId x = build.operand("x", d, 1, true);
        const ValueId u = build.operand("u", r, 1, true);
        const ValueId v = build.operand("V", d, r, false);
        const ValueId w = build.operand("w", d, 1, false);
        const ValueId residual = build.value(d, 1);
        build.step(Gemm{use(v), use(u), -1, 1, use(x)}, residual);
        const ValueId dot = build.value(1, 1);
        build.step(sum_of({{use(residual), Broadcast::none}, {use(w), Broadcast::none}},
                          {{MapOp::load, 0}, {MapOp::load, 1}, {MapOp::mul, 0, 1}}, 1),
                   dot);
        const ValueId map = build.value(d, 1);
        build.step(
            Map{{{{use(residual), Broadcast::none}, {use(dot), Broadcast::scalar}},
                 {{MapOp::load, 0}, {MapOp::tanh, 0}, {MapOp::load, 1}, {MapOp::mul, 1, 2}}}},
            map);
        const ValueId half = build.value(1, 1);
        build.step(sum_of({{use(residual), Broadcast::none}},
                          {{MapOp::load, 0}, {MapOp::pow, 0, -1, 2}}, 0.5),
                   half);
        const ValueId product = build.value(d, r);
        build.step(Gemm{use(residual), use_transposed(u), -1, 0, {}}, product);
        const ValueId l = build.value(2, 2);
        build.step(Potrf{use(s)}, l);
        for (const ValueId summed : {half, product, map}) {
            const bool matrix = summed == product;
            const ValueId sum = build.value(summed == half ? 1 : d, matrix ? r : 1, Scope::reduced);
            build.step(BatchReduce{use(summed)}, sum);
            build.output(sum);
        }
        build.output(residual);
        build.output(dot);
        build.output(map);
        program = build.finish();
    }

    [[nodiscard]] Reduce sum_of(std::vector<MapOperand> operands, std::vector<MapInstruction> code,
                                double scale) const {
        return {ReduceOp::sum,
                ReduceOver::all,
                {"d", d},
                {"", 1},
                {std::move(operands), std::move(code)},
                scale,
                {}};
    }
    [[nodiscard]] std::int64_t tile() const {
        return detail::choose_layout(program, detail::Layout::runs).tile;
    }
};

struct LossData {
    Matrices S, x, u, V, w;

    LossData(const SharedLoss& loss, std::int64_t batch, Order order = Order::rows,
             bool reversed = false)
        : S(loss.program.type, batch, 2, 2),
          x(loss.program.type, batch, loss.d, 1, order, reversed),
          u(loss.program.type, batch, loss.r, 1, order, reversed),
          V(loss.program.type, 1, loss.d, loss.r, order),
          w(loss.program.type, 1, loss.d, 1, order) {
        S.make_positive(1, 1);
        x.fill_random(2);
        u.fill_random(3);
        V.fill_random(4);
        w.fill_random(5);
    }
    /// The same data in another batch: problem p is problem `from` of the other one.
    void copy_problem(std::int64_t p, const LossData& other, std::int64_t from) {
        for (auto [to, of] : {std::pair{&S, &other.S}, {&x, &other.x}, {&u, &other.u}}) {
            for (std::int64_t i = 0; i < to->rows(); ++i) {
                for (std::int64_t j = 0; j < to->cols(); ++j) {
                    to->set(p, i, j, of->get(from, i, j));
                }
            }
        }
    }
};

struct LossResults {
    Matrices value, G, m_sum, residual, dot, map;
    RunSummary summary;
    std::vector<std::int32_t> status;

    LossResults(const SharedLoss& loss, const LossData& data, int threads,
                Order order = Order::rows)
        : value(loss.program.type, 1, 1, 1),
          G(loss.program.type, 1, loss.d, loss.r, order),
          m_sum(loss.program.type, 1, loss.d, 1),
          residual(loss.program.type, data.x.batch(), loss.d, 1, order),
          dot(loss.program.type, data.x.batch(), 1, 1),
          map(loss.program.type, data.x.batch(), loss.d, 1, order),
          status(static_cast<std::size_t>(data.x.batch()), -1) {
        const CpuExecutor executor(loss.program, threads, {detail::Layout::runs, true});
        const std::size_t bytes = executor.workspace_bytes();
        std::vector<std::byte> memory(bytes + 64, std::byte{0xff});  // NaN
        void* start = memory.data();
        std::size_t room = memory.size();
        std::align(64, bytes, start, room);
        const ConstStrided in[] = {data.S.input(), data.x.input(), data.u.input(), data.V.input(),
                                   data.w.input()};
        const Strided out[] = {value.output(),    G.output(),   m_sum.output(),
                               residual.output(), dot.output(), map.output()};
        summary = executor.run(
            {data.x.batch(), in, out, status, {static_cast<std::byte*>(start), bytes}}, {});
        for (const Matrices* m : {&value, &G, &m_sum, &residual, &dot, &map}) {
            EXPECT_TRUE(m->guards_intact());
        }
    }
    [[nodiscard]] bool same_problem(std::int64_t p, const LossResults& other,
                                    std::int64_t q) const {
        return residual.same_bits(p, other.residual, q) && dot.same_bits(p, other.dot, q) &&
               map.same_bits(p, other.map, q);
    }
    [[nodiscard]] bool same_sums(const LossResults& other) const {
        return value.same_bits(0, other.value, 0) && G.same_bits(0, other.G, 0) &&
               m_sum.same_bits(0, other.m_sum, 0);
    }
};

/// Results of problems against loops in long double; the sums against those of what was computed for
/// the problems with status 0.
void expect_right(const SharedLoss& loss, const LossData& data, const LossResults& got) {
    const std::int64_t batch = data.x.batch();
    const long double u = unit(loss.program.type);
    const Naive V = matrix(data.V, 0);
    const Naive w = transpose(matrix(data.w, 0));
    Naive value(1, 1);
    Naive G(loss.d, loss.r);
    Naive G_sizes(loss.d, loss.r);
    Naive sum(loss.d, 1);
    Naive sum_sizes(loss.d, 1);
    for (std::int64_t p = 0; p < batch; ++p) {
        if (got.status[static_cast<std::size_t>(p)] != 0) {
            EXPECT_TRUE(std::isnan(got.dot.get(p, 0, 0)));
            continue;
        }
        const Naive r = matrix(got.residual, p);
        const Naive m = matrix(got.map, p);
        const Naive right = matrix(data.u, p);
        const Naive want = plus(matrix(data.x, p), scaled(-1, multiply(V, right)));
        expect_within(
            r, want,
            scaled(static_cast<long double>(loss.r + 3) * u,
                   plus(absolute(matrix(data.x, p)), multiply(absolute(V), absolute(right)))));
        const long double z = got.dot.get(p, 0, 0);
        Naive of_z(1, 1);
        of_z(0, 0) = z;
        expect_within(
            of_z, multiply(w, r),
            scaled(static_cast<long double>(loss.d + 3) * u, multiply(absolute(w), absolute(r))));
        const Naive tanh_z =
            entrywise(r, [z](long double x, auto, auto) { return z * std::tanh(x); });
        expect_within(m, tanh_z, scaled(8 * u, absolute(tanh_z)));
        value = plus(value, scaled(0.5, multiply(transpose(r), r)));
        G = plus(G, scaled(-1, multiply(r, transpose(right))));
        G_sizes = plus(G_sizes, multiply(absolute(r), transpose(absolute(right))));
        sum = plus(sum, m);
        sum_sizes = plus(sum_sizes, absolute(m));
    }
    const auto terms = static_cast<long double>(batch * loss.d + 3);
    expect_within(matrix(got.value, 0), value, scaled(terms * u, absolute(value)));
    expect_within(matrix(got.G, 0), G, scaled(static_cast<long double>(batch + 3) * u, G_sizes));
    // Sums of entries are made in double.
    expect_within(matrix(got.m_sum, 0), sum,
                  plus(scaled(u, absolute(sum)), scaled(terms * 0x1p-53L, sum_sizes)));
}

class Runs : public testing::TestWithParam<ScalarType> {};
INSTANTIATE_TEST_SUITE_P(Types, Runs, testing::ValuesIn(kTypes), [](const auto& test) {
    return test.param == ScalarType::float32 ? "float" : "double";
});

TEST_P(Runs, AreRightPastEveryEdgeOfATile) {
    for (const auto& [d, r] : {std::pair{1, 1}, {5, 3}, {37, 18}}) {
        const SharedLoss loss(GetParam(), d, r);
        const std::int64_t tile = loss.tile();
        ASSERT_GE(tile, 16);
        for (const std::int64_t batch :
             {std::int64_t{0}, std::int64_t{1}, tile - 1, tile, tile + 1, 3 * tile + 7}) {
            SCOPED_TRACE(testing::Message() << d << " by " << r << ", batch " << batch);
            const LossData data(loss, batch);
            const LossResults got(loss, data, 2);
            EXPECT_EQ(got.summary.failed, 0);
            expect_right(loss, data, got);
            ASSERT_FALSE(HasFailure());
        }
    }
}

TEST_P(Runs, TakeEveryOrderOfMemory) {
    const SharedLoss loss(GetParam(), 9, 4);
    for (const Order order : kOrders) {
        for (const bool reversed : {false, true}) {
            SCOPED_TRACE(testing::Message() << static_cast<int>(order) << reversed);
            const LossData data(loss, loss.tile() + 3, order, reversed);
            expect_right(loss, data, LossResults(loss, data, 2, order));
            ASSERT_FALSE(HasFailure());
        }
    }
}

TEST_P(Runs, GiveAProblemTheSameBitsInEveryPlaceAndTheSumsTheSameForEveryNumberOfThreads) {
    const SharedLoss loss(GetParam(), 21, 19);
    const std::int64_t tile = loss.tile();
    const std::int64_t batch = 2 * tile + 5;
    const LossData data(loss, batch);
    const LossResults whole(loss, data, 1);
    for (const int threads : {2, 5}) {
        const LossResults again(loss, data, threads);
        EXPECT_TRUE(again.same_sums(whole));
        for (std::int64_t p = 0; p < batch; ++p) {
            ASSERT_TRUE(again.same_problem(p, whole, p)) << p;
        }
    }
    for (const std::int64_t part : {1, 2, 15, 17, 40}) {
        LossData some(loss, part);
        some.V = data.V;
        some.w = data.w;
        for (std::int64_t p = 0; p < part; ++p) {
            some.copy_problem(p, data, (31 * p + 7) % batch);
        }
        const LossResults got(loss, some, 2);
        for (std::int64_t p = 0; p < part; ++p) {
            ASSERT_TRUE(got.same_problem(p, whole, (31 * p + 7) % batch)) << part << " " << p;
        }
    }
}

TEST_P(Runs, LeaveFailedProblemsOutOfSumsAndNeighboursAlone) {
    const SharedLoss loss(GetParam(), 6, 5);
    const std::int64_t batch = 2 * loss.tile() + 9;
    const LossData good(loss, batch);
    const LossResults before(loss, good, 2);
    LossData data = good;
    for (const std::int64_t p : {std::int64_t{0}, std::int64_t{3}, loss.tile(), batch - 1}) {
        data.S.set(p, 1, 1, -1);
        data.x.set(p, 2, 0, p % 2 == 0 ? kNan : kInfinity);
        data.u.set(p, 0, 0, kInfinity);
    }
    const LossResults got(loss, data, 2);
    EXPECT_EQ(got.summary.failed, 4);
    expect_right(loss, data, got);
    for (std::int64_t p = 0; p < batch; ++p) {
        if (got.status[static_cast<std::size_t>(p)] == 0) {
            ASSERT_TRUE(got.same_problem(p, before, p)) << p;
        }
    }
}

TEST_P(Runs, LeaveAProblemWithNanOutOfSumsAndNeighboursAlone) {
    const SharedLoss loss(GetParam(), 6, 5);
    const std::int64_t batch = loss.tile() + 9;
    const LossData good(loss, batch);
    const LossResults before(loss, good, 2);
    LossData data = good;
    data.x.set(4, 2, 0, kNan);
    const LossResults got(loss, data, 2);
    EXPECT_EQ(got.summary.failed, 1);
    EXPECT_EQ(got.status[4], make_status(StatusKind::not_finite));
    expect_right(loss, data, got);
    for (std::int64_t p = 0; p < batch; ++p) {
        EXPECT_TRUE(p == 4 || got.same_problem(p, before, p)) << p;
    }
}

TEST(RunsOfFloat, SumWhatOverflowsInATileButNotInDouble) {
    const SharedLoss loss(ScalarType::float32, 2, 2);
    LossData data(loss, 3);
    data.V.fill_random(1, 0, 0);
    // G is -x u': 3e38 twice, and then their negative.
    for (std::int64_t p = 0; p < 3; ++p) {
        for (std::int64_t i = 0; i < 2; ++i) {
            data.x.set(p, i, 0, p < 2 ? 3 : -3);
            data.u.set(p, i, 0, 1e38);
        }
    }
    const LossResults got(loss, data, 1);
    EXPECT_EQ(got.summary.failed, 0);
    EXPECT_EQ(got.G.get(0, 1, 1), static_cast<double>(3 * -static_cast<float>(1e38)));
}

TEST(Scratch, IsHeldToWhatAStepStated) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    alignas(64) std::byte memory[512];
    const auto take_more = [&memory] {
        detail::Scratch scratch(memory, sizeof(memory));
        scratch.begin_step("G = syrk(X)", 128);
        (void)scratch.take(64);
        (void)scratch.take(65);
    };
    EXPECT_DEATH(take_more(), "G = syrk\\(X\\) took 192 bytes of scratch, expected at most 128");
}

}  // namespace
}  // namespace matgrad::test
