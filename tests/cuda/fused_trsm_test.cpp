/// Triangular systems on chip, by what the solution gives when it is multiplied back.

#include <cmath>
#include <limits>
#include <optional>

#include "cuda/primitive_bench.hpp"

namespace matgrad::simulated {
namespace {

class FusedTrsm : public SimulatedTest {};

struct TrsmCase {
    PrimitiveTeam team;
    std::size_t n = 0;
    std::size_t sides = 0;  ///< 0: of the identity
    bool is_double = true;
    bool in_place = false;
    bool left = true, lower = true, transposed = false;
    bool wide = false;
    std::string kernel = {};

    [[nodiscard]] std::size_t others() const { return sides > 0 ? sides : n; }
    [[nodiscard]] std::size_t rows() const { return left ? n : others(); }
    [[nodiscard]] std::size_t cols() const { return left ? others() : n; }
};

/// All eight forms where `of` is 0 or more, else the next of them.
void add(std::vector<TrsmCase>& cases, const PrimitiveTeam& team, std::size_t n, std::size_t sides,
         bool all_forms = false) {
    static unsigned form = 0;
    for (unsigned i = 0; i < (all_forms ? 8U : 2U); ++i) {
        form += 3;
        TrsmCase c{team, n, sides, all_forms || i == 0, sides == 0 || (form & 8U) != 0};
        c.left = (form & 1U) != 0;
        c.lower = (form & 2U) != 0;
        c.transposed = (form & 4U) != 0;
        cases.push_back(c);
    }
}

std::vector<TrsmCase> all_cases() {
    std::vector<TrsmCase> cases;
    add(cases, kThreadTeam, 3, 4, true);
    add(cases, kThreadTeam, 5, 0, true);
    for (const std::size_t n : {0, 1, 2, 8, 10}) {
        add(cases, kThreadTeam, n, 1);
        add(cases, kThreadTeam, n, n == 10 ? 3 : 10);
        add(cases, kThreadTeam, n, 0);
    }
    add(cases, kWarpTeam, 19, 7, true);
    add(cases, kWarpTeam, 18, 0, true);
    for (const std::size_t n : {1, 8, 15, 16, 17, 31, 32}) {
        for (const std::size_t sides : {0, 1, 5, 16, 33}) {
            add(cases, kWarpTeam, n, sides);
        }
    }
    add(cases, kWarpTeam, 16, 64);
    add(cases, kWarpTeam, 40, 10);
    add(cases, kBlockTeams[1], 50, 37, true);
    add(cases, kBlockTeams[1], 49, 0, true);
    add(cases, kBlockTeams[0], 16, 100);
    add(cases, kBlockTeams[0], 17, 1);
    add(cases, kBlockTeams[0], 33, 65);
    add(cases, kBlockTeams[0], 64, 64);
    add(cases, kBlockTeams[0], 65, 3);
    add(cases, kBlockTeams[0], 64, 0);
    add(cases, kBlockTeams[0], 100, 0);
    add(cases, kBlockTeams[1], 32, 128);
    add(cases, kBlockTeams[1], 48, 130);
    add(cases, kBlockTeams[1], 100, 17);
    add(cases, kBlockTeams[1], 128, 2);
    add(cases, kBlockTeams[1], 65, 0);
    add(cases, kBlockTeams[2], 31, 300);
    add(cases, kBlockTeams[2], 65, 65);
    add(cases, kBlockTeams[2], 100, 31);
    add(cases, kBlockTeams[2], 100, 0);
    TrsmCase wide{kBlockTeams[1], 40, 30, false, true};
    wide.wide = true;
    cases.push_back(wide);
    return cases;
}

class Bench {
public:
    static Bench& the() {
        static Bench only;
        return only;
    }
    std::vector<TrsmCase> cases = all_cases();

    [[nodiscard]] Batch run(const TrsmCase& c, const Batch& triangle, const Batch& b) const {
        const std::size_t batch = batch_of(c);
        const DeviceArray<double> a(triangle.for_device());
        const DeviceArray<double> sides(b.for_device());
        Batch x(batch, c.rows(), c.cols());
        const DeviceArray<double> to(std::vector<double>(x.for_device().size(), 77));
        const std::size_t entry = c.is_double ? 8 : 4;
        const std::size_t bytes =
            c.team.threads == c.team.problems
                ? 0
                : (bytes_on_chip(c.n, c.n, entry) +
                   (c.in_place ? 1 : 2) * bytes_on_chip(c.rows(), c.cols(), entry)) *
                      c.team.problems;
        library_->launch(
            c.kernel, c.team, bytes,
            {a.data(), sides.data(), to.data(), nullptr, nullptr, static_cast<long long>(batch)});
        if (!x.entries.empty()) {
            x.entries = to.download();
        }
        return x;
    }
    /// The last block is not full.
    static std::size_t batch_of(const TrsmCase& c) { return c.team.problems + 1; }

private:
    Bench() {
        PrimitiveText text;
        for (TrsmCase& c : cases) {
            c.kernel =
                text.add(c.team, fmt::format("trsm_case<{{}}, {}, {}, {}, {}, {}, {}, {}, {}>",
                                             c.is_double || c.wide ? "double" : "float",
                                             c.is_double ? "double" : "float", c.left, c.lower,
                                             c.transposed, c.n, c.sides, c.in_place));
        }
        library_.emplace(text.text());
    }
    std::optional<PrimitiveLibrary> library_;
};

/// Far from singular; what nobody may look at is NaN.
Batch triangles(const TrsmCase& test, unsigned seed) {
    Batch t(Bench::batch_of(test), test.n, test.n);
    t.fill_random(seed);
    for (std::size_t p = 0; p < Bench::batch_of(test); ++p) {
        for (std::size_t r = 0; r < test.n; ++r) {
            for (std::size_t c = 0; c < test.n; ++c) {
                double& entry = t.at(p, r, c);
                if (r == c) {
                    entry = std::copysign(1.5 + std::abs(entry), entry);
                } else if ((c < r) == test.lower) {
                    entry = static_cast<float>(entry / 4);
                } else {
                    entry = std::nan("");
                }
            }
        }
    }
    return t;
}

/// |alpha*b - op(T) x| is within what the roundings of a substitution make, entry by entry.
void expect_solved(const TrsmCase& test, const Batch& t, const Batch& b, const Batch& x,
                   std::size_t p) {
    const auto triangle = [&](std::size_t r, std::size_t c) {
        if (test.transposed) {
            std::swap(r, c);
        }
        return r == c || (c < r) == test.lower ? t.at(p, r, c) : 0.0;
    };
    for (std::size_t r = 0; r < test.rows(); ++r) {
        for (std::size_t c = 0; c < test.cols(); ++c) {
            long double sum = 0;
            long double sizes = 0;
            for (std::size_t k = 0; k < test.n; ++k) {
                const long double term =
                    test.left ? static_cast<long double>(triangle(r, k)) * x.at(p, k, c)
                              : static_cast<long double>(x.at(p, r, k)) * triangle(k, c);
                sum += term;
                sizes += std::abs(term);
            }
            const double want = test.sides > 0 ? -0.5 * b.at(p, r, c) : (r == c ? 1 : 0);
            // Higham, Accuracy and Stability, theorem 8.5, and two roundings for a reciprocal.
            const double bound = static_cast<double>(test.n + 3) * unit_of(test.is_double) *
                                 static_cast<double>(sizes);
            ASSERT_LE(std::abs(static_cast<double>(sum - want)), bound)
                << p << ": " << r << ", " << c;
        }
    }
}

std::string name_of(const TrsmCase& c) {
    return fmt::format("{} {} sides {} {} in place {} left {} lower {} transposed {}", c.team.name,
                       c.n, c.sides, c.is_double ? "double" : "float", c.in_place, c.left, c.lower,
                       c.transposed);
}

TEST_F(FusedTrsm, SolvesInEveryFormAndOrderOfThreads) {
    for (const TrsmCase& c : Bench::the().cases) {
        for (const std::uint64_t seed : {1, 2}) {
            SCOPED_TRACE(name_of(c) + fmt::format(" seed {}", seed));
            set_schedule({seed, 0.25});
            Batch t = triangles(c, static_cast<unsigned>(seed));
            Batch b(Bench::batch_of(c), c.rows(), c.cols());
            b.fill_random(static_cast<unsigned>(seed) + 10);
            t.repeat_first();
            b.repeat_first();
            const Batch x = Bench::the().run(c, t, b);
            x.expect_repeated();
            for (std::size_t p = 0; p < Bench::batch_of(c); ++p) {
                expect_solved(c, t, b, x, p);
            }
            if (HasFatalFailure()) {
                return;
            }
        }
    }
}

TEST_F(FusedTrsm, LeavesTheZerosOfAnInverseExact) {
    for (const TrsmCase& c : Bench::the().cases) {
        if (c.sides > 0) {
            continue;
        }
        SCOPED_TRACE(name_of(c));
        const Batch x = Bench::the().run(c, triangles(c, 3), Batch(1, 0, 0));
        const bool lower = c.lower != c.transposed;
        for (std::size_t r = 0; r < c.n; ++r) {
            for (std::size_t k = 0; k < c.n; ++k) {
                if (r != k && (k < r) != lower) {
                    ASSERT_EQ(x.at(0, r, k), 0) << r << ", " << k;
                }
            }
        }
    }
}

TEST_F(FusedTrsm, KeepsWhatIsNotFiniteInItsOwnSide) {
    const double infinity = std::numeric_limits<double>::infinity();
    for (const TrsmCase& c : Bench::the().cases) {
        if (c.sides < 2 || c.n == 0) {
            continue;
        }
        SCOPED_TRACE(name_of(c));
        const Batch t = triangles(c, 4);
        Batch b(Bench::batch_of(c), c.rows(), c.cols());
        b.fill_random(5);
        Batch other = b;
        // The middle side has a NaN, the one after it an infinity.
        const std::size_t side = c.sides / 2 - 1;
        for (const std::size_t i : {std::size_t{0}, std::size_t{1}}) {
            (c.left ? other.at(0, c.n / 2, side + i) : other.at(0, side + i, c.n / 2)) =
                i == 0 ? std::nan("") : infinity;
        }
        const Batch x = Bench::the().run(c, t, b);
        const Batch y = Bench::the().run(c, t, other);
        for (std::size_t s = 0; s < c.sides; ++s) {
            bool same = true;
            for (std::size_t i = 0; i < c.n; ++i) {
                const double before = c.left ? x.at(0, i, s) : x.at(0, s, i);
                const double after = c.left ? y.at(0, i, s) : y.at(0, s, i);
                same = same && before == after;
            }
            ASSERT_EQ(same, s != side && s != side + 1) << "side " << s;
        }
    }
}

}  // namespace
}  // namespace matgrad::simulated
