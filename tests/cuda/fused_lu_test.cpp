/// LU factors on chip and what is solved from them, by what they give when they are multiplied back, and
/// against a factorization by the definition.

#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

#include "cuda/primitive_bench.hpp"

extern "C" {
void dgetrf_(const int* m, const int* n, double* a, const int* lda, int* pivots, int* info);
}

namespace matgrad::simulated {
namespace {

class FusedLu : public SimulatedTest {};

struct LuCase {
    PrimitiveTeam team;
    std::size_t n = 0;
    bool is_double = true;
    bool in_place = true;
    bool zero_fails = true;
    bool wide = false;
    std::string kernel = {};
};

struct SolveCase {
    PrimitiveTeam team;
    std::size_t n = 0;
    std::size_t sides = 0;  ///< 0: of the identity
    bool is_double = true;
    bool in_place = true;
    bool left = true, transposed = false;
    std::string kernel = {};

    [[nodiscard]] std::size_t others() const { return sides > 0 ? sides : n; }
    [[nodiscard]] std::size_t rows() const { return left ? n : others(); }
    [[nodiscard]] std::size_t cols() const { return left ? others() : n; }
};

std::vector<LuCase> lu_cases() {
    std::vector<LuCase> cases;
    const auto add = [&cases](const PrimitiveTeam& team, const std::vector<std::size_t>& orders) {
        for (const std::size_t n : orders) {
            cases.push_back({team, n, true, n % 2 == 0, n % 3 != 1});
            cases.push_back({team, n, false, n % 2 != 0, n % 3 == 1});
        }
    };
    add(kThreadTeam, {0, 1, 2, 3, 5, 8, 10});
    add(kWarpTeam, {0, 1, 2, 8, 16, 17, 31, 32});
    add(kBlockTeams[0], {1, 16, 17, 33, 48, 64, 100});
    add(kBlockTeams[1], {31, 32, 65, 100});
    add(kBlockTeams[2], {33, 64, 128});
    cases.push_back({kWarpTeam, 9, false, false, true, true});
    cases.push_back({kBlockTeams[1], 40, false, false, false, true});
    return cases;
}

std::vector<SolveCase> solve_cases() {
    std::vector<SolveCase> cases;
    unsigned form = 0;
    const auto add = [&](const PrimitiveTeam& team, std::size_t n, std::size_t sides,
                         int forms = 1) {
        for (int i = 0; i < forms; ++i, ++form) {
            const bool transposed = (form & 1U) != 0;
            const bool left = (form & 2U) != 0 || sides == 0;
            cases.push_back(
                {team, n, sides, form % 3 != 0, form % 5 < 3 || sides == 0, left, transposed});
        }
    };
    add(kThreadTeam, 4, 3, 4);
    add(kThreadTeam, 5, 0, 2);
    for (const std::size_t n : {0, 1, 2, 8}) {
        add(kThreadTeam, n, n == 8 ? 2 : 9);
    }
    add(kWarpTeam, 19, 7, 4);
    add(kWarpTeam, 18, 0, 2);
    add(kWarpTeam, 1, 1);
    add(kWarpTeam, 32, 40);
    add(kWarpTeam, 16, 33);
    add(kWarpTeam, 31, 1);
    add(kBlockTeams[1], 50, 37, 4);
    add(kBlockTeams[1], 49, 0, 2);
    add(kBlockTeams[0], 17, 100);
    add(kBlockTeams[0], 64, 64);
    add(kBlockTeams[0], 65, 1);
    add(kBlockTeams[2], 100, 30);
    add(kBlockTeams[2], 96, 0);
    return cases;
}

struct Factors {
    Batch lu;
    std::vector<int> pivots, status;
};

class Bench {
public:
    static Bench& the() {
        static Bench only;
        return only;
    }
    std::vector<LuCase> lus = lu_cases();
    std::vector<SolveCase> solves = solve_cases();

    [[nodiscard]] Factors run(const LuCase& c, const Batch& a, std::size_t batch) const {
        const std::size_t entry = c.is_double ? 8 : 4;
        return launch(
            c.team, c.kernel,
            (c.in_place ? 1 : 2) * bytes_on_chip(c.n, c.n, entry) + bytes_on_chip(c.n, 1, 4), a,
            Batch(1, 0, 0), Batch(batch, c.n, c.n), batch);
    }
    [[nodiscard]] Factors run(const SolveCase& c, const Batch& a, const Batch& b,
                              std::size_t batch) const {
        const std::size_t entry = c.is_double ? 8 : 4;
        return launch(c.team, c.kernel,
                      bytes_on_chip(c.n, c.n, entry) + bytes_on_chip(c.n, 1, 4) +
                          (c.in_place ? 1 : 2) * bytes_on_chip(c.rows(), c.cols(), entry),
                      a, b, Batch(batch, c.rows(), c.cols()), batch);
    }

private:
    Bench() {
        PrimitiveText text;
        for (LuCase& c : lus) {
            c.kernel = text.add(c.team, fmt::format("getrf_case<{{}}, {}, {}, {}, {}, {}>",
                                                    c.is_double || c.wide ? "double" : "float",
                                                    c.is_double ? "double" : "float", c.n,
                                                    c.zero_fails, c.in_place));
        }
        for (SolveCase& c : solves) {
            const char* const type = c.is_double ? "double" : "float";
            c.kernel =
                text.add(c.team, fmt::format("solve_case<{{}}, {}, {}, {}, {}, {}, {}, {}>", type,
                                             type, c.left, c.transposed, c.n, c.sides, c.in_place));
        }
        library_.emplace(text.text());
    }

    [[nodiscard]] Factors launch(const PrimitiveTeam& team, const std::string& kernel,
                                 std::size_t bytes, const Batch& a, const Batch& b, Batch out,
                                 std::size_t batch) const {
        const DeviceArray<double> from(a.for_device());
        const DeviceArray<double> sides(b.for_device());
        const DeviceArray<double> to(std::vector<double>(out.for_device().size(), 77));
        const DeviceArray<int> pivots(std::vector<int>(batch * a.rows + 1, 77));
        const DeviceArray<int> status(std::vector<int>(batch, 77));
        library_->launch(kernel, team, team.threads == team.problems ? 0 : bytes * team.problems,
                         {from.data(), sides.data(), to.data(), status.data(), pivots.data(),
                          static_cast<long long>(batch)});
        if (!out.entries.empty()) {
            out.entries = to.download();
        }
        return {out, pivots.download(), status.download()};
    }
    std::optional<PrimitiveLibrary> library_;
};

std::string name_of(const LuCase& c) {
    return fmt::format("{} {} {} in place {} zero fails {}", c.team.name, c.n,
                       c.is_double ? "double" : "float", c.in_place, c.zero_fails);
}

/// |P*A - L*U| is within the roundings, entry by entry.
void expect_factors(const LuCase& test, const Batch& a, const Factors& f, std::size_t p) {
    const std::size_t n = test.n;
    std::vector<std::size_t> rows(n);
    std::iota(rows.begin(), rows.end(), 0);
    for (std::size_t k = 0; k < n; ++k) {
        const int chosen = f.pivots[p * n + k];
        ASSERT_GE(chosen, static_cast<int>(k));
        ASSERT_LT(chosen, static_cast<int>(n));
        std::swap(rows[k], rows[static_cast<std::size_t>(chosen)]);
    }
    for (std::size_t r = 0; r < n; ++r) {
        for (std::size_t c = 0; c < n; ++c) {
            long double sum = 0;
            long double sizes = 0;
            for (std::size_t k = 0; k <= std::min(r, c); ++k) {
                const long double factor = k == r ? 1 : f.lu.at(p, r, k);
                ASSERT_LE(std::abs(factor), 1 + 4 * unit_of(test.is_double));
                const long double term = factor * f.lu.at(p, k, c);
                sum += term;
                sizes += std::abs(term);
            }
            // Higham, Accuracy and Stability, theorem 9.3; two roundings more for a reciprocal.
            const double bound =
                static_cast<double>(n + 3) * unit_of(test.is_double) * static_cast<double>(sizes);
            ASSERT_LE(std::abs(static_cast<double>(sum - a.at(p, rows[r], c))), bound)
                << p << ": " << r << ", " << c;
        }
    }
}

TEST_F(FusedLu, IsTheFactorsInEveryOrderOfThreads) {
    for (const LuCase& c : Bench::the().lus) {
        for (const std::uint64_t seed : {1, 2}) {
            SCOPED_TRACE(name_of(c) + fmt::format(" seed {}", seed));
            set_schedule({seed, 0.25});
            const std::size_t batch = c.team.problems + 1;
            Batch a(batch, c.n, c.n);
            a.fill_random(static_cast<unsigned>(seed));
            a.repeat_first();
            const Factors f = Bench::the().run(c, a, batch);
            f.lu.expect_repeated();
            ASSERT_EQ(f.status, std::vector<int>(batch, 0));
            for (std::size_t p = 0; p < batch; ++p) {
                expect_factors(c, a, f, p);
                if (c.is_double && c.n > 0) {
                    const int n = static_cast<int>(c.n);
                    std::vector<double> columns(c.n * c.n);
                    for (std::size_t i = 0; i < columns.size(); ++i) {
                        columns[i] = a.at(p, i % c.n, i / c.n);
                    }
                    std::vector<int> pivots(c.n);
                    int info = 0;
                    dgetrf_(&n, &n, columns.data(), &n, pivots.data(), &info);
                    for (std::size_t k = 0; k < c.n; ++k) {
                        ASSERT_EQ(f.pivots[p * c.n + k], pivots[k] - 1) << p << ": " << k;
                    }
                }
            }
            if (HasFatalFailure()) {
                return;
            }
        }
    }
}

/// By the definition: the first of the largest, a NaN larger than all.
struct Definition {
    std::vector<int> pivots;
    int status = 0;
};
template <typename T>
Definition by_definition(const Batch& a, std::size_t p, bool zero_fails) {
    const std::size_t n = a.rows;
    std::vector<T> x(n * n);
    for (std::size_t i = 0; i < x.size(); ++i) {
        x[i] = static_cast<T>(a.entries[p * n * n + i]);
    }
    Definition d;
    for (std::size_t k = 0; k < n; ++k) {
        std::size_t best = k;
        for (std::size_t r = k; r < n && !std::isnan(x[best * n + k]); ++r) {
            const T size = std::abs(x[r * n + k]);
            if (size > std::abs(x[best * n + k]) || std::isnan(size)) {
                best = r;
            }
        }
        d.pivots.push_back(static_cast<int>(best));
        for (std::size_t c = 0; c < n; ++c) {
            std::swap(x[k * n + c], x[best * n + c]);
        }
        const T pivot = x[k * n + k];
        if (d.status == 0 && (!std::isfinite(pivot) || (zero_fails && pivot == 0))) {
            d.status = static_cast<int>(k) + 1;
        }
        for (std::size_t r = k + 1; r < n; ++r) {
            x[r * n + k] = pivot == 0 ? 0 : x[r * n + k] / pivot;
            for (std::size_t c = k + 1; c < n; ++c) {
                x[r * n + c] -= x[r * n + k] * x[k * n + c];
            }
        }
    }
    return d;
}

Definition by_definition(const LuCase& c, const Batch& a, std::size_t p) {
    return c.is_double ? by_definition<double>(a, p, c.zero_fails)
                       : by_definition<float>(a, p, c.zero_fails);
}

TEST_F(FusedLu, ChoosesTheFirstOfEqualPivots) {
    for (const LuCase& c : Bench::the().lus) {
        if (c.n == 0 || c.n > 70) {  // larger ones have nothing new
            continue;
        }
        SCOPED_TRACE(name_of(c));
        // Hadamard's matrices, cut, and with rows turned round: all steps are exact, most entries equal.
        Batch a(3, c.n, c.n);
        for (std::size_t p = 0; p < 3; ++p) {
            for (std::size_t r = 0; r < c.n; ++r) {
                for (std::size_t k = 0; k < c.n; ++k) {
                    const std::size_t row = p == 0 ? r : p == 1 ? c.n - 1 - r : (r * 5 + 1) % 128;
                    a.at(p, r, k) = __builtin_parityll(row & k) != 0 ? -1 : 1;
                }
            }
        }
        const Factors f = Bench::the().run(c, a, 3);
        for (std::size_t p = 0; p < 3; ++p) {
            const Definition want = by_definition(c, a, p);
            ASSERT_EQ(f.status[p], want.status) << "problem " << p;
            for (std::size_t k = 0; k < c.n && (c.n & (c.n - 1)) == 0; ++k) {
                ASSERT_EQ(f.pivots[p * c.n + k], want.pivots[k])
                    << "problem " << p << " step " << k;
            }
        }
    }
}

TEST_F(FusedLu, NamesTheFirstPivotThatFails) {
    const double infinity = std::numeric_limits<double>::infinity();
    for (const LuCase& c : Bench::the().lus) {
        if (c.n == 0 || c.n > 70) {  // larger ones have nothing new
            continue;
        }
        SCOPED_TRACE(name_of(c));
        const std::size_t places[] = {0, c.n / 2, c.n - 1};
        Batch a(15, c.n, c.n);
        a.fill_random(9);
        for (std::size_t i = 0; i < 3; ++i) {
            const std::size_t at = places[i];
            a.at(i, c.n - 1 - at, at) = std::nan("");
            a.at(3 + i, at, at) = infinity;
            a.at(6 + i, at, at) = -infinity;
            a.at(6 + i, c.n - 1, at) = std::nan("");
            for (std::size_t k = 0; k < c.n; ++k) {
                a.at(9 + i, k, at) = 0;
                a.at(12 + i, k, at) = 0;
            }
            a.at(12 + i, 0, c.n - 1) = std::nan("");
        }
        const Factors f = Bench::the().run(c, a, 15);
        for (std::size_t p = 0; p < 15; ++p) {
            const Definition want = by_definition(c, a, p);
            ASSERT_EQ(f.status[p], want.status) << "problem " << p;
            for (std::size_t k = 0; static_cast<int>(k) < want.status; ++k) {
                ASSERT_EQ(f.pivots[p * c.n + k], want.pivots[k])
                    << "problem " << p << " step " << k;
            }
            if (p >= 9 && p < 12) {
                // Singular, with an exact 0 among the pivots, and still factors of a.
                expect_factors(c, a, f, p);
                ASSERT_EQ(f.lu.at(p, places[p - 9], places[p - 9]), 0);
                ASSERT_EQ(f.status[p], c.zero_fails ? static_cast<int>(places[p - 9]) + 1 : 0);
            }
        }
        if (HasFatalFailure()) {
            return;
        }
    }
}

TEST_F(FusedLu, FactorsWhatIsAlmostTooSmall) {
    for (const LuCase& c : Bench::the().lus) {
        if (c.n == 0 || c.wide) {
            continue;
        }
        SCOPED_TRACE(name_of(c));
        // Small integers times the smallest number.
        Batch a(1, c.n, c.n);
        const double unit = c.is_double ? std::numeric_limits<double>::denorm_min()
                                        : std::numeric_limits<float>::denorm_min();
        for (std::size_t r = 0; r < c.n; ++r) {
            a.at(0, r, r) = 4 * unit;
            a.at(0, r, 0) = r == 0 ? 4 * unit : 2 * unit;
        }
        const Factors f = Bench::the().run(c, a, 1);
        ASSERT_EQ(f.status[0], 0);
        for (std::size_t r = 0; r < c.n; ++r) {
            ASSERT_EQ(f.lu.at(0, r, r), 4 * unit);
            ASSERT_EQ(f.lu.at(0, r, 0), r == 0 ? 4 * unit : 0.5);
        }
    }
}

std::string name_of(const SolveCase& c) {
    return fmt::format("{} {} sides {} {} in place {} left {} transposed {}", c.team.name, c.n,
                       c.sides, c.is_double ? "double" : "float", c.in_place, c.left, c.transposed);
}

TEST_F(FusedLu, SolvesInEveryFormAndOrderOfThreads) {
    for (const SolveCase& c : Bench::the().solves) {
        for (const std::uint64_t seed : {1, 2}) {
            SCOPED_TRACE(name_of(c) + fmt::format(" seed {}", seed));
            set_schedule({seed, 0.25});
            const std::size_t batch = c.team.problems + 1;
            Batch a(batch, c.n, c.n);
            a.fill_random(static_cast<unsigned>(seed));
            for (std::size_t p = 0; p < batch; ++p) {
                for (std::size_t r = 0; r < c.n; ++r) {
                    // Rows have their largest entries elsewhere than on the diagonal: they are swapped.
                    a.at(p, r, (r * 7 + p) % c.n) += static_cast<double>(c.n % 7 == 0 ? 0 : c.n);
                    for (std::size_t k = 0; k < c.n; ++k) {
                        a.at(p, r, k) = static_cast<float>(a.at(p, r, k));
                    }
                }
            }
            Batch b(batch, c.rows(), c.cols());
            b.fill_random(static_cast<unsigned>(seed) + 20);
            a.repeat_first();
            b.repeat_first();
            const Batch x = Bench::the().run(c, a, b, batch).lu;
            x.expect_repeated();
            for (std::size_t p = 0; p < batch; ++p) {
                double largest = 0;
                for (std::size_t i = 0; i < c.rows() * c.cols(); ++i) {
                    largest = std::max(largest, std::abs(x.entries[p * c.rows() * c.cols() + i]));
                }
                for (std::size_t r = 0; r < c.rows(); ++r) {
                    for (std::size_t s = 0; s < c.cols(); ++s) {
                        long double sum = 0;
                        for (std::size_t k = 0; k < c.n; ++k) {
                            const std::size_t i = c.left ? r : k;
                            const std::size_t j = c.left ? k : s;
                            const double entry = c.transposed ? a.at(p, j, i) : a.at(p, i, j);
                            sum += static_cast<long double>(entry) *
                                   (c.left ? x.at(p, k, s) : x.at(p, r, k));
                        }
                        const double want = c.sides > 0 ? b.at(p, r, s) : (r == s ? 1 : 0);
                        // Higham, Accuracy and Stability, theorem 9.4: 3*n roundings of |L| |U| |x|, where
                        // |L| is at most 1 and the entries of U at most a few times n.
                        const auto n = static_cast<double>(c.n);
                        const double bound = 3 * (n + 2) * unit_of(c.is_double) * 8 * n * largest;
                        ASSERT_LE(std::abs(static_cast<double>(sum - want)), bound)
                            << p << ": " << r << ", " << s;
                    }
                }
            }
        }
    }
}

}  // namespace
}  // namespace matgrad::simulated
