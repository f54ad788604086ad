// Every row of the cookbook, planned and run in its planned buffers.

#include <gtest/gtest.h>

#include "planner/plan_support.hpp"
#include "support/cookbook.hpp"

namespace matgrad::testing {
namespace {

Problem problem_of(const CookbookRow& row, const Dims& dims) {
    Problem p;
    p.forms = {row.f, row.gradient};
    for (const Declaration& d : row.declarations) {
        p.declarations.push_back(to_text(d));
    }
    p.dims = dims;
    return p;
}

const Dims kSizes[] = {
    {{"m", 5}, {"n", 3}, {"p", 4}, {"q", 2}},
    {{"m", 7}, {"n", 7}, {"p", 7}, {"q", 7}},
    {{"m", 1}, {"n", 1}, {"p", 1}, {"q", 1}},
    {{"m", 9}, {"n", 4}, {"p", 1}, {"q", 6}},
};

TEST(CookbookPlan, EveryRowGivesWhatTheReferenceGives) {
    for (const CookbookRow& row : read_cookbook()) {
        for (const Dims& dims : kSizes) {
            SCOPED_TRACE("row " + row.equation);
            expect_matches_reference(problem_of(row, dims));
        }
    }
}

TEST(CookbookPlan, EveryRowWithEachOperandSharedInTurnAndWithAllShared) {
    for (const CookbookRow& row : read_cookbook()) {
        SCOPED_TRACE("row " + row.equation);
        Problem p = problem_of(row, kSizes[0]);
        std::set<std::string> all;
        for (const Declaration& d : row.declarations) {
            all.insert(d.name);
            p.shared = {d.name};
            expect_matches_reference(p, 5);
        }
        p.shared = all;
        expect_matches_reference(p, 6);
    }
}

TEST(CookbookPlan, EmptyMatricesAreLegal) {
    for (const CookbookRow& row : read_cookbook()) {
        SCOPED_TRACE("row " + row.equation);
        Problem p = problem_of(row, {{"m", 0}, {"n", 0}, {"p", 0}, {"q", 0}});
        const PlanRequest request = request_for(p);
        const Program program = make_program(request);
        Interpreter interpreter(program);
        const RunResult run = interpreter.run(random_problems(request, 2, 1));
        EXPECT_EQ(run.succeeded, 2);
        EXPECT_EQ(run.outputs[0][1].size(), 0);
    }
}

}  // namespace
}  // namespace matgrad::testing
