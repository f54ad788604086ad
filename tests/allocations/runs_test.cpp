// Memory that runs out while plans run, in every layout and by way of every library.

#include <gtest/gtest.h>

#include "allocations/every_allocation.hpp"
#include "allocations/run_case.hpp"

namespace matgrad::test {
namespace {

std::vector<RunCase> small_cases() {
    std::vector<RunCase> cases{
        {"compact", "logdet(X'*X)", {}, {batched("X", 6, 3)}, {.wrt = {"X"}}, 40, "compact layout"},
        {"compact, nearly singular",
         "logdet(Z'*Z)",
         {},
         {batched("Z", 9, 4)},
         {.wrt = {"Z"}},
         40,
         "compact layout"},
        {"compact, in float",
         "tr(inv(X'*X))",
         {},
         {batched("X", 6, 3)},
         {.type = ScalarType::float32, .wrt = {"X"}},
         40,
         "compact layout"},
        {"compact, LU",
         "logdet(A)",
         {},
         {batched("A", 4, 4)},
         {.wrt = {"A"}},
         40,
         "compact layout"},
        {"a sum",
         "logdet(S + X'*X)",
         {"S=n,n:spd"},
         {batched("S", 3, 3), shared("X", 5, 3)},
         {.reduction = Reduction::sum, .wrt = {"X", "S"}},
         40,
         ""},
        {"runs",
         "norm2(A*x - b)^2",
         {},
         {shared("A", 20, 10), batched("x", 10), batched("b", 20)},
         {.wrt = {"x"}},
         300,
         "run layout"},
        {"a sum of runs",
         "norm2(A*x - b)^2",
         {},
         {shared("A", 20, 10), batched("x", 10), batched("b", 20)},
         {.reduction = Reduction::sum, .wrt = {"A"}},
         300,
         "run layout"},
        {"plain", "logdet(X'*X)", {}, {batched("X", 90, 60)}, {.wrt = {"X"}}, 3, "plain layout"},
        {"plain, nearly singular",
         "logdet(Z'*Z)",
         {},
         {batched("Z", 90, 60)},
         {.wrt = {"Z"}},
         3,
         "plain layout"},
        {"plain, LU",
         "logdet(A) + tr(inv(A)*B)",
         {},
         {batched("A", 70, 70), shared("B", 70, 70)},
         {.wrt = {"A"}},
         3,
         "plain layout"},
        {"all shared", "logdet(X'*X)", {}, {shared("X", 9, 4)}, {.wrt = {"X"}}, 1, ""},
        {"compact, with bounds and jitter",
         "logdet(S)",
         {"S=n,n:spd"},
         {batched("S", 4, 4)},
         {.wrt = {"S"}, .rcond = true, .error = true, .jitter = true},
         20,
         "compact layout"},
        {"plain, with bounds and jitter",
         "logdet(S)",
         {"S=n,n:spd"},
         {batched("S", 40, 40)},
         {.wrt = {"S"}, .rcond = true, .error = true, .jitter = true},
         2,
         ""},
    };
    const std::size_t count = cases.size();
    for (std::size_t i = 0; i < count; ++i) {
        RunCase other = cases[i];
        other.name += ", with beta, rows and a look at all numbers";
        other.beta = other.options.error ? 0 : 0.5;
        other.takes_rows = other.batch > 1;
        other.check_finite = true;
        cases.push_back(other);
    }
    return cases;
}

/// A plan that is new runs so often.
void expect_runs_to_survive(const RunCase& one, int times, std::span<const Whose> whose) {
    CaseData data(one);
    Plan plan;
    expect_to_survive_every_failure({one.name,
                                     [&] {
                                         plan = data.make_plan();
                                         data.clear_results();
                                     },
                                     [&] {
                                         for (int i = 0; i < times; ++i) {
                                             if (one.beta != 0) {
                                                 data.clear_results();
                                             }
                                             (void)data.run(plan);
                                         }
                                     },
                                     [&] { return data.bytes(); }, [&] { plan = Plan(); }},
                                    whose);
}

TEST(RunsOutOfMemory, AnswerOrSaySo) {
    for (RunCase one : small_cases()) {
        one.options.threads = 3;
        expect_runs_to_survive(one, 2, kAllAndOthers);
    }
}

/// One problem in parts, which threads share; a BLAS and LAPACK where they are called.
TEST(RunsOutOfMemory, OfLargeProblemsAnswerOrSaySo) {
    for (RunCase one : std::vector<RunCase>{
             {"products",
              "norm2(X*X'*A)^2",
              {},
              {batched("X", 260, 256), shared("A", 260, 20)},
              {.wrt = {"X"}},
              2,
              ""},
             {"Gram matrix", "logdet(X'*X)", {}, {batched("X", 320, 260)}, {.wrt = {"X"}}, 2, ""},
             {"nearly singular Gram matrix",
              "logdet(Z'*Z)",
              {},
              {shared("Z", 260, 200)},
              {.wrt = {"Z"}},
              1,
              ""},
             {"LU", "logdet(A)", {}, {shared("A", 300, 300)}, {.wrt = {"A"}}, 1, ""},
             {"entries", "sum(exp(X.*X))", {}, {shared("X", 500, 400)}, {.wrt = {"X"}}, 1, ""}}) {
        one.options.threads = 3;
        expect_runs_to_survive(one, 1, kAll);
    }
}

}  // namespace
}  // namespace matgrad::test
