// Plan::linearize: products with the Hessian are those of Plan::run, problems that failed at the point fail
// again, and what is wrong with a call is said.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "matgrad/matgrad.hpp"
#include "support/random_numbers.hpp"

namespace matgrad {
namespace {

using test::random_numbers;

constexpr double kEps = std::numeric_limits<double>::epsilon();

template <typename Call>
std::string message_of(Call&& call) {
    try {
        call();
    } catch (const OperandError& error) {
        return error.what();
    }
    return "no error";
}

/// f = sum(c.*softplus(-s.*(X*w + t))): logistic regressions with weights, an intercept and common data.
struct Logistic {
    static constexpr std::int64_t m = 12, n = 3, batch = 33;
    std::vector<double> x = random_numbers(m * n, 1), s = random_numbers(m, 2),
                        c = random_numbers(m * batch, 3), w = random_numbers(n * batch, 4),
                        t = random_numbers(batch, 5), v = random_numbers(n * batch, 6),
                        r = random_numbers(batch, 7);

    [[nodiscard]] static Plan plan(Reduction reduction = Reduction::none, int threads = 1) {
        PlanOptions options;
        options.wrt = {"w", "t"};
        options.joint_hvp = {{"w", "v"}, {"t", "r"}};
        options.reduction = reduction;
        options.threads = threads;
        return make_plan(parse("sum(c.*softplus(-s.*(X*w + t*ones(m,1))))",
                               std::vector{parse_declaration("X=m,n"), parse_declaration("w=n"),
                                           parse_declaration("t=1"), parse_declaration("s=m"),
                                           parse_declaration("c=m")}),
                         {batched("c", m), shared("s", m), shared("X", m, n), batched("w", n),
                          batched("t", 1), batched("v", n), batched("r", 1)},
                         options);
    }
};

TEST(Linearize, GivesTheProductsOfRunForAnyDirection) {
    for (const Reduction reduction : {Reduction::none, Reduction::sum, Reduction::mean}) {
        Logistic data;
        const Plan plan = Logistic::plan(reduction);
        const std::size_t values = reduction == Reduction::none ? Logistic::batch : 1;
        std::vector<double> value(values), gw(data.w.size()), gt(data.t.size());
        std::vector<double> hw(gw.size()), ht(gt.size());
        std::vector<double> want_value(values), want_gw(gw.size()), want_gt(gt.size()),
            want_hw(gw.size()), want_ht(gt.size());
        const Linearization at = plan.linearize(
            {{"c", data.c}, {"s", data.s}, {"X", data.x}, {"w", data.w}, {"t", data.t}},
            {{"gradient t", gt}, {"value", value}, {"gradient w", gw}});
        EXPECT_EQ(at.summary().problems, Logistic::batch);
        for (int turn = 0; turn < 2; ++turn) {
            data.v = random_numbers(data.v.size(), 50 + static_cast<std::uint64_t>(turn));
            data.r = random_numbers(data.r.size(), 60 + static_cast<std::uint64_t>(turn));
            plan.run({data.c, data.s, data.x, data.w, data.t, data.v, data.r},
                     {want_value, want_gw, want_gt, want_hw, want_ht});
            const RunSummary summary =
                at.apply({{"v", data.v}, {"r", data.r}}, {{"hvp t", ht}, {"hvp w", hw}});
            EXPECT_EQ(summary.problems, Logistic::batch);
            EXPECT_EQ(summary.failed, 0);
            // Sums of m products of numbers below 4, in another order.
            const double bound = 64 * Logistic::m * kEps;
            for (std::size_t i = 0; i < hw.size(); ++i) {
                EXPECT_NEAR(hw[i], want_hw[i], bound);
                EXPECT_NEAR(gw[i], want_gw[i], bound);
            }
            for (std::size_t i = 0; i < ht.size(); ++i) {
                EXPECT_NEAR(ht[i], want_ht[i], bound);
                EXPECT_NEAR(gt[i], want_gt[i], bound);
            }
            EXPECT_NEAR(value[0], want_value[0], bound * Logistic::batch);
        }
    }
}

TEST(Linearize, KeepsTheWeightsAndNoMore) {
    const Logistic data;
    const Linearization at = [&] {
        PlanOptions options;
        options.value = false;
        options.hvp = {{"w", "v"}};
        const Plan plan =
            make_plan(parse("sum(c.*softplus(-s.*(X*w)))",
                            std::vector{parse_declaration("X=m,n"), parse_declaration("w=n"),
                                        parse_declaration("s=m"), parse_declaration("c=m")}),
                      {batched("c", Logistic::m), shared("s", Logistic::m),
                       shared("X", Logistic::m, Logistic::n), batched("w", Logistic::n),
                       batched("v", Logistic::n)},
                      options);
        return plan.linearize({data.c, data.s, data.x, data.w});
    }();
    // One weight for each row of X and problem, and padding to 64 bytes.
    EXPECT_GE(at.kept_bytes(), 8u * Logistic::m * Logistic::batch);
    EXPECT_LT(at.kept_bytes(), 8u * Logistic::m * Logistic::batch + 64u);
    EXPECT_EQ(at.operands_read_again(), std::vector<std::string>{"X"});
    ASSERT_EQ(at.directions().size(), 1u);
    EXPECT_EQ(at.directions()[0].name, "v");
    EXPECT_EQ(at.outputs()[0].text(), "hvp w");
    const std::string late = at.explain().substr(at.explain().find("for each product"));
    EXPECT_NE(late.find("= map kept 2 .* t1 "), std::string::npos) << late;
}

TEST(Linearize, FailsTheProblemsThatFailedAtThePoint) {
    const Declaration declared[] = {parse_declaration("P=n,n:spd")};
    constexpr std::int64_t batch = 9;
    std::vector<double> p, v = random_numbers(4 * batch, 3);
    for (std::int64_t k = 0; k < batch; ++k) {
        p.insert(p.end(), {2, 0, 0, k % 4 == 2 ? -1.0 : 4});
        v[static_cast<std::size_t>(4 * k + 2)] = v[static_cast<std::size_t>(4 * k + 1)];
    }
    PlanOptions options;
    options.value = false;
    options.hvp = {{"P", "V"}};
    const Plan plan =
        make_plan(parse("-logdet(P)", declared), {batched("P", 2, 2), batched("V", 2, 2)}, options);
    std::vector<std::int32_t> at_point(batch), status(batch);
    const Linearization at = plan.linearize({p}, {}, at_point);
    EXPECT_EQ(at.summary().failed, 2);
    std::vector<double> h(4 * batch);
    EXPECT_EQ(at.apply({v}, {h}, status).failed, 2);
    EXPECT_EQ(status, at_point);
    for (std::size_t k = 0; k < batch; ++k) {
        EXPECT_EQ(status[k], k % 4 == 2 ? make_status(StatusKind::not_positive, 2) : 0);
        // inv(P)*V*inv(P)
        if (status[k] != 0) {
            EXPECT_TRUE(std::isnan(h[4 * k]) && std::isnan(h[4 * k + 3]));
        } else {
            EXPECT_NEAR(h[4 * k], v[4 * k] / 4, 4 * kEps);
            EXPECT_NEAR(h[4 * k + 1], v[4 * k + 1] / 8, 4 * kEps);
        }
    }
    // A sum leaves them out.
    options.reductions = {{"hvp P", Reduction::mean}};
    const Plan mean =
        make_plan(parse("-logdet(P)", declared), {batched("P", 2, 2), batched("V", 2, 2)}, options);
    std::vector<double> one(4);
    mean.linearize({p}).apply({v}, {one});
    double want = 0;
    for (std::size_t k = 0; k < batch; ++k) {
        want += k % 4 == 2 ? 0 : v[4 * k] / 4 / 7;
    }
    EXPECT_NEAR(one[0], want, 16 * kEps);
}

TEST(Linearize, WorksAtAPointThatAllProblemsShare) {
    const Declaration declared[] = {parse_declaration("P=n,n:spd")};
    PlanOptions options;
    options.value = false;
    options.hvp = {{"P", "V"}};
    const Plan plan =
        make_plan(parse("-logdet(P)", declared), {shared("P", 2, 2), batched("V", 2, 2)}, options);
    const std::vector<double> good{2, 0, 0, 4}, bad{2, 0, 0, -4}, v{1, 0, 0, 0, 0, 0, 0, 1};
    std::vector<double> h(8);
    std::vector<std::int32_t> status(2);
    EXPECT_EQ(plan.linearize({good}).apply({v}, {h}, status).failed, 0);
    EXPECT_NEAR(h[0], 0.25, kEps);
    EXPECT_NEAR(h[7], 1.0 / 16, kEps);
    EXPECT_EQ(plan.linearize({bad}).apply({v}, {h}, status).failed, 2);
    EXPECT_EQ(status, std::vector<std::int32_t>(2, make_status(StatusKind::not_positive, 2)));
    EXPECT_TRUE(std::isnan(h[0]) && std::isnan(h[7]));
}

TEST(Linearize, SaysWhatIsWrongWithACall) {
    const Logistic data;
    const Plan plan = Logistic::plan();
    std::vector<double> value(Logistic::batch), gw(data.w.size()), gt(data.t.size()), hw(gw.size()),
        ht(gt.size());
    EXPECT_EQ(message_of([&] { (void)Linearization().outputs(); }),
              "the linearization is empty: expected one that Plan::linearize made");
    EXPECT_EQ(message_of([&] {
                  PlanOptions options;
                  options.wrt = {"x"};
                  const std::vector<double> x{1};
                  (void)make_plan(parse("x'*x"), {batched("x", 1)}, options).linearize({x});
              }),
              "the plan has nothing to linearize: expected one with hvp or joint_hvp");
    const Linearization at =
        plan.linearize({data.c, data.s, data.x, data.w, data.t}, {value, gw, gt});
    const std::vector<double> few(Logistic::n * 2);
    EXPECT_NE(message_of([&] {
                  at.apply({few, data.r}, {hw, ht});
              }).find("problems"),
              std::string::npos);
    EXPECT_NE(message_of([&] {
                  at.apply({data.v}, {hw, ht});
              }).find("1 directions are given: expected 2"),
              std::string::npos);
    EXPECT_NE(message_of([&] {
                  at.apply({data.v, data.r}, {hw, hw});
              }).find("result hvp t"),
              std::string::npos);
    const std::vector<std::int64_t> rows{0};
    RunOptions options;
    options.rows = rows;
    EXPECT_EQ(message_of([&] {
                  at.apply({data.v, data.r}, {hw, ht}, {}, options);
              }),
              "1 rows are given: expected none, since the problems are those of the point");
}

TEST(LinearizeErrors, NameTheDirectionsAlone) {
    const std::vector<double> p{1, 0, 0, 1}, v{1, 0, 0, 1};
    const Function f("-logdet(P)", "P", {"P=n,n:spd"}, {.hvp = {{"P", "V"}}});
    const ConstView P = row_major(p, 2, 2);
    const Linearization at = f.plan({{"P", P}, {"V", P}}, "hvp P").linearize({{"P", P}});
    std::vector<double> h(4);
    const auto message = [&](auto&& call) -> std::string {
        try {
            call();
        } catch (const OperandError& error) {
            return error.what();
        }
        return "no error";
    };
    EXPECT_EQ(message([&] {
                  at.apply({}, {{"hvp P", h}});
              }),
              "direction V is missing: 0 are given, expected V");
    EXPECT_EQ(message([&] {
                  at.apply({{"W", v}}, {{"hvp P", h}});
              }),
              "direction W is unknown: expected V");
    // What the products do not read may be written: P is not.
    ASSERT_TRUE(at.operands_read_again().empty());
    std::vector<double> over = p;
    const Linearization other =
        f.plan({{"P", P}, {"V", P}}, "hvp P").linearize({{"P", row_major(over, 2, 2)}});
    EXPECT_EQ(message([&] { other.apply({{"V", v}}, {{"hvp P", over}}); }), "no error");
    EXPECT_EQ(over, v);  // inv(P)*V*inv(P)
}

}  // namespace
}  // namespace matgrad
