#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "cuda/placement.hpp"
#include "executors/build_program.hpp"

namespace matgrad::test {
namespace {

using gpu::Placement;
using gpu::PlacementNeeds;

/// Values of both scopes and types, some of odd sizes and some that the planner has not placed.
Program some_program(std::int64_t batch) {
    ProgramBuilder build(ScalarType::float32);
    const ValueId x = build.operand("X", 5, 3, true);
    const ValueId shared = build.value(7, 7, Scope::shared, ScalarType::float64);
    const ValueId small = build.value(1, 1);
    const ValueId odd = build.value(5, 3);
    const ValueId wide = build.value(5, 3, Scope::problem, ScalarType::float64);
    const ValueId last = build.value(3, 3);
    const ValueId total = build.value(5, 3, Scope::reduced);
    build.step(Copy{use(x)}, odd);
    build.step(Copy{use(x)}, wide);
    for (const ValueId id : {shared, small, odd, wide, last, total}) {
        build.output(id);  // results at odd places are left to the executor
    }
    Program program = build.finish();
    program.batch = batch;
    return program;
}

PlacementNeeds some_needs() {
    PlacementNeeds needs;
    needs.blas_bytes = 1 << 12;
    needs.totals_bytes = 120;
    needs.scratch = {{100, 300, false}, {1 << 20, 500, true}, {40, 0, false}};
    needs.wide_pivots = {2};
    needs.pointer_arrays = 3;
    return needs;
}

struct Stretch {
    std::int64_t begin, end;
    std::string name;
};

std::vector<Stretch> stretches(const Program& program, const Placement& p) {
    std::vector<Stretch> all = {
        {p.totals, p.totals + 120, "totals"},
        {p.shared_status, p.shared_status + 4, "shared status"},
        {p.failed, p.failed + 8, "failed"},
        {p.blas, p.blas + (1 << 12), "blas"},
        {p.info, p.info + 4 * p.slice, "info"},
        {p.status, p.status + 4 * p.slice, "status"},
        {p.scratch, p.scratch + p.scratch_bytes, "scratch"},
        {p.wide_pivots[2], p.wide_pivots[2] + 8 * p.slice, "wide pivots"},
    };
    all.push_back({p.pointers, p.pointers + p.pointer_arrays * 8 * p.slice, "pointers"});
    EXPECT_EQ(p.pointer_arrays, 3);
    for (std::size_t i = 0; i < program.values.size(); ++i) {
        const Value& v = program.values[i];
        if (v.operand < 0) {
            const std::int64_t problems = v.scope == Scope::problem ? p.slice : 1;
            all.push_back({p.values[i], p.values[i] + problems * v.count() * size_of(v.type),
                           "value " + std::to_string(i)});
        }
    }
    return all;
}

void expect_sound(const Program& program, const Placement& p) {
    std::vector<Stretch> all = stretches(program, p);
    std::sort(all.begin(), all.end(),
              [](const Stretch& a, const Stretch& b) { return a.begin < b.begin; });
    EXPECT_GE(all.front().begin, 0);
    for (std::size_t i = 0; i + 1 < all.size(); ++i) {
        EXPECT_LE(all[i].end, all[i + 1].begin) << all[i].name << " and " << all[i + 1].name;
    }
    for (const Stretch& stretch : all) {
        EXPECT_LE(stretch.end, p.bytes) << stretch.name;
        EXPECT_EQ(stretch.begin % 8, 0) << stretch.name;
    }
    EXPECT_GE(p.scratch_bytes, std::max<std::int64_t>(300 + 100 * p.slice, 500 + (1 << 20)));
}

TEST(Placement, KeepsEverythingApartAtAnySlice) {
    for (const std::int64_t batch : {0, 1, 31, 32, 33, 1000, 100000}) {
        SCOPED_TRACE(batch);
        const Program program = some_program(batch);
        const Placement p = gpu::place(program, some_needs());
        expect_sound(program, p);
        EXPECT_GE(p.slice, std::min<std::int64_t>(batch, 100000));
        EXPECT_EQ(p.slice % 32, 0);
    }
}

TEST(Placement, OfWholeStepsOfProblemsIsAligned) {
    const Program program = some_program(1000);
    const Placement p = gpu::place(program, some_needs());
    for (std::size_t i = 0; i < program.values.size(); ++i) {
        if (program.values[i].operand < 0 && program.values[i].scope == Scope::problem) {
            EXPECT_EQ(p.values[i] % gpu::kPlacementAlignment, 0) << i;
        }
    }
    for (const std::int64_t region : {p.blas, p.info, p.status, p.scratch, p.totals, p.pointers}) {
        EXPECT_EQ(region % gpu::kPlacementAlignment, 0);
    }
}

TEST(Placement, KeepsToALimitWhereOneProblemFits) {
    const Program program = some_program(100000);
    PlacementNeeds needs = some_needs();
    needs.limit = 1;
    const std::int64_t least = gpu::place(program, needs).bytes;
    EXPECT_EQ(gpu::place(program, needs).slice, 1);
    std::int64_t before = 0;
    for (const std::int64_t more : {0, 1000, 2000, 5000, 20000, 100000, 10000000}) {
        SCOPED_TRACE(more);
        needs.limit = least + more;
        const Placement p = gpu::place(program, needs);
        expect_sound(program, p);
        EXPECT_LE(p.bytes, needs.limit);
        EXPECT_GE(p.slice, before);
        before = p.slice;
    }
    EXPECT_GT(before, 1000);
}

TEST(Placement, TakesLargeProblemsOneByOne) {
    ProgramBuilder build(ScalarType::float64);
    const ValueId x = build.operand("X", 6000, 6000, true);
    const ValueId y = build.value(6000, 6000);
    build.step(Copy{use(x)}, y);
    build.output(y);
    Program program = build.finish();
    program.batch = 1000;
    const Placement p = gpu::place(program, {});
    EXPECT_EQ(p.slice, 1);
    EXPECT_GE(p.bytes, 6000LL * 6000 * 8);
    EXPECT_LT(p.bytes, 6000LL * 6000 * 8 + 4096);
}

TEST(Placement, RefusesWhatDoesNotFit63Bits) {
    ProgramBuilder build(ScalarType::float64);
    const ValueId x = build.operand("X", 3, 3, true);
    const ValueId y = build.value(3, 3);
    build.step(Copy{use(x)}, y);
    Program program = build.finish();
    PlacementNeeds needs;
    needs.scratch = {{std::int64_t{1} << 62, std::int64_t{1} << 62, false}};
    EXPECT_THROW((void)gpu::place(program, needs), ShapeError);
}

}  // namespace
}  // namespace matgrad::test
