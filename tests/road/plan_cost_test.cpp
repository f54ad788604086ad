// The gradient we derive is never dearer than the one in the table, planned by the same planner.

#include <gtest/gtest.h>

#include "matgrad/calculus.hpp"
#include "planner/planner.hpp"
#include "program/cost.hpp"
#include "support/cookbook.hpp"

namespace matgrad {
namespace {

using Sizes = std::map<std::string, std::int64_t>;

const Sizes kSizes[] = {{{"m", 64}, {"n", 16}, {"p", 24}, {"q", 12}},
                        {{"m", 16}, {"n", 64}, {"p", 12}, {"q", 24}},
                        {{"m", 32}, {"n", 32}, {"p", 32}, {"q", 32}}};

std::int64_t size_of_dim(const Dim& d, const Sizes& sizes) {
    return d.name.empty() ? d.size : sizes.at(d.name);
}

OperationCount planned(const Expr& form, const CookbookRow& row, const Sizes& sizes) {
    PlanRequest request;
    request.batch = 1000;
    request.outputs = {{OutputKind::gradient, row.wrt, form, {}}};
    request.symbols = row.declarations;
    for (const Declaration& d : row.declarations) {
        request.operands.push_back(
            {d.name, size_of_dim(d.shape.rows, sizes), size_of_dim(d.shape.cols, sizes), true});
    }
    return count_operations(make_program(request));
}

class PlanCost : public testing::TestWithParam<CookbookRow> {};

TEST_P(PlanCost, IsNoMoreThanThatOfTheTable) {
    const CookbookRow& row = GetParam();
    const Expr table = parse(row.gradient, row.declarations);
    const Expr ours = differentiate(parse(row.f, row.declarations), row.wrt);
    for (const Sizes& sizes : kSizes) {
        const OperationCount theirs = planned(table, row, sizes);
        const OperationCount mine = planned(ours, row, sizes);
        SCOPED_TRACE(to_text(ours) + " against " + row.gradient +
                     " at m = " + std::to_string(sizes.at("m")));
        EXPECT_LE(mine.matrix, theirs.matrix);
        // Outer products count as entrywise work. Where they stand for a matrix product of the
        // table (equation 77), what that product would have cost pays for them.
        EXPECT_LE(mine.entrywise, 1.1 * theirs.entrywise + (theirs.matrix - mine.matrix));
    }
}

INSTANTIATE_TEST_SUITE_P(Row, PlanCost, testing::ValuesIn(read_cookbook()), [](const auto& row) {
    std::string name = "Eq" + row.param.equation;
    for (char& c : name) {
        if (c == '-') {
            c = '_';
        }
    }
    return name;
});

}  // namespace
}  // namespace matgrad
