// The status of a problem: its encoding, its text, and each kind where it comes from.

#include "matgrad/status.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "matgrad/matgrad.hpp"

namespace matgrad {
namespace {

static_assert(make_status(StatusKind::success) == 0);
static_assert(make_status(StatusKind::success, 7) == 0);
static_assert(make_status(StatusKind::not_positive, 3) == 16777219);  // 2^24 + 3
static_assert(make_status(StatusKind::not_finite, 1) == 0x04000001);
static_assert(status_kind(0x02000005) == StatusKind::singular);
static_assert(status_pivot(0x02000005) == 5);

constexpr StatusKind kKinds[] = {StatusKind::success,    StatusKind::not_positive,
                                 StatusKind::singular,   StatusKind::ill_conditioned,
                                 StatusKind::not_finite, StatusKind::not_converged,
                                 StatusKind::jittered};

TEST(Status, KeepsKindAndPivotApart) {
    for (const StatusKind kind : kKinds) {
        for (const std::int32_t pivot : {0, 1, 255, 65536, (1 << 24) - 1}) {
            const std::int32_t status = make_status(kind, pivot);
            EXPECT_EQ(status_kind(status), kind);
            EXPECT_EQ(status_pivot(status), kind == StatusKind::success ? 0 : pivot);
            EXPECT_EQ(succeeded(status),
                      kind == StatusKind::success || kind == StatusKind::jittered);
        }
        const std::int32_t past = make_status(kind, std::int64_t{1} << 40);
        EXPECT_EQ(status_kind(past), kind);
        EXPECT_EQ(status_pivot(past), kind == StatusKind::success ? 0 : (1 << 24) - 1);
    }
}

TEST(Status, OfAnUnknownKindIsAFailure) {
    for (const std::int32_t status : {-1, 7 << 24, 32 << 24, 38 << 24}) {
        EXPECT_FALSE(succeeded(status)) << status;
    }
}

TEST(Status, IsWrittenWithItsPivot) {
    EXPECT_EQ(to_text(make_status(StatusKind::not_positive, 3)), "not positive at pivot 3");
    EXPECT_EQ(to_text(make_status(StatusKind::singular, 12)), "singular at pivot 12");
    EXPECT_EQ(to_text(make_status(StatusKind::not_finite, 1)), "not finite at pivot 1");
    EXPECT_EQ(to_text(make_status(StatusKind::jittered)), "jittered");
    EXPECT_EQ(to_text(0), "success");
    EXPECT_EQ(to_text(-1 << 24), "of unknown status");
}

/// Statuses of `text` over 3x3 matrices in each of many problems, the second of them spoilt.
std::vector<std::int32_t> statuses(const char* text, const char* declaration, std::int64_t batch,
                                   const std::vector<std::int64_t>& entries, double value) {
    const Plan plan = make_plan(parse(text, {declaration}), {batched("A", 3, 3)}, {.wrt = {"A"}});
    std::vector<double> a;
    for (std::int64_t p = 0; p < batch; ++p) {
        a.insert(a.end(), {4, 1, 0, 1, 5, 1, 0, 1, 6});
    }
    for (const std::int64_t at : entries) {
        a[static_cast<std::size_t>(9 + at)] = value;
    }
    std::vector<double> f(static_cast<std::size_t>(batch));
    std::vector<double> g(a.size());
    std::vector<std::int32_t> status(static_cast<std::size_t>(batch), -1);
    plan.run({{"A", row_major(a, 3, 3).batched(batch)}},
             {{"value", f}, {"gradient A", row_major(g, 3, 3).batched(batch)}}, status);
    return status;
}

TEST(Status, SaysWhyAFactorizationFailed) {
    const double nan = std::nan("");
    const double infinity = std::numeric_limits<double>::infinity();
    for (const std::int64_t batch : {2, 40}) {
        std::vector<std::int32_t> want(static_cast<std::size_t>(batch), 0);
        const auto expect = [&](const char* text, const char* declaration,
                                const std::vector<std::int64_t>& entries, double value,
                                StatusKind kind, std::int64_t pivot) {
            want[1] = make_status(kind, pivot);
            EXPECT_EQ(statuses(text, declaration, batch, entries, value), want)
                << text << " with " << value << " at " << entries.front();
        };
        expect("logdet(A)", "A=n,n:spd", {4}, -5, StatusKind::not_positive, 2);
        expect("logdet(A)", "A=n,n:spd", {4}, 0.25, StatusKind::not_positive, 2);  // 1/4 - 1/4
        expect("logdet(A)", "A=n,n:spd", {8}, nan, StatusKind::not_finite, 3);
        expect("logdet(A)", "A=n,n:spd", {0}, infinity, StatusKind::not_finite, 1);
        expect("sum(inv(A))", "A=n,n", {4}, nan, StatusKind::not_finite, 2);
        expect("sum(inv(A))", "A=n,n", {1, 4, 7}, 0, StatusKind::singular, 2);  // a column
    }
}

}  // namespace
}  // namespace matgrad
