/// Which functions one kernel does, on which teams, and what its text depends on. Nothing is compiled.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

#include "cuda/fused/source.hpp"
#include "cuda/fused_programs.hpp"
#include "matgrad/catalogue.hpp"
#include "support/environment.hpp"

namespace matgrad {
namespace {

using Sizes = test::ProgramSizes;
using test::kMostBlockBytes;

Program program_of(const Expr& f, const std::string& wrt, const Sizes& sizes, ScalarType type) {
    PlanOptions options;
    options.type = type;
    return test::program_of(f, wrt, sizes, options);
}

/// Empty where it fuses.
std::string why_not(const Program& program) {
    gpu::FusedDescription what = gpu::describe_fused(program);
    return what.is_fused()
               ? gpu::configure_fused(program, what, gpu::Thresholds::of(9), kMostBlockBytes).reason
               : what.reason;
}

class Tally {
public:
    void add(const std::string& name, const Expr& f, const std::string& wrt, const Sizes& sizes,
             ScalarType type) {
        const std::string reason = why_not(program_of(f, wrt, sizes, type));
        ++made_;
        if (!reason.empty()) {
            others_.push_back(fmt::format("{} {}: {}", name, to_text(f), reason));
        }
    }
    /// `percent` of them fuse. Prints those that do not.
    void expect_at_least(std::size_t percent) const {
        for (const std::string& other : others_) {
            fmt::print("not fused: {}\n", other);
        }
        fmt::print("{} of {} fuse\n", made_ - others_.size(), made_);
        EXPECT_GE((made_ - others_.size()) * 100, percent * made_);
    }

private:
    std::size_t made_ = 0;
    std::vector<std::string> others_;
};

constexpr ScalarType kBothTypes[] = {ScalarType::float32, ScalarType::float64};

TEST(Fusing, IsDoneForNineteenOfTwentyRowsUpTo64) {
    Tally tally;
    const Sizes all_sizes[] = {{{"m", 7}, {"n", 3}, {"p", 5}, {"q", 2}},
                               {{"m", 33}, {"n", 17}, {"p", 64}, {"q", 9}},
                               {{"m", 64}, {"n", 64}, {"p", 64}, {"q", 64}}};
    for (const CookbookRow& row : read_cookbook()) {
        for (const Sizes& sizes : all_sizes) {
            for (const ScalarType type : kBothTypes) {
                tally.add(fmt::format("m={} {}", sizes.at("m"),
                                      type == ScalarType::float32 ? "float" : "double"),
                          parse(row.f, row.declarations), row.wrt, sizes, type);
            }
        }
    }
    tally.expect_at_least(95);
}

TEST(Fusing, IsDoneForNineteenOfTwentyRandomFunctionsUpTo64) {
    Tally tally;
    std::mt19937_64 random(5);
    int drawn = 0;
    for (std::uint64_t seed = 1; drawn < 200; ++seed) {
        const RandomFunction draw = random_function(seed);
        if (!draw.f) {
            continue;
        }
        ++drawn;
        const Sizes sizes = {{"m", static_cast<std::int64_t>(1 + random() % 64)},
                             {"n", static_cast<std::int64_t>(1 + random() % 64)}};
        for (const ScalarType type : kBothTypes) {
            tally.add(fmt::format("seed {} m={} n={} {}", seed, sizes.at("m"), sizes.at("n"),
                                  type == ScalarType::float32 ? "float" : "double"),
                      draw.f, draw.wrt, sizes, type);
        }
    }
    tally.expect_at_least(95);
}

std::string text_of(const Program& program) {
    gpu::FusedDescription what = gpu::describe_fused(program);
    return gpu::fused_text(
        program, what,
        gpu::configure_fused(program, what, gpu::Thresholds::of(9), kMostBlockBytes));
}

TEST(FusedText, IsTheSameForABatchOfAnyLengthAndSoIsItsTime) {
    for (const CatalogueEntry& entry : catalogue()) {
        Sizes sizes;
        const Expr f =
            parse(std::string(entry.text), parse_declarations(std::string(entry.declarations)));
        for (const Declaration& d : symbols(f)) {
            for (const Dim& dim : {d.shape.rows, d.shape.cols}) {
                sizes[dim.name] = 6;
            }
        }
        Program program = program_of(f, std::string(entry.wrt), sizes, ScalarType::float64);
        const std::string text = text_of(program);
        ASSERT_FALSE(text.empty());
        for (const std::int64_t batch : {std::int64_t{1}, std::int64_t{1} << 50}) {
            program.batch = batch;  // a step of work for each problem would never end
            EXPECT_EQ(text_of(program), text) << entry.name;
        }
    }
}

gpu::FusedConfiguration configured(const char* threads, std::int64_t n) {
    const test::Environment environment({{"MATGRAD_GPU_FUSED_THREADS", threads}});
    const Program program =
        program_of(parse("logdet(X'*X)"), "X", {{"m", 2 * n}, {"n", n}}, ScalarType::float32);
    gpu::FusedDescription what = gpu::describe_fused(program);
    return gpu::configure_fused(program, what, gpu::Thresholds::of(9), kMostBlockBytes);
}

TEST(FusedTeams, AreThoseThatAreAskedForOrTheNextThatCanHaveTheProblem) {
    struct Wanted {
        const char* asked;
        std::int64_t n;
        int threads;
    };
    const Wanted all[] = {{"1", 5, 1},     {"1", 17, 32},    {"1", 40, 64},   {"32", 5, 32},
                          {"32", 32, 32},  {"32", 33, 64},   {"64", 5, 64},   {"64", 70, 64},
                          {"128", 5, 128}, {"128", 70, 128}, {"256", 5, 256}, {"256", 70, 256},
                          {"0", 3, 1}};
    for (const Wanted& wanted : all) {
        const gpu::FusedConfiguration got = configured(wanted.asked, wanted.n);
        EXPECT_EQ(got.reason, "");
        EXPECT_EQ(got.threads, wanted.threads) << wanted.asked << " threads, order " << wanted.n;
        EXPECT_LE(got.block_bytes(), kMostBlockBytes);
    }
}

}  // namespace
}  // namespace matgrad
