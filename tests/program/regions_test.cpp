// A Program run by its regions, panel by panel, gives what it gives step by step, from what regions say is read, and in the
// bytes that they say it takes.

#include "program/regions.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <iostream>

#include "matgrad/calculus.hpp"
#include "planner/hand_program.hpp"
#include "planner/plan_support.hpp"
#include "program/region_interpreter.hpp"
#include "road/random_function.hpp"
#include "support/cookbook.hpp"
#include "support/functions.hpp"
#include "support/scatter.hpp"

namespace matgrad::testing {
namespace {

using Matrix = Eigen::MatrixXd;

/// What the runs of many Programs came to.
struct Tally {
    int programs = 0, compared = 0, in_panels = 0, ragged = 0, again = 0, stored = 0, kept = 0;
    int unfit = 0, roots = 0, offsets = 0, two_dimensions = 0;
};

PlanRequest request_of(const Expr& f, const std::string& wrt, const Dims& dims,
                       const std::set<std::string>& shared) {
    PlanRequest request;
    request.batch = 100;
    request.outputs.push_back({OutputKind::value, {}, f, {}});
    request.outputs.push_back(
        {OutputKind::gradient, wrt, derive(f, {wrt}).gradients.front().form, {}});
    request.symbols = symbols(f);
    for (const Declaration& d : request.symbols) {
        const auto size = [&](const Dim& dim) {
            return dim.name.empty() ? dim.size : dims.at(dim.name);
        };
        request.operands.push_back(
            {d.name, size(d.shape.rows), size(d.shape.cols), shared.count(d.name) == 0});
    }
    return request;
}

/// Operands, those moved by `step` one way or another, and what shared steps make of them.
ValueMap memory_of(const Program& program, const Operands& operands, double step = 0,
                   std::uint64_t way = 1) {
    ValueMap memory;
    std::uint64_t state = way;
    for (const ProgramOperand& o : program.operands) {
        Matrix m = operands.at(o.name);
        for (Eigen::Index i = 0; i < m.size(); ++i) {
            state = state * 6364136223846793005ULL + 1442695040888963407ULL;
            m.data()[i] *= 1 + ((state >> 40) % 2 != 0 ? step : -step);
        }
        memory[o.value] = m;
    }
    run_shared(program, memory);
    return memory;
}

/// The largest entry, NaN and infinity left out; -1 if there is no other.
double size_of_entries(const Matrix& m) {
    double most = -1;
    for (Eigen::Index i = 0; i < m.size(); ++i) {
        most = std::isfinite(m.data()[i]) ? std::max(most, std::abs(m.data()[i])) : most;
    }
    return most;
}

void count_kinds(const Regions& regions, Tally& tally) {
    bool in_panels = false;
    bool is_ragged = false;
    bool again = false;
    std::set<std::string> dimensions;
    for (const Pass& pass : regions.passes) {
        in_panels = in_panels || pass.panels() > 1;
        is_ragged = is_ragged || (pass.panel > 0 && pass.dimension.size % pass.panel != 0);
        if (pass.dimension.size > 0) {
            dimensions.insert(pass.dimension.name);
        }
        for (const PanelStep& step : pass.steps) {
            again = again || step.again;
            tally.offsets += step.needs_offset;
        }
    }
    tally.in_panels += in_panels;
    tally.ragged += is_ragged;
    tally.again += again;
    tally.kept += !regions.kept.empty();
    tally.stored += regions.bytes_written > regions.least_written;
    tally.unfit += !regions.fits;
    tally.two_dimensions += dimensions.size() > 1;
}

/// A Program run step by step, of operands and of others close by.
struct Expected {
    ValueMap memory;
    WholeRun whole;
    std::vector<WholeRun> moved;

    Expected(const Program& program, const Operands& operands)
        : memory(memory_of(program, operands)), whole(run_whole(program, memory)) {
        constexpr std::uint64_t kWays = 4;
        for (std::uint64_t way = 1; way <= kWays; ++way) {
            moved.push_back(
                run_whole(program, memory_of(program, operands, std::ldexp(1.0, -30), way)));
        }
    }

    /// The most that a result has moved, in parts of its size. A bound of errors is a difference of two
    /// results, of that size or less: roundings of either move it.
    [[nodiscard]] double relative_movement(const Program& program) const {
        double most = 0;
        for (const ProgramOutput& output : program.outputs) {
            const auto found = whole.values.find(output.value);
            if (output.kind != OutputKind::error && found != whole.values.end()) {
                most = std::max(most, movement(output.value) / size_of_entries(found->second));
            }
        }
        return most;
    }

    /// The most that an entry of the value has moved.
    [[nodiscard]] double movement(ValueId value) const {
        double most = 0;
        for (const WholeRun& run : moved) {
            const auto found = run.values.find(value);
            if (found != run.values.end()) {
                most = std::max(most, size_of_entries(found->second - whole.values.at(value)));
            }
        }
        return most;
    }
};

bool is_error_bound(const Program& program, ValueId value) {
    return std::any_of(program.outputs.begin(), program.outputs.end(),
                       [value](const ProgramOutput& output) {
                           return output.value == value && output.kind == OutputKind::error;
                       });
}

/// Sums in another order move a result by roundings: by no more than moving the operands by many of them does.
void expect_same_results(const Program& program, const Expected& expected_run,
                         const RegionLimits& limits, Tally& tally) {
    const Regions regions = find_regions(program, limits);
    const WholeRun& whole = expected_run.whole;
    const RegionRun run = run_regions(program, regions, expected_run.memory);
    ++tally.programs;
    count_kinds(regions, tally);
    tally.roots += run.roots_again;
    if (whole.status != 0) {
        return;  // in another order a pivot that is nothing but roundings may pass
    }
    EXPECT_EQ(run.status, 0) << to_text(program);
    EXPECT_EQ(run.bytes, regions.bytes) << to_text(program, regions);
    EXPECT_EQ(run.bytes_read, regions.bytes_read);
    EXPECT_EQ(run.bytes_written, regions.bytes_written);
    EXPECT_EQ(regions.fits, regions.bytes <= limits.bytes);
    for (const Pass& pass : regions.passes) {
        for (const Transfer& write : pass.writes) {
            const Matrix& expected = whole.values.at(write.value);
            const Matrix& found = run.memory.at(write.value);
            ASSERT_EQ(found.rows(), expected.rows());
            ASSERT_EQ(found.cols(), expected.cols());
            const double scale = size_of_entries(expected);
            const double movement = is_error_bound(program, write.value)
                                        ? expected_run.relative_movement(program)
                                        : expected_run.movement(write.value);
            const double bound = 1e-13 * (1 + scale) + 1e-3 * movement;
            for (Eigen::Index i = 0; i < found.size(); ++i) {
                const double a = found.data()[i];
                const double b = expected.data()[i];
                ASSERT_EQ(std::isfinite(a), std::isfinite(b)) << to_text(program, regions);
                if (std::isfinite(a)) {
                    ASSERT_LE(std::abs(a - b), bound)
                        << to_text(program) << to_text(program, regions) << "\nvalue "
                        << write.value << "\n"
                        << found << "\nexpected\n"
                        << expected;
                }
            }
            ++tally.compared;
        }
    }
}

/// With room for what needs least, and for more.
void expect_same_by_limits(const PlanRequest& request, std::uint64_t seed, Tally& tally) {
    const Program program = make_program(request);
    const Expected expected(program, random_problems(request, 1, seed).front());
    const Regions unlimited = find_regions(program, {std::int64_t{1} << 40});
    EXPECT_TRUE(unlimited.fits);
    EXPECT_LE(unlimited.passes.size(), 1U);
    EXPECT_EQ(unlimited.bytes_read, unlimited.least_read);
    EXPECT_EQ(unlimited.bytes_written, unlimited.least_written);
    const std::int64_t least = find_regions(program, {0}).bytes;
    EXPECT_LE(least, unlimited.bytes);
    for (const double share : {0.0, 0.05, 0.2, 0.6}) {
        const auto bytes =
            least + static_cast<std::int64_t>(share * static_cast<double>(unlimited.bytes - least));
        EXPECT_TRUE(find_regions(program, {bytes}).fits);
        SCOPED_TRACE("limit " + std::to_string(bytes));
        const double operations_per_byte = share == 0.05 ? 0.1 : 100;
        expect_same_results(program, expected, {bytes, operations_per_byte}, tally);
        if (::testing::Test::HasFailure()) {
            return;
        }
    }
}

const Dims kSizes[] = {
    {{"m", 19}, {"n", 5}, {"p", 7}, {"q", 3}, {"k", 6}},
    {{"m", 17}, {"n", 14}, {"p", 22}, {"q", 9}, {"k", 5}},
};

void print(const char* what, const Tally& t) {
    std::cout << what << ": " << t.programs << " regions, " << t.compared << " results, "
              << t.in_panels << " in panels, " << t.ragged << " ragged, " << t.again
              << " with steps again, " << t.stored << " stored, " << t.kept << " kept, "
              << t.two_dimensions << " of two dimensions, " << t.unfit << " that do not fit, "
              << t.roots << " roots again, " << t.offsets << " steps by place\n";
}

TEST(Regions, GiveWhatEveryRowOfTheCookbookGives) {
    Tally tally;
    for (const CookbookRow& row : read_cookbook()) {
        SCOPED_TRACE(row.f + " wrt " + row.wrt);
        const Expr f = parse(row.f, row.declarations);
        for (const Dims& dims : kSizes) {
            expect_same_by_limits(request_of(f, row.wrt, dims, {}), 1, tally);
            expect_same_by_limits(request_of(f, row.wrt, dims, {row.declarations.front().name}), 1,
                                  tally);
        }
        ASSERT_FALSE(HasFailure());
    }
    print("cookbook", tally);
    EXPECT_GT(tally.in_panels, tally.programs / 8);
    EXPECT_GT(tally.ragged, 100);
    EXPECT_GT(tally.kept, 0);
    EXPECT_GT(tally.again, 0);
    EXPECT_GT(tally.stored, 0);
}

TEST(Regions, GiveWhatEveryOperationOfTheLanguageGives) {
    Tally tally;
    for (const FunctionCase& c : kFunctions) {
        SCOPED_TRACE(c.f);
        const Expr f = parse(c.f, parse_declarations(c.declarations));
        for (const Dims& dims : kSizes) {
            expect_same_by_limits(request_of(f, c.wrt, dims, {}), 1, tally);
        }
        ASSERT_FALSE(HasFailure());
    }
    print("functions", tally);
    EXPECT_GT(tally.in_panels, tally.programs / 8);
    EXPECT_GT(tally.offsets, 0);
}

/// Where the four functions of the benchmark and others have several passes.
const FunctionCase kLong[] = {
    {"norm2(A*x - b)^2", "x", "A=m,n x=n b=m"},
    {"logdet(X'*X)", "X", "X=m,n"},
    {"0.5*norm2(X*A')^2", "X", "X=m,n A=p,n"},
    {"tr(A*X*B)", "X", "A=p,m X=m,n B=n,p"},
    {"logdet(exp(X)'*exp(X))", "X", "X=m,n"},
    {"logdet((A.*X)'*(A.*X)) + sum(X*B)", "X", "A=m,n X=m,n B=n,p"},
    {"logsumexp(A*x) - b'*x", "x", "A=m,n x=n b=n"},
    {"logsumexp(X) + norm2(X*A)", "X", "X=m,n A=n,p"},
    {"tr(inv(A + X*X')) + 0.1*sum(exp(X))", "X", "A=n,n:spd X=n,m"},
    {"tr(X'*A*X) + x'*A*x", "X", "X=m,n A=m,m:sym x=m"},
    {"sum(rowsum(X).^2) + sum(colsum(X).^3) + max(norm1(X), norm2(X))", "X", "X=m,n"},
    {"logdet(A'*A) + norm2(X*A')^2 + tr(X'*X)", "X", "X=q,n A=m,n"},
};

TEST(Regions, GiveWhatLongMatricesGive) {
    Tally tally;
    for (const FunctionCase& c : kLong) {
        SCOPED_TRACE(c.f);
        const Expr f = parse(c.f, parse_declarations(c.declarations));
        for (const ScalarType type : {ScalarType::float32, ScalarType::float64}) {
            PlanRequest request = request_of(
                f, c.wrt,
                {{"m", type == ScalarType::float32 ? 61 : 64}, {"n", 5}, {"p", 6}, {"q", 35}}, {});
            request.type = type;
            expect_same_by_limits(request, 1, tally);
        }
        ASSERT_FALSE(HasFailure());
    }
    print("long", tally);
    EXPECT_GT(tally.in_panels, tally.programs * 3 / 4);
    EXPECT_GT(tally.roots, 0);
    EXPECT_GT(tally.again, 0);
    EXPECT_GT(tally.stored, 0);
    EXPECT_GT(tally.kept, 0);
    EXPECT_GT(tally.two_dimensions, 0);
}

/// Is it more than what roundings leave of terms that cancel, as in a division by rowlogsumexp(X - rowlogsumexp(X))?
bool is_determined(const Expr& e, const Expr& f, const Dims& dims, std::uint64_t seed) {
    const MatrixMap values = random_values(symbols(f), dims, seed);
    const double size = evaluate_reference(e, values, dims).stableNorm();
    return !std::isfinite(size) || scatter(e, values, dims, 1e-12) <= 1e-3 * size;
}

TEST(Regions, GiveWhatRandomFunctionsGive) {
    Tally tally;
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        const RandomFunction draw = random_function(seed);
        if (!draw.f) {
            continue;
        }
        const bool is_summed = seed % 3 == 0;
        const Dims dims{{"m", seed % 2 == 0 ? 18 : 9}, {"n", 7}};
        PlanRequest request =
            request_of(draw.f, draw.wrt, dims,
                       is_summed ? std::set<std::string>{draw.wrt} : std::set<std::string>{});
        set_summed(request, is_summed);
        if (!is_determined(draw.f, draw.f, dims, seed) ||
            !is_determined(request.outputs.back().form, draw.f, dims, seed)) {
            continue;
        }
        request.error = seed % 25 == 0;  // perturbed steps, by their places
        request.jitter = seed % 25 == 1;
        request.type = seed % 5 == 0 ? ScalarType::float32 : ScalarType::float64;
        expect_same_by_limits(request, seed, tally);
        if (HasFailure()) {
            break;  // one is enough to read
        }
    }
    print("random", tally);
    EXPECT_GT(tally.in_panels, tally.programs / 8);
    EXPECT_GT(tally.compared, tally.programs / 2);
    EXPECT_GT(tally.offsets, 0);
}

}  // namespace
}  // namespace matgrad::testing
