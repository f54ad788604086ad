/// Cholesky factors on chip against LAPACK, and against what they were made from.

#include <cmath>
#include <limits>
#include <optional>

#include "cuda/primitive_bench.hpp"

extern "C" {
void dpotrf_(const char* uplo, const int* n, double* a, const int* lda, int* info);
}

namespace matgrad::simulated {
namespace {

class FusedPotrf : public SimulatedTest {};

struct PotrfCase {
    PrimitiveTeam team;
    std::size_t n = 0;
    bool is_double = true;
    bool in_place = false;
    std::string kernel = {};
    /// Of what is on chip; what is computed in is double where `wide`.
    bool wide = false;
};

std::vector<PotrfCase> cases_of(const PrimitiveTeam& team, const std::vector<std::size_t>& orders) {
    std::vector<PotrfCase> cases;
    for (const std::size_t n : orders) {
        for (const bool is_double : {true, false}) {
            cases.push_back({team, n, is_double, (n + (is_double ? 0 : 1)) % 2 == 0});
        }
    }
    return cases;
}

std::vector<PotrfCase> all_cases() {
    std::vector<PotrfCase> cases = cases_of(kThreadTeam, {0, 1, 2, 3, 5, 8, 10});
    const auto add = [&cases](const std::vector<PotrfCase>& more) {
        cases.insert(cases.end(), more.begin(), more.end());
    };
    add(cases_of(kWarpTeam, {0, 1, 2, 3, 8, 15, 16, 17, 31, 32}));
    add(cases_of(kBlockTeams[0], {0, 1, 5, 16, 17, 31, 32, 33, 48, 64, 100}));
    add(cases_of(kBlockTeams[1], {1, 17, 32, 33, 48, 64, 65, 100, 128}));
    add(cases_of(kBlockTeams[2], {17, 32, 65, 100, 128}));
    cases.push_back({kThreadTeam, 5, false, false, {}, true});
    cases.push_back({kWarpTeam, 17, false, true, {}, true});
    cases.push_back({kBlockTeams[1], 40, false, false, {}, true});
    return cases;
}

/// One text of all cases, compiled once for the tests of this file.
class Bench {
public:
    static Bench& the() {
        static Bench only;
        return only;
    }
    std::vector<PotrfCase> cases = all_cases();

    /// Factors: `a` becomes l; status by problem.
    std::vector<int> run(const PotrfCase& c, Batch& a) const {
        const std::size_t batch = c.n == 0 ? 3 : a.entries.size() / (c.n * c.n);
        const DeviceArray<double> from(a.for_device());
        const DeviceArray<double> to(std::vector<double>(a.for_device().size(), 77));
        const DeviceArray<int> status(std::vector<int>(batch, 77));
        const std::size_t bytes = c.team.threads == c.team.problems
                                      ? 0
                                      : (c.in_place ? 1 : 2) *
                                            bytes_on_chip(c.n, c.n, c.is_double ? 8 : 4) *
                                            c.team.problems;
        library_->launch(c.kernel, c.team, bytes,
                         {from.data(), nullptr, to.data(), status.data(), nullptr,
                          static_cast<long long>(batch)});
        if (c.n > 0) {
            a.entries = to.download();
        }
        return status.download();
    }

private:
    Bench() {
        PrimitiveText text;
        for (PotrfCase& c : cases) {
            c.kernel =
                text.add(c.team, fmt::format("potrf_case<{{}}, {}, {}, {}, {}>",
                                             c.is_double || c.wide ? "double" : "float",
                                             c.is_double ? "double" : "float", c.n, c.in_place));
        }
        library_.emplace(text.text());
    }
    std::optional<PrimitiveLibrary> library_;
};

/// Symmetric and far from singular; above the diagonal, where nobody may look, NaN.
Batch positive_batch(std::size_t batch, std::size_t n, unsigned seed) {
    Batch a(batch, n, n);
    a.fill_random(seed);
    for (std::size_t p = 0; p < batch; ++p) {
        for (std::size_t r = 0; r < n; ++r) {
            for (std::size_t c = 0; c < n; ++c) {
                a.at(p, r, c) = c > r    ? std::nan("")
                                : c == r ? static_cast<double>(n) / 2 + 1
                                         : a.at(p, r, c);
            }
        }
    }
    return a;
}

std::vector<double> by_lapack(const Batch& a, std::size_t p, int& info) {
    const int n = static_cast<int>(a.rows);
    const int ld = std::max(1, n);
    std::vector<double> l(a.rows * a.rows);
    for (std::size_t r = 0; r < a.rows; ++r) {
        for (std::size_t c = 0; c <= r; ++c) {
            l[c * a.rows + r] = a.at(p, r, c);
        }
    }
    dpotrf_("L", &n, l.data(), &ld, &info);
    return l;
}

void expect_factor(const PotrfCase& test, const Batch& a, const Batch& l, std::size_t p) {
    const std::size_t n = test.n;
    int info = 0;
    const std::vector<double> want = by_lapack(a, p, info);
    ASSERT_EQ(info, 0);
    const double unit = unit_of(test.is_double);
    for (std::size_t r = 0; r < n; ++r) {
        for (std::size_t c = 0; c < n; ++c) {
            if (c > r) {
                ASSERT_EQ(l.at(p, r, c), 0) << r << ", " << c;
                continue;
            }
            long double sum = 0;
            long double sizes = 0;
            for (std::size_t k = 0; k <= c; ++k) {
                const long double term = static_cast<long double>(l.at(p, r, k)) * l.at(p, c, k);
                sum += term;
                sizes += std::abs(term);
            }
            // Higham, Accuracy and Stability, theorem 10.3, with n + 1 roundings; here an entry has as
            // many, and four more: the inverse of a root, and products with it.
            const auto bound = static_cast<double>(n + 5) * unit * static_cast<double>(sizes);
            ASSERT_LE(std::abs(static_cast<double>(sum - a.at(p, r, c))), bound)
                << p << ": " << r << ", " << c;
            // The condition of these is below 16.
            ASSERT_NEAR(l.at(p, r, c), want[c * n + r],
                        16 * static_cast<double>(n + 5) * unit * std::sqrt(a.at(p, r, r)))
                << p << ": " << r << ", " << c;
        }
    }
}

std::string name_of(const PotrfCase& c) {
    return fmt::format("{} {} {} in place {} wide {}", c.team.name, c.n,
                       c.is_double ? "double" : "float", c.in_place, c.wide);
}

TEST_F(FusedPotrf, IsTheFactorInEveryOrderOfThreads) {
    for (const PotrfCase& c : Bench::the().cases) {
        for (const std::uint64_t seed : {1, 2, 3}) {
            SCOPED_TRACE(name_of(c) + fmt::format(" seed {}", seed));
            set_schedule({seed, 0.25});
            // The last block is not full.
            const std::size_t batch = c.team.problems + 1;
            Batch a = positive_batch(batch, c.n, static_cast<unsigned>(seed));
            a.repeat_first();
            Batch l = a;
            const std::vector<int> status = Bench::the().run(c, l);
            l.expect_repeated();
            for (const int of_problem : status) {
                ASSERT_EQ(of_problem, 0);
            }
            for (std::size_t p = 0; p < batch; ++p) {
                expect_factor(c, a, l, p);
            }
            if (HasFatalFailure()) {
                return;
            }
        }
    }
}

TEST_F(FusedPotrf, NamesTheFirstPivotThatFailsAndWhy) {
    const double infinity = std::numeric_limits<double>::infinity();
    struct Bad {
        double pivot;
        bool is_finite;
    };
    const Bad bads[] = {
        {-1, true}, {0, true}, {std::nan(""), false}, {infinity, false}, {-infinity, false}};
    for (const PotrfCase& c : Bench::the().cases) {
        if (c.n == 0 || c.n > 70) {  // larger ones have nothing new
            continue;
        }
        // A problem for each pivot and place; then two pivots that fail, and entries beside the diagonal.
        struct Want {
            std::size_t at;
            bool is_finite;
        };
        std::vector<Want> wants;
        Batch a = positive_batch(3 * std::size(bads) + 3, c.n, 5);
        for (const Bad& bad : bads) {
            for (const std::size_t at : {std::size_t{0}, c.n / 2, c.n - 1}) {
                a.at(wants.size(), at, at) = bad.pivot;
                wants.push_back({at, bad.is_finite});
            }
        }
        a.at(wants.size(), c.n / 2, c.n / 2) = -1;
        a.at(wants.size(), c.n - 1, c.n - 1) = c.n > 1 ? infinity : -1;
        wants.push_back({c.n / 2, c.n / 2 < c.n - 1 || c.n == 1});
        for (const double beside : {infinity, std::nan("")}) {
            a.at(wants.size(), c.n - 1, c.n / 2) = beside;
            wants.push_back({c.n - 1, false});
        }
        SCOPED_TRACE(name_of(c));
        const std::vector<int> status = Bench::the().run(c, a);
        ASSERT_EQ(status.size(), wants.size());
        for (std::size_t p = 0; p < wants.size(); ++p) {
            const int number = static_cast<int>(wants[p].at) + 1;
            ASSERT_EQ(status[p], wants[p].is_finite ? number : -number) << "problem " << p;
        }
    }
}

TEST_F(FusedPotrf, FactorsWhatIsAlmostTooSmallOrTooLarge) {
    for (const PotrfCase& c : Bench::the().cases) {
        if (c.n == 0 || c.wide) {
            continue;
        }
        for (const bool large : {true, false}) {
            SCOPED_TRACE(name_of(c) + (large ? " large" : " small"));
            Batch a = positive_batch(2, c.n, 6);
            // Sums of squares stay below the largest number; the smallest lose digits, so only a diagonal
            // is factored there.
            const double factor =
                c.is_double ? (large ? 0x1p1010 : 0x1p-1070) : (large ? 0x1p117 : 0x1p-145);
            for (std::size_t p = 0; p < 2; ++p) {
                for (std::size_t r = 0; r < c.n; ++r) {
                    for (std::size_t k = 0; k <= r; ++k) {
                        a.at(p, r, k) = r == k  ? 16 * factor
                                        : large ? a.at(p, r, k) * factor / 16
                                                : 0;
                    }
                }
            }
            Batch l = a;
            const std::vector<int> status = Bench::the().run(c, l);
            ASSERT_EQ(status, std::vector<int>(2, 0));
            for (std::size_t r = 0; r < c.n; ++r) {
                ASSERT_NEAR(l.at(1, r, r), 4 * std::sqrt(factor), 0.1 * std::sqrt(factor)) << r;
            }
        }
    }
}

}  // namespace
}  // namespace matgrad::simulated
