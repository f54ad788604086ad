// A batch that comes in parts gives the bits of one run of the whole.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "matgrad/matgrad.hpp"
#include "support/random_numbers.hpp"

namespace matgrad {
namespace {

struct PartsCase {
    std::string f;
    std::string wrt;
    std::vector<Operand> operands;  ///< the first is batched
};

template <typename T>
struct Sums {
    std::vector<T> value{T(-7)}, gradient;
    std::vector<std::int32_t> status;
    std::int64_t failed = 0;
};

template <typename T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

template <typename T>
void expect_same(const Sums<T>& found, const Sums<T>& whole) {
    EXPECT_TRUE(same_bits(found.value, whole.value));
    EXPECT_TRUE(same_bits(found.gradient, whole.gradient));
    EXPECT_EQ(found.status, whole.status);
    EXPECT_EQ(found.failed, whole.failed);
}

/// In parts of `part` problems, rounded up to what parts must be; 0: in one run.
template <typename T>
Sums<T> sums_of(const PartsCase& c, std::int64_t batch, std::int64_t part, int threads) {
    PlanOptions options{.type = sizeof(T) == 4 ? ScalarType::float32 : ScalarType::float64,
                        .reduction = Reduction::sum,
                        .wrt = {c.wrt},
                        .threads = threads};
    const Expr f = parse(c.f);
    const Plan plan = make_plan(f, c.operands, options);
    std::vector<std::vector<T>> data;
    for (const Operand& o : c.operands) {
        data.push_back(
            test::random_numbers<T>(o.rows * o.cols * (o.batched ? batch : 1), data.size() + 3));
    }
    // A problem of zeros fails in some functions, and one that is not finite in all.
    const std::int64_t each = c.operands[0].rows * c.operands[0].cols;
    for (std::int64_t p = 5; p < batch; p += 97) {
        std::fill_n(data[0].begin() + p * each, each, T(0));
    }
    if (batch > 40) {
        data[0][static_cast<std::size_t>(40 * each)] = std::numeric_limits<T>::infinity();
    }
    const OutputInfo& info = plan.outputs()[1];
    Sums<T> sums;
    sums.gradient.assign(
        static_cast<std::size_t>(info.rows * info.cols * (info.batched ? batch : 1)), T(-7));
    sums.status.assign(static_cast<std::size_t>(batch), -1);
    BatchParts parts(plan, batch);
    part = part == 0 ? batch : (part + parts.multiple() - 1) / parts.multiple() * parts.multiple();
    do {
        const std::int64_t first = parts.done();
        const std::int64_t count = std::min(part, batch - first);
        std::vector<OperandView> operands;
        for (std::size_t k = 0; k < c.operands.size(); ++k) {
            const Operand& o = c.operands[k];
            const T* from = data[k].data() + (o.batched ? first * o.rows * o.cols : 0);
            const ConstView one = row_major(from, o.rows, o.cols);
            operands.emplace_back(o.name, o.batched ? one.batched(count) : one);
        }
        const std::int64_t before = info.batched ? first * info.rows * info.cols : 0;
        const View gradient = row_major(sums.gradient.data() + before, info.rows, info.cols);
        RunOptions run;
        run.parts = part == batch ? nullptr : &parts;
        const RunSummary summary =
            plan.run(operands,
                     {{"value", row_major(sums.value.data(), 1, 1)},
                      {"gradient " + c.wrt, info.batched ? gradient.batched(count) : gradient}},
                     std::span(sums.status)
                         .subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)),
                     run);
        sums.failed += summary.failed;
        if (run.parts == nullptr) {
            break;
        }
    } while (parts.done() < batch);
    return sums;
}

template <typename T>
void check_bits() {
    const PartsCase cases[] = {
        {"logdet(X'*X)", "X", {batched("X", 8, 4)}},    // lanes
        {"logdet(X'*X)", "X", {batched("X", 70, 60)}},  // one by one
        {"norm2(A*x - b)^2", "A", {batched("x", 8), shared("A", 16, 8), batched("b", 16)}},  // runs
        {"sum(sin(A.*X))", "A", {batched("X", 5, 3), shared("A", 5, 3)}},
    };
    for (const PartsCase& c : cases) {
        for (const std::int64_t batch : {1, 7, 300, 3000}) {
            if (c.operands[0].rows == 70 && batch > 300) {
                continue;
            }
            SCOPED_TRACE(c.f + ", " + std::to_string(batch) + " problems");
            const Sums<T> whole = sums_of<T>(c, batch, 0, 1);
            ASSERT_TRUE(std::isfinite(whole.value[0]));
            for (const std::int64_t part : {1, 100, 1000}) {
                SCOPED_TRACE(part);
                expect_same(sums_of<T>(c, batch, part, 1), whole);
                expect_same(sums_of<T>(c, batch, part, 3), whole);
            }
        }
    }
}

TEST(BatchParts, HaveTheBitsOfTheWhole) {
    check_bits<double>();
    check_bits<float>();
}

TEST(BatchParts, OfNothingSumToNothing) {
    const Sums<double> none = sums_of<double>({"norm2(X)^2", "X", {batched("X", 2, 2)}}, 0, 0, 1);
    EXPECT_EQ(none.value[0], 0);
}

TEST(BatchParts, RefuseWhatIsNoPart) {
    const Expr f = parse("norm2(X)^2");
    const Plan plan = make_plan(f, {batched("X", 2, 2)}, {.reduction = Reduction::sum});
    const std::vector<double> x(4 * 4000);
    double value = 0;
    const auto run = [&](BatchParts& parts, std::int64_t problems) {
        plan.run({{"X", row_major(x.data(), 2, 2).batched(problems)}},
                 {{"value", row_major(&value, 1, 1)}}, {}, {.parts = &parts});
    };
    BatchParts parts(plan, 4000);
    ASSERT_GT(parts.multiple(), 1);
    EXPECT_THROW(run(parts, 1), OperandError);
    run(parts, 2 * parts.multiple());
    EXPECT_EQ(parts.done(), 2 * parts.multiple());
    BatchParts fewer(plan, 10);
    EXPECT_THROW(run(fewer, 4000), OperandError);
    EXPECT_THROW(BatchParts(plan, -1), OperandError);
    const Plan mean = make_plan(f, {batched("X", 2, 2)}, {.reduction = Reduction::mean});
    EXPECT_THROW(BatchParts(mean, 10), UnsupportedError);
}

}  // namespace
}  // namespace matgrad
