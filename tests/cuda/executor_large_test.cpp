/// Matrices that are large enough to be factored alone, by the 64-bit library, and the same by a plan that
/// is captured, where what may be captured takes its place.

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <tuple>

#include "cuda/device_run.hpp"
#include "executors/build_program.hpp"
#include "matgrad/status.hpp"

namespace matgrad::test {
namespace {

constexpr std::int64_t kOrder = 520;
constexpr std::int64_t kSides = 3;
/// The rows of the general matrices are turned so far.
constexpr std::int64_t kTurn = 7;

/// Solves with S positive and A general, shared or not, from both sides, and det A.
Program solving_program(ScalarType type, bool shared) {
    ProgramBuilder build(type);
    const Scope scope = shared ? Scope::shared : Scope::problem;
    const ValueId s = build.operand("S", kOrder, kOrder, !shared);
    const ValueId a = build.operand("A", kOrder, kOrder, !shared);
    const ValueId b = build.operand("B", kOrder, kSides, true);
    const ValueId l = build.value(kOrder, kOrder, scope);
    build.step(Potrf{use(s)}, l);
    const ValueId half = build.value(kOrder, kSides);
    build.step(Trsm{Side::left, true, false, use(l), use(b)}, half);
    const ValueId x = build.value(kOrder, kSides);
    build.step(Trsm{Side::left, true, true, use(l), use(half)}, x);
    const ValueId lu = build.value(kOrder, kOrder, scope);
    const ValueId pivots = build.value(kOrder, 1, scope);
    build.step(Getrf{use(a), true}, lu, {}, pivots);
    const ValueId left = build.value(kOrder, kSides);
    build.step(Solve{Side::left, false, use(lu), use(pivots), use(b)}, left);
    const ValueId right = build.value(kSides, kOrder);
    build.step(Solve{Side::right, false, use(lu), use(pivots), use_transposed(b)}, right);
    const ValueId det = build.value(1, 1, scope);
    build.step(Reduce{ReduceOp::signed_product,
                      ReduceOver::diagonal,
                      {"n", kOrder},
                      {"n", kOrder},
                      {{{use(lu), Broadcast::none}}, {{MapOp::load, 0, -1, 0}}},
                      1,
                      use(pivots)},
               det);
    for (const ValueId id : {x, left, right, det}) {
        build.output(id);
    }
    return build.finish();
}

/// S = I + E with E symmetric, A = P (I + F) with F strictly upper, so det A = det P. Rows and columns
/// of E and F sum up to less than 1/2.
struct Data {
    Data(ScalarType type, std::int64_t batch, bool shared)
        : matrices(shared ? 1 : batch),
          S(type, matrices, kOrder, kOrder),
          A(type, matrices, kOrder, kOrder),
          B(type, batch, kOrder, kSides) {
        const double most = 0.5 / static_cast<double>(kOrder);
        Matrices noise(type, matrices, kOrder, kOrder);
        noise.fill_random(11, -most, most);
        B.fill_random(12);
        for (std::int64_t p = 0; p < matrices; ++p) {
            for (std::int64_t r = 0; r < kOrder; ++r) {
                for (std::int64_t c = 0; c < kOrder; ++c) {
                    const double one = r == c ? 1 : 0;
                    S.set(p, r, c, one + noise.get(p, std::min(r, c), std::max(r, c)));
                    A.set(p, (r + kTurn) % kOrder, c, r < c ? noise.get(p, r, c) : one);
                }
            }
        }
    }
    std::int64_t matrices;
    Matrices S, A, B;
};

struct Found {
    Found(ScalarType type, std::int64_t batch, bool shared)
        : X(type, batch, kOrder, kSides),
          L(type, batch, kOrder, kSides),
          R(type, batch, kSides, kOrder),
          D(type, shared ? 1 : batch, 1, 1) {}
    std::vector<Matrices*> all() { return {&X, &L, &R, &D}; }
    Matrices X, L, R, D;
};

/// Entry (r, c) of M X - B, where X(c, r) is read where it is transposed.
long double residual(const Matrices& m, std::int64_t problem, bool m_transposed, const Matrices& x,
                     bool x_transposed, const Matrices& b, std::int64_t p, std::int64_t r,
                     std::int64_t c) {
    long double sum = -b.get(p, r, c);
    for (std::int64_t k = 0; k < kOrder; ++k) {
        const double entry = m_transposed ? m.get(problem, k, r) : m.get(problem, r, k);
        sum += static_cast<long double>(entry) * (x_transposed ? x.get(p, c, k) : x.get(p, k, c));
    }
    return sum;
}

void expect_solved(ScalarType type, const Data& data, const Found& found, std::int64_t p) {
    const std::int64_t q = data.matrices == 1 ? 0 : p;
    long double largest = 0;
    for (const Matrices* x : {&found.X, &found.L}) {
        for (std::int64_t r = 0; r < kOrder; ++r) {
            for (std::int64_t c = 0; c < kSides; ++c) {
                largest = std::max<long double>(largest, std::abs(x->get(p, r, c)));
                largest = std::max<long double>(largest, std::abs(found.R.get(p, c, r)));
            }
        }
    }
    // |op(A) X - B| <= 3 n u |L||U||X| (Higham 9.4), where rows and columns of |L| and |U| sum up to
    // at most 2 as those of A do to 3/2; triangles solved by blocks take the square of that.
    const long double bound = 3 * kOrder * unit(type) * 16 * largest;
    for (std::int64_t r = 0; r < kOrder; ++r) {
        for (std::int64_t c = 0; c < kSides; ++c) {
            ASSERT_LE(std::abs(residual(data.S, q, false, found.X, false, data.B, p, r, c)), bound);
            ASSERT_LE(std::abs(residual(data.A, q, false, found.L, false, data.B, p, r, c)), bound);
            ASSERT_LE(std::abs(residual(data.A, q, true, found.R, true, data.B, p, r, c)), bound);
        }
    }
    // A turn by one place is n - 1 swaps, an odd number.
    const double sign = (kOrder - 1) * kTurn % 2 == 0 ? 1 : -1;
    EXPECT_NEAR(found.D.get(q, 0, 0), sign, static_cast<double>(2 * kOrder * unit(type)));
}

class LargeProblem : public testing::TestWithParam<std::tuple<ScalarType, bool>> {
protected:
    [[nodiscard]] static ScalarType type() { return std::get<0>(GetParam()); }
    [[nodiscard]] static bool shared() { return std::get<1>(GetParam()); }
};

INSTANTIATE_TEST_SUITE_P(Types, LargeProblem,
                         testing::Combine(testing::ValuesIn(kTypes), testing::Bool()),
                         [](const auto& test) {
                             return std::string(std::get<0>(test.param) == ScalarType::float32
                                                    ? "Float"
                                                    : "Double") +
                                    (std::get<1>(test.param) ? "Shared" : "EachItsOwn");
                         });

TEST_P(LargeProblem, IsSolvedFromBothSides) {
    constexpr std::int64_t kBatch = 2;
    const auto executor = module_under_test().make_executor(solving_program(type(), shared()), {});
    const Data data(type(), kBatch, shared());
    Found found(type(), kBatch, shared());
    DeviceRun run(*executor, kBatch, {&data.S, &data.A, &data.B}, found.all());
    const TestStream stream;
    run.poison(stream.get());
    run.enqueue(stream.get());
    stream.wait();
    EXPECT_EQ(run.finish().summary.failed, 0);
    for (std::int64_t p = 0; p < kBatch; ++p) {
        expect_solved(type(), data, found, p);
    }
}

TEST_P(LargeProblem, IsSolvedFromBothSidesByAGraph) {
    constexpr std::int64_t kBatch = 2;
    gpu::ExecutorOptions options;
    options.capturable = true;
    const auto executor =
        module_under_test().make_executor(solving_program(type(), shared()), options);
    const Data data(type(), kBatch, shared());
    Found found(type(), kBatch, shared());
    DeviceRun run(*executor, kBatch, {&data.S, &data.A, &data.B}, found.all());
    const TestStream stream;
    stream.wait();

    cudaGraph_t graph = nullptr;
    cudaGraphExec_t executable = nullptr;
    MATGRAD_MUST(cudaStreamBeginCapture(stream.get(), cudaStreamCaptureModeThreadLocal));
    run.enqueue(stream.get());
    MATGRAD_MUST(cudaStreamEndCapture(stream.get(), &graph));
    MATGRAD_MUST(cudaGraphInstantiate(&executable, graph, 0));
    run.poison(stream.get());
    MATGRAD_MUST(cudaGraphLaunch(executable, stream.get()));
    stream.wait();
    EXPECT_EQ(run.finish().summary.failed, 0);
    MATGRAD_MUST(cudaGraphExecDestroy(executable));
    MATGRAD_MUST(cudaGraphDestroy(graph));
    for (std::int64_t p = 0; p < kBatch; ++p) {
        expect_solved(type(), data, found, p);
    }
}

TEST_P(LargeProblem, FailsAtThePivotThatIsWrongAndAlone) {
    constexpr std::int64_t kBatch = 2;
    constexpr std::int32_t kPivot = 300;
    const auto executor = module_under_test().make_executor(solving_program(type(), shared()), {});
    Data data(type(), kBatch, shared());
    data.S.set(0, kPivot - 1, kPivot - 1, -1);  // of the first problem, or of all
    Found found(type(), kBatch, shared());
    const RunResult result =
        run_on_device(*executor, kBatch, {&data.S, &data.A, &data.B}, found.all());
    constexpr std::int32_t kFailed = make_status(StatusKind::not_positive, kPivot);
    EXPECT_EQ(result.status[0], kFailed);
    EXPECT_EQ(result.status[1], shared() ? kFailed : 0);
    EXPECT_TRUE(std::isnan(found.X.get(0, 0, 0)));
    EXPECT_TRUE(std::isnan(found.D.get(0, 0, 0)));
    EXPECT_EQ(std::isnan(found.L.get(1, 0, 0)), shared());
    if (!shared()) {
        expect_solved(type(), data, found, 1);
    }
}

}  // namespace
}  // namespace matgrad::test
