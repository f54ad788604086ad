/// Which values are computed in the memory of the result that they become, and which a step may consume.

#include <gtest/gtest.h>

#include "cuda/library/in_place.hpp"
#include "executors/build_program.hpp"

namespace matgrad::test {
namespace {

using gpu::InPlace;

/// Two solves, the second of which is a result.
struct TwoSolves {
    ProgramBuilder build{ScalarType::float64};
    ValueId triangle = build.operand("L", 4, 4, true);
    ValueId b = build.operand("B", 4, 3, true);
    ValueId half = build.value(4, 3);
    ValueId out = build.value(4, 3);

    explicit TwoSolves(const Use& second) {
        build.step(Trsm{Side::left, true, false, use(triangle), use(b)}, half);
        build.step(Trsm{Side::left, true, true, use(triangle), second}, out);
    }
    TwoSolves() : TwoSolves(Use{2}) {}
    /// `out` is written straight to the result, as the planner has it.
    [[nodiscard]] Program finish() {
        build.output(out);
        Program program = build.finish();
        program.value(out).output = 0;
        return program;
    }
};

TEST(InPlace, ASolveGoesOnInTheMemoryOfItsResult) {
    TwoSolves solves;
    const Program program = solves.finish();
    const InPlace in_place(program);
    EXPECT_EQ(in_place.home(solves.half), solves.out);
    EXPECT_EQ(in_place.home(solves.out), solves.out);
    EXPECT_EQ(in_place.home(solves.b), solves.b);  // the caller's
    EXPECT_TRUE(in_place.may_consume(program.steps[1], use(solves.half)));
    EXPECT_FALSE(in_place.may_consume(program.steps[0], use(solves.b)));
}

TEST(InPlace, AChainOfStepsHasOneHome) {
    TwoSolves solves;
    const ValueId third = solves.build.value(4, 3);
    const ValueId c = solves.build.operand("C", 4, 3, true);
    solves.build.step(Gemm{use(solves.triangle), use(c), 1, 2, use(solves.out)}, third);
    solves.build.output(third);
    Program program = solves.build.finish();
    program.value(third).output = 0;
    const InPlace in_place(program);
    EXPECT_EQ(in_place.home(solves.half), third);
    EXPECT_EQ(in_place.home(solves.out), third);
    // A product that does not add reads nothing in place.
    std::get<Gemm>(program.steps[2].operation).beta = 0;
    EXPECT_EQ(InPlace(program).home(solves.out), solves.out);
}

TEST(InPlace, WhatOthersReadHasAHomeOfItsOwn) {
    TwoSolves solves;
    const ValueId copy = solves.build.value(4, 3);
    solves.build.step(Copy{use(solves.half)}, copy);
    solves.build.output(copy);
    const Program program = solves.finish();
    EXPECT_EQ(InPlace(program).home(solves.half), solves.half);
    EXPECT_FALSE(InPlace(program).may_consume(program.steps[1], use(solves.half)));
}

TEST(InPlace, WhatIsAResultItselfHasAHomeOfItsOwn) {
    TwoSolves solves;
    solves.build.output(solves.half);
    const Program program = solves.finish();
    EXPECT_EQ(InPlace(program).home(solves.half), solves.half);
}

TEST(InPlace, OfAnotherTypeOrThroughAViewIsNotPossible) {
    TwoSolves wide;
    Program program = wide.finish();
    program.value(wide.half).type = ScalarType::float32;
    EXPECT_EQ(InPlace(program).home(wide.half), wide.half);
    // Of another type it has no home in the result, but the step may work where it is.
    EXPECT_TRUE(InPlace(program).may_consume(program.steps[1], use(wide.half)));

    TwoSolves row(Use{2, false, 1, -1});
    const Program sliced = row.finish();
    EXPECT_EQ(InPlace(sliced).home(row.half), row.half);
    EXPECT_FALSE(InPlace(sliced).may_consume(sliced.steps[1], Use{2, false, 1, -1}));
}

TEST(InPlace, SharedValuesAndFactorsStayWhereTheyAre) {
    ProgramBuilder build(ScalarType::float64);
    const ValueId s = build.operand("S", 3, 3, true);
    const ValueId a = build.value(3, 3);
    build.step(Copy{use(s)}, a);
    const ValueId l = build.value(3, 3);
    build.step(Potrf{use(a)}, l);
    build.output(l);
    Program program = build.finish();
    program.value(l).output = 0;
    EXPECT_EQ(InPlace(program).home(a), a);  // a factor's layout is the library's

    TwoSolves once;
    Program shared = once.finish();
    shared.values[static_cast<std::size_t>(once.half)].scope = Scope::shared;
    EXPECT_EQ(InPlace(shared).home(once.half), once.half);
}

}  // namespace
}  // namespace matgrad::test
