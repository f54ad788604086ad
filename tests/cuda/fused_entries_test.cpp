/// Reductions of what is on chip, against loops in long double.

#include <cmath>
#include <limits>

#include "cuda/fused_bench.hpp"

namespace matgrad::test {
namespace {

class ChipEntries : public OnChip {};

constexpr std::int64_t kBatch = 5;

/// A kernel that makes all these of a matrix: in this order its results.
struct Reductions {
    ChipTeam team;
    std::int64_t m, n;
    ScalarType type;
    gpu::KernelId kernel = 0;
};

gpu::KernelId add_kernel(const Reductions& c, gpu::KernelSource& source) {
    ChipKernel kernel(c.team);
    const char* const type = chip_type(c.type);
    const auto one = [&](const char* name, const std::string& value) {
        kernel.matrix(name, type, 1, 1).call(fmt::format("set_one<Team>({}, {})", name, value));
    };
    const auto each = [&](const char* name, const char* op, bool rows) {
        kernel.matrix(name, type, rows ? c.m : 1, rows ? 1 : c.n)
            .call(fmt::format("reduce_each<Team, {0}, {1}, {2}, {3}>([&](int i, int k) {{ return "
                              "a.get({4}); }}, [&](int i, {1} x) {{ set_number({5}, i, x); }})",
                              op, type, rows ? c.m : c.n, rows ? c.n : c.m, rows ? "i, k" : "k, i",
                              name));
    };
    kernel.matrix("a", type, c.m, c.n).load("a", c.type).sync();
    const std::string entry = fmt::format("[&](int i) {{ return a.get(i / {0}, i % {0}); }}",
                                          std::max<std::int64_t>(1, c.n));
    const std::int64_t count = c.m * c.n;
    one("sum", fmt::format("reduce_all<Team, Sum, {}, {}>({})", type, count, entry));
    one("largest", fmt::format("reduce_all<Team, Max, {}, {}>({})", type, count, entry));
    one("norm", fmt::format("norm_of_all<Team, {}, {}>({})", type, count, entry));
    const std::string diagonal = "[&](int i) { return a.get(i, i); }";
    kernel.matrix("pivots", "int", std::min(c.m, c.n), 1)
        .call("set_each<Team>(pivots, [&](int r, int) { return a.get(r, r) > 0 ? r : r + 1; })")
        .sync();
    one("product",
        fmt::format("sign_of_swaps<Team, {0}>(pivots) * reduce_all<Team, Product, {0}, {1}>({2})",
                    type, std::min(c.m, c.n), diagonal));
    each("row_sums", "Sum", true);
    each("row_max", "Max", true);
    each("col_sums", "Sum", false);
    each("col_max", "Max", false);
    kernel.sync();
    for (const char* name :
         {"sum", "largest", "norm", "product", "row_sums", "row_max", "col_sums", "col_max"}) {
        kernel.store(name, c.type);
    }
    return kernel.add_to(source);
}

std::vector<Reductions> reductions() {
    constexpr std::int64_t kShapes[][2] = {{1, 1},  {1, 8},   {9, 1},   {3, 64}, {31, 33},
                                           {64, 3}, {33, 2},  {2, 100}, {5, 5},  {17, 16},
                                           {65, 1}, {40, 32}, {0, 3},   {3, 0}};
    std::vector<Reductions> all;
    for (const ChipTeam& team : kChipTeams) {
        for (std::size_t i = 0; i < std::size(kShapes); ++i) {
            // Every shape in one of the types, in three of the teams.
            if ((i + static_cast<std::size_t>(&team - kChipTeams)) % 5 < 3) {
                all.push_back({team, kShapes[i][0], kShapes[i][1], i % 2 == 0 ? kFloat : kDouble});
            }
        }
    }
    return all;
}

/// What several numbers give.
struct Joined {
    long double sum = 0, size = 0, squares = 0, product = 1;
    double largest = -std::numeric_limits<double>::infinity();
    std::int64_t count = 0;

    void add(double x) {
        sum += x;
        size += std::abs(static_cast<long double>(x));
        squares += static_cast<long double>(x) * x;
        product *= x;
        largest = std::isnan(x) || x > largest ? x : largest;
        ++count;
    }
};

void expect_same(double got, double want) {
    if (std::isnan(want)) {
        EXPECT_TRUE(std::isnan(got)) << got;
    } else {
        EXPECT_EQ(got, want);
    }
}

void expect_sum(double got, const Joined& want, ScalarType type) {
    if (!std::isfinite(static_cast<double>(want.sum))) {
        expect_same(got, static_cast<double>(want.sum));
        return;
    }
    EXPECT_LE(std::abs(got - want.sum), (want.count + 1) * unit(type) * want.size);
}

/// Numbers of several kinds: of size 1; with a NaN in places; whose squares are out of range, above and below.
enum class Numbers { plain, with_nan, huge, tiny };

void fill(Matrices& a, ScalarType type, Numbers numbers, std::uint32_t seed) {
    a.fill_random(seed);
    const double power = (type == kFloat ? 30.0 : 200.0) * (numbers == Numbers::tiny ? -1 : 1);
    for (std::int64_t p = 0; p < kBatch; ++p) {
        for (std::int64_t r = 0; r < a.rows(); ++r) {
            for (std::int64_t c = 0; c < a.cols(); ++c) {
                if (numbers == Numbers::huge || numbers == Numbers::tiny) {
                    a.set(p, r, c, a.get(p, r, c) * std::pow(10.0, power));
                } else if (numbers == Numbers::with_nan && (r * 7 + c + p) % 11 == 3) {
                    a.set(p, r, c, std::numeric_limits<double>::quiet_NaN());
                }
            }
        }
    }
}

void expect_reductions(const Reductions& c, const Matrices& a, std::vector<OnDevice>& got,
                       Numbers numbers) {
    const auto result = [&](std::size_t which, std::int64_t p, std::int64_t i) {
        const Matrices& m = got[which].host;
        return m.rows() == 1 ? m.get(p, 0, i) : m.get(p, i, 0);
    };
    for (std::int64_t p = 0; p < kBatch; ++p) {
        Joined all;
        Joined diagonal;
        std::vector<Joined> rows(static_cast<std::size_t>(c.m));
        std::vector<Joined> cols(static_cast<std::size_t>(c.n));
        int swaps = 0;
        for (std::int64_t r = 0; r < c.m; ++r) {
            for (std::int64_t s = 0; s < c.n; ++s) {
                const double x = a.get(p, r, s);
                all.add(x);
                rows[static_cast<std::size_t>(r)].add(x);
                cols[static_cast<std::size_t>(s)].add(x);
                if (r == s) {
                    diagonal.add(x);
                    swaps += x > 0 ? 0 : 1;
                }
            }
        }
        expect_sum(result(0, p, 0), all, c.type);
        expect_same(result(1, p, 0), all.largest);
        const long double norm = std::sqrt(all.squares);
        if (std::isnan(norm)) {
            EXPECT_TRUE(std::isnan(result(2, p, 0)));
        } else {
            EXPECT_LE(std::abs(result(2, p, 0) - norm), (c.m * c.n + 4) * unit(c.type) * norm);
        }
        if (numbers == Numbers::plain) {
            const long double product = diagonal.product * (swaps % 2 == 0 ? 1 : -1);
            EXPECT_LE(std::abs(result(3, p, 0) - product),
                      (diagonal.count + 1) * unit(c.type) * std::abs(product) +
                          (c.type == kFloat ? std::numeric_limits<float>::min() : 0));
        }
        for (std::int64_t r = 0; r < c.m; ++r) {
            expect_sum(result(4, p, r), rows[static_cast<std::size_t>(r)], c.type);
            expect_same(result(5, p, r), rows[static_cast<std::size_t>(r)].largest);
        }
        for (std::int64_t s = 0; s < c.n; ++s) {
            expect_sum(result(6, p, s), cols[static_cast<std::size_t>(s)], c.type);
            expect_same(result(7, p, s), cols[static_cast<std::size_t>(s)].largest);
        }
    }
}

TEST_F(ChipEntries, AreReducedByAllRowsColumnsAndTheDiagonal) {
    gpu::KernelSource source;
    std::vector<Reductions> cases = reductions();
    for (Reductions& c : cases) {
        c.kernel = add_kernel(c, source);
    }
    const gpu::Kernels kernels = kernels_of(source);
    for (const Reductions& c : cases) {
        for (const Numbers numbers :
             {Numbers::plain, Numbers::with_nan, Numbers::huge, Numbers::tiny}) {
            SCOPED_TRACE(testing::Message()
                         << c.team.name << " " << c.m << "x" << c.n << " of " << chip_type(c.type)
                         << ", numbers " << static_cast<int>(numbers));
            OnDevice a(c.type, kBatch, c.m, c.n);
            fill(a.host, c.type, numbers, 1 + static_cast<std::uint32_t>(numbers));
            std::vector<OnDevice> results;
            for (int i = 0; i < 4; ++i) {
                results.emplace_back(c.type, kBatch, 1, 1);
            }
            for (int i = 0; i < 4; ++i) {
                results.emplace_back(c.type, kBatch, i < 2 ? c.m : 1, i < 2 ? 1 : c.n);
            }
            std::vector<OnDevice*> matrices = {&a};
            for (OnDevice& result : results) {
                matrices.push_back(&result);
            }
            std::vector<Matrices> first;
            for (const std::uint64_t seed : kSeeds) {
                (void)run(kernels, c.kernel, matrices, kBatch, seed);
                if (first.empty()) {
                    expect_reductions(c, a.host, results, numbers);
                    for (const OnDevice& result : results) {
                        first.push_back(result.host);
                    }
                }
                for (std::size_t i = 0; i < results.size(); ++i) {
                    for (std::int64_t p = 0; p < kBatch; ++p) {
                        EXPECT_TRUE(results[i].host.same_bits(p, first[i], p))
                            << "in another order of the threads";
                    }
                }
            }
            if (HasFailure()) {
                return;
            }
        }
    }
}

}  // namespace
}  // namespace matgrad::test
