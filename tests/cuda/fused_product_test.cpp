/// gemm and syrk on chip, against sums in long double.

#include <cmath>

#include "cuda/fused_bench.hpp"

namespace matgrad::test {
namespace {

class ChipProducts : public OnChip {};

constexpr std::int64_t kSizes[] = {0, 1, 2, 3, 7, 8, 16, 17, 31, 32, 33, 64, 65};
constexpr std::size_t kSizeCount = std::size(kSizes);
constexpr std::int64_t kBatch = 6;  // more than a block of warps has

/// The largest of kSizes that a team is given.
std::int64_t most_size(const ChipTeam& team) {
    return team.threads == 1 ? 17 : team.threads == 32 ? 33 : 65;
}

struct Product {
    ChipTeam team;
    std::int64_t m, n, k;
    bool a_transposed, b_transposed;
    ScalarType chip, computed;
    int added;  ///< 0: nothing, 1: another matrix, 2: what `out` holds
    gpu::KernelId kernel = 0;
};
constexpr double kAlpha = -1.5;
constexpr double kBeta = 0.75;

std::vector<Product> products() {
    std::vector<Product> all;
    std::size_t form = 0;
    const auto add = [&](const ChipTeam& team, std::int64_t m, std::int64_t n, std::int64_t k) {
        const ScalarType chip = form % 3 == 0 ? kFloat : kDouble;
        const ScalarType computed = form % 6 == 0 ? kDouble : chip;
        all.push_back({team, m, n, k, (form & 1U) != 0, (form & 2U) != 0, chip, computed,
                       static_cast<int>(form % 5) % 3});
        ++form;
    };
    for (const ChipTeam& team : kChipTeams) {
        const std::int64_t most = most_size(team);
        for (std::size_t i = 0; i < kSizeCount; ++i) {
            if (kSizes[i] <= most) {
                add(team, kSizes[i], std::min(most, kSizes[(5 * i + 3) % kSizeCount]),
                    std::min(most, kSizes[(7 * i + 6) % kSizeCount]));
            }
        }
    }
    add(kChipTeams[1], 65, 3, 8);
    add(kChipTeams[1], 2, 64, 17);
    // Whole tiles, whose rows are shared out in other ways.
    constexpr std::int64_t kWhole[][3] = {{64, 64, 5}, {32, 32, 9},  {64, 16, 4},
                                          {16, 64, 4}, {128, 32, 3}, {32, 128, 2}};
    for (const ChipTeam& team : kChipTeams) {
        for (const auto& [m, n, k] : kWhole) {
            if (team.threads >= 64 || (team.threads == 32 && m * n <= 1024)) {
                add(team, m, n, k);
            }
        }
    }
    return all;
}

std::string view(const char* name, bool transposed) {
    return transposed ? std::string(name) + ".t()" : name;
}

gpu::KernelId add_kernel(const Product& c, gpu::KernelSource& source) {
    ChipKernel kernel(c.team);
    const char* const type = chip_type(c.chip);
    kernel.matrix("a", type, c.a_transposed ? c.k : c.m, c.a_transposed ? c.m : c.k)
        .matrix("b", type, c.b_transposed ? c.n : c.k, c.b_transposed ? c.k : c.n)
        .matrix("out", type, c.m, c.n);
    if (c.added == 1) {
        kernel.matrix("c", type, c.m, c.n);
    }
    const char* const added = c.added == 1 ? "c" : "out";
    kernel.load("a", c.chip).load("b", c.chip).load(added, c.chip).sync();
    const std::string with =
        c.added == 0 ? "" : fmt::format("{}({}), {}, ", chip_type(c.computed), kBeta, added);
    kernel
        .call(fmt::format("gemm<Team, {0}>({0}({1}), {2}, {3}, {4}out)", chip_type(c.computed),
                          kAlpha, view("a", c.a_transposed), view("b", c.b_transposed), with))
        .sync()
        .store("out", c.chip);
    return kernel.add_to(source);
}

TEST_F(ChipProducts, AreThoseOfTheDefinitionInEveryShapeOnEveryTeam) {
    std::vector<Product> cases = products();
    gpu::KernelSource source;
    for (Product& c : cases) {
        c.kernel = add_kernel(c, source);
    }
    const gpu::Kernels kernels = kernels_of(source);
    for (const Product& c : cases) {
        SCOPED_TRACE(testing::Message()
                     << c.team.name << " " << c.m << "x" << c.n << "x" << c.k << " "
                     << c.a_transposed << c.b_transposed << " added " << c.added << " of "
                     << chip_type(c.chip) << " in " << chip_type(c.computed));
        OnDevice a(c.chip, kBatch, c.a_transposed ? c.k : c.m, c.a_transposed ? c.m : c.k);
        OnDevice b(c.chip, kBatch, c.b_transposed ? c.n : c.k, c.b_transposed ? c.k : c.n);
        OnDevice added(c.chip, kBatch, c.m, c.n);
        OnDevice out(c.chip, kBatch, c.m, c.n);
        a.host.fill_random(1);
        b.host.fill_random(2);
        added.host.fill_random(3);
        for (const std::uint64_t seed : kSeeds) {
            out.host.fill_random(4, 50, 60);
            (void)run(kernels, c.kernel, {&a, &b, &added, &out}, kBatch, seed);
            for (std::int64_t p = 0; p < kBatch && !HasFailure(); ++p) {
                for (std::int64_t r = 0; r < c.m; ++r) {
                    for (std::int64_t s = 0; s < c.n; ++s) {
                        long double sum = c.added == 0 ? 0 : kBeta * added.host.get(p, r, s);
                        long double size = std::abs(sum);
                        for (std::int64_t i = 0; i < c.k; ++i) {
                            const long double term =
                                kAlpha *
                                static_cast<long double>(c.a_transposed ? a.host.get(p, i, r)
                                                                        : a.host.get(p, r, i)) *
                                (c.b_transposed ? b.host.get(p, s, i) : b.host.get(p, i, s));
                            sum += term;
                            size += std::abs(term);
                        }
                        const long double bound =
                            ((c.k + 4) * unit(c.computed) + unit(c.chip)) * size;
                        ASSERT_LE(std::abs(out.host.get(p, r, s) - sum), bound)
                            << p << ": " << r << "," << s;
                    }
                }
            }
        }
    }
}

struct Square {
    ChipTeam team;
    std::int64_t n, k;
    bool transposed, mirror;
    ScalarType type;
    gpu::KernelId kernel = 0;
};

TEST_F(ChipProducts, WithTheTransposeAreOneTriangleOrBoth) {
    std::vector<Square> cases;
    for (const ChipTeam& team : kChipTeams) {
        for (std::size_t i = 0; i < kSizeCount; ++i) {
            if (kSizes[i] <= most_size(team)) {
                cases.push_back(
                    {team, kSizes[i], std::min(most_size(team), kSizes[(5 * i + 2) % kSizeCount]),
                     (i & 1U) != 0, (i & 2U) != 0 || i == 4, i % 3 == 0 ? kFloat : kDouble});
            }
        }
    }
    gpu::KernelSource source;
    for (Square& c : cases) {
        ChipKernel kernel(c.team);
        const char* const type = chip_type(c.type);
        c.kernel = kernel.matrix("a", type, c.transposed ? c.k : c.n, c.transposed ? c.n : c.k)
                       .matrix("out", type, c.n, c.n)
                       .load("a", c.type)
                       .load("out", c.type)
                       .sync()
                       .call(fmt::format("syrk<Team, {0}, {1}>({0}({2}), {3}, out)", type, c.mirror,
                                         kAlpha, view("a", c.transposed)))
                       .sync()
                       .store("out", c.type)
                       .add_to(source);
    }
    const gpu::Kernels kernels = kernels_of(source);
    for (const Square& c : cases) {
        SCOPED_TRACE(testing::Message() << c.team.name << " " << c.n << "x" << c.k << " "
                                        << c.transposed << " mirror " << c.mirror);
        OnDevice a(c.type, kBatch, c.transposed ? c.k : c.n, c.transposed ? c.n : c.k);
        OnDevice before(c.type, kBatch, c.n, c.n);
        OnDevice out(c.type, kBatch, c.n, c.n);
        a.host.fill_random(1);
        before.host.fill_random(2, 50, 60);
        const auto entry = [&](std::int64_t p, std::int64_t r, std::int64_t i) {
            return static_cast<long double>(c.transposed ? a.host.get(p, i, r)
                                                         : a.host.get(p, r, i));
        };
        for (const std::uint64_t seed : kSeeds) {
            (void)run(kernels, c.kernel, {&a, &before, &out}, kBatch, seed);
            for (std::int64_t p = 0; p < kBatch; ++p) {
                for (std::int64_t r = 0; r < c.n; ++r) {
                    for (std::int64_t s = 0; s < c.n; ++s) {
                        if (s > r && !c.mirror) {
                            ASSERT_EQ(out.host.get(p, r, s), before.host.get(p, r, s));
                            continue;
                        }
                        ASSERT_TRUE(!c.mirror || out.host.get(p, r, s) == out.host.get(p, s, r));
                        long double sum = 0;
                        long double size = 0;
                        for (std::int64_t i = 0; i < c.k; ++i) {
                            sum += kAlpha * entry(p, r, i) * entry(p, s, i);
                            size += std::abs(kAlpha * entry(p, r, i) * entry(p, s, i));
                        }
                        ASSERT_LE(std::abs(out.host.get(p, r, s) - sum),
                                  (c.k + 4) * unit(c.type) * size)
                            << p << ": " << r << "," << s;
                    }
                }
            }
        }
    }
}

/// The additions of an entry are in order of the inner size, so teams do not matter.
TEST_F(ChipProducts, HaveTheSameBitsOnEveryTeam) {
    std::vector<Product> cases;
    gpu::KernelSource source;
    for (const ChipTeam& team : kChipTeams) {
        cases.push_back({team, 9, 14, 17, false, true, kFloat, kFloat, 0});
        cases.back().kernel = add_kernel(cases.back(), source);
    }
    const gpu::Kernels kernels = kernels_of(source);
    OnDevice a(kFloat, kBatch, 9, 17);
    OnDevice b(kFloat, kBatch, 14, 17);
    OnDevice unused(kFloat, kBatch, 9, 14);
    OnDevice out(kFloat, kBatch, 9, 14);
    a.host.fill_random(1);
    b.host.fill_random(2);
    (void)run(kernels, cases[0].kernel, {&a, &b, &unused, &out}, kBatch);
    const Matrices want = out.host;
    for (const Product& c : cases) {
        (void)run(kernels, c.kernel, {&a, &b, &unused, &out}, kBatch);
        for (std::int64_t p = 0; p < kBatch; ++p) {
            EXPECT_TRUE(out.host.same_bits(p, want, p)) << c.team.name << " problem " << p;
        }
    }
}

}  // namespace
}  // namespace matgrad::test
