/// Every row of the cookbook with a long dimension: what does not fit the memory of a block goes through it in panels.

#include <gtest/gtest.h>

#include <iostream>

#include "road/random_function.hpp"
#include "road/road_check.hpp"
#include "support/environment.hpp"

namespace matgrad {
namespace {

/// As explain says; empty where the function is not made into one kernel.
enum class Way { panels, whole, library };
Way way_of(const Expr& f, const std::string& wrt, const Sizes& sizes, ScalarType type) {
    std::vector<Operand> operands;
    for (const Declaration& d : symbols(f)) {
        operands.push_back(
            {d.name, size_of_dim(d.shape.rows, sizes), size_of_dim(d.shape.cols, sizes), true});
    }
    PlanOptions options;
    options.type = type;
    options.wrt = {wrt};
    options.device = test_device().device;
    const std::string lines = make_plan(f, operands, options).explain();
    return lines.find("; passes over") != std::string::npos       ? Way::panels
           : lines.find("fused: one kernel") != std::string::npos ? Way::whole
                                                                  : Way::library;
}

struct Tally {
    int panels = 0, whole = 0, library = 0, compared = 0;

    template <typename T>
    void add(const Expr& f, const std::string& wrt, const Case& c, Kind kind) {
        const Way way =
            way_of(f, wrt, c.sizes, sizeof(T) == 4 ? ScalarType::float32 : ScalarType::float64);
        ++(way == Way::panels ? panels : way == Way::whole ? whole : library);
        if (way == Way::panels) {
            compared += expect_row<T>(f, wrt, c, Accuracy::robust, kind) > 0 ? 1 : 0;
        }
    }
    void print() const {
        std::cout << panels << " in panels, of which " << compared << " were compared; " << whole
                  << " whole, " << library << " by the library\n";
    }
};

TEST(PanelsOfRows, AgreeWithTheOracle) {
    const Sizes sizes = {{"m", 70}, {"n", 5}, {"p", 4}, {"q", 3}};
    const auto every = static_cast<std::size_t>(test_device().every);
    const test::Environment environment(
        {{"MATGRAD_GPU_FUSED_THREADS", "64"}, {"MATGRAD_GPU_FUSED_BLOCK_BYTES", "2600"}});
    std::size_t number = 0;
    Tally tally;
    for (const CookbookRow& row : read_cookbook()) {
        if (number++ % every != every / 2) {
            continue;
        }
        const Expr f = parse(row.f, row.declarations);
        const bool is_shared = number % 3 == 0;
        const Case c{sizes, is_shared ? Batched::variable : Batched::all, 3};
        if (number % 2 == 0) {
            tally.add<double>(f, row.wrt, c, Kind::tame);
        } else {
            tally.add<float>(f, row.wrt, c, Kind::tame);
        }
        if (HasFailure()) {
            return;
        }
    }
    tally.print();
    EXPECT_GE(tally.compared * 10, tally.panels * 9);
}

TEST(PanelsOfRandomFunctions, AgreeWithTheOracle) {
    const Sizes sizes = {{"m", 23}, {"n", 3}};
    const test::Environment environment(
        {{"MATGRAD_GPU_FUSED_THREADS", "64"}, {"MATGRAD_GPU_FUSED_BLOCK_BYTES", "700"}});
    Tally tally;
    const Seeds seeds;
    for (std::uint64_t seed = seeds.first; seed <= seeds.last; ++seed) {
        const auto [f, wrt] = random_function(seed);
        if (!f) {
            continue;
        }
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        const Case c{sizes, Batched::all, 2};
        if (seed % 2 == 0) {
            tally.add<double>(f, wrt, c, Kind::random);
        } else {
            tally.add<float>(f, wrt, c, Kind::random);
        }
        if (HasFailure()) {
            return;
        }
    }
    tally.print();
    EXPECT_GT(tally.panels, 0);
}

}  // namespace
}  // namespace matgrad
