/// The condition of a triangle on chip, and a better factor, against a singular value decomposition and a QR
/// factorization on the host.

#include <Eigen/Dense>
#include <cmath>
#include <limits>
#include <random>

#include "cuda/fused_bench.hpp"

namespace matgrad::test {
namespace {

class ChipCondition : public OnChip {};

using Wide = Eigen::Matrix<long double, Eigen::Dynamic, Eigen::Dynamic>;

constexpr std::int64_t kBatch = 5;

/// rows x n, with singular values from 1 down to 1/condition, in equal ratios.
Wide matrix_of_condition(std::int64_t rows, std::int64_t n, double condition, unsigned seed) {
    std::mt19937 random(seed);
    std::normal_distribution<double> number;
    const auto orthogonal = [&](std::int64_t m) {
        Wide a(m, n);
        for (long double& x : a.reshaped()) {
            x = number(random);
        }
        return Wide(Eigen::HouseholderQR<Wide>(a).householderQ() * Wide::Identity(m, n));
    };
    Eigen::Vector<long double, Eigen::Dynamic> values(n);
    for (std::int64_t i = 0; i < n; ++i) {
        values(i) =
            std::pow(condition, n > 1 ? -static_cast<double>(i) / static_cast<double>(n - 1) : 0);
    }
    return orthogonal(rows) * values.asDiagonal() * orthogonal(n).transpose();
}

/// The lower triangle L with a'a = LL' and a positive diagonal.
Wide factor_of(const Wide& a) {
    const std::int64_t n = a.cols();
    const Wide qr = Eigen::HouseholderQR<Wide>(a).matrixQR();
    Wide l = Wide::Zero(n, n);
    for (std::int64_t r = 0; r < n; ++r) {
        for (std::int64_t c = 0; c <= r; ++c) {
            l(r, c) = qr(c, r) * (qr(c, c) < 0 ? -1 : 1);
        }
    }
    return l;
}

void set_matrix(Matrices& to, std::int64_t p, const Wide& from) {
    for (std::int64_t r = 0; r < from.rows(); ++r) {
        for (std::int64_t c = 0; c < from.cols(); ++c) {
            to.set(p, r, c, static_cast<double>(from(r, c)));
        }
    }
}

Wide matrix_of(const Matrices& from, std::int64_t p) {
    Wide to(from.rows(), from.cols());
    for (std::int64_t r = 0; r < to.rows(); ++r) {
        for (std::int64_t c = 0; c < to.cols(); ++c) {
            to(r, c) = from.get(p, r, c);
        }
    }
    return to;
}

struct Triangle {
    ChipTeam team;
    std::int64_t n;
    ScalarType type;
    gpu::KernelId kernel = 0;
};

TEST_F(ChipCondition, IsBoundedAndEstimated) {
    std::vector<Triangle> cases;
    constexpr std::int64_t kOrders[][4] = {
        {1, 2, 5, 16}, {1, 7, 31, 32}, {1, 33, 64, 65}, {31, 65, 96, 100}, {64, 100, 110, 2}};
    for (std::size_t t = 0; t < std::size(kChipTeams); ++t) {
        for (const std::int64_t n : kOrders[t]) {
            cases.push_back({kChipTeams[t], n, n % 2 == 0 ? kFloat : kDouble});
        }
    }
    gpu::KernelSource source;
    for (Triangle& c : cases) {
        ChipKernel kernel(c.team);
        c.kernel = kernel.matrix("l", chip_type(c.type), c.n, c.n)
                       .matrix("x", "double", c.n, 1)
                       .matrix("y", "double", c.n, 1)
                       .matrix("bound", "double", 1, 1)
                       .matrix("estimate", "double", 1, 1)
                       .load("l", c.type)
                       .sync()
                       .call("set_one<Team>(bound, condition_bound<Team>(l, x.data))")
                       .sync()
                       .call("set_one<Team>(estimate, condition_estimate<Team>(l, x, y))")
                       .sync()
                       .store("bound", kDouble)
                       .store("estimate", kDouble)
                       .add_to(source);
    }
    const gpu::Kernels kernels = kernels_of(source);
    constexpr double kConditions[] = {1, 30, 1e3, 1e5, 1e7};
    for (const Triangle& c : cases) {
        OnDevice l(c.type, kBatch, c.n, c.n);
        OnDevice bound(kDouble, kBatch, 1, 1);
        OnDevice estimate(kDouble, kBatch, 1, 1);
        for (std::int64_t p = 0; p < kBatch; ++p) {
            // What is above the diagonal is nobody's.
            const Wide factor = factor_of(matrix_of_condition(c.n + 3, c.n, kConditions[p],
                                                              10 * static_cast<unsigned>(c.n + p)));
            set_matrix(
                l.host, p,
                factor +
                    Wide(Wide::Constant(c.n, c.n, 1e3).triangularView<Eigen::StrictlyUpper>()));
        }
        for (const std::uint64_t seed : kSeeds) {
            (void)run(kernels, c.kernel, {&l, &bound, &estimate}, kBatch, seed);
            for (std::int64_t p = 0; p < kBatch; ++p) {
                SCOPED_TRACE(testing::Message()
                             << c.team.name << " order " << c.n << " of " << chip_type(c.type)
                             << " condition " << kConditions[p]);
                const Eigen::MatrixXd triangle =
                    Wide(matrix_of(l.host, p).triangularView<Eigen::Lower>()).cast<double>();
                const auto values = Eigen::JacobiSVD<Eigen::MatrixXd>(triangle).singularValues();
                const double condition = values(0) / values(c.n - 1);
                const Eigen::MatrixXd inverse = triangle.inverse();
                const double by_rows = triangle.cwiseAbs().rowwise().sum().maxCoeff() *
                                       inverse.cwiseAbs().rowwise().sum().maxCoeff();
                EXPECT_GE(bound.host.get(p, 0, 0), by_rows * (1 - 1e-6));
                EXPECT_LE(estimate.host.get(p, 0, 0), condition * (1 + 1e-6));
                EXPECT_GE(estimate.host.get(p, 0, 0), condition / 10);
            }
        }
    }
}

/// A NaN, or a pivot of 0, bounds nothing: no limit is above it.
TEST_F(ChipCondition, OfWhatIsNotFiniteIsBelowNoLimit) {
    gpu::KernelSource source;
    std::vector<gpu::KernelId> ids;
    for (const ChipTeam& team : kChipTeams) {
        ChipKernel kernel(team);
        ids.push_back(kernel.matrix("l", "double", 9, 9)
                          .matrix("x", "double", 9, 1)
                          .matrix("below", "double", 1, 1)
                          .load("l", kDouble)
                          .sync()
                          .call("set_one<Team>(below, condition_bound<Team>(l, x.data) < "
                                "infinity<double>() ? 1.0 : 0.0)")
                          .sync()
                          .store("below", kDouble)
                          .add_to(source));
    }
    const gpu::Kernels kernels = kernels_of(source);
    constexpr std::int64_t kPlaces[][2] = {{0, 0}, {4, 4}, {8, 8}, {8, 0}, {5, 3}};
    OnDevice l(kDouble, kBatch + 1, 9, 9);
    OnDevice below(kDouble, kBatch + 1, 1, 1);
    for (std::size_t t = 0; t < std::size(kChipTeams); ++t) {
        for (const double wrong :
             {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
            l.host.fill_random(1, 0.5, 1);
            for (std::int64_t p = 0; p < kBatch; ++p) {
                l.host.set(p, kPlaces[p][0], kPlaces[p][1], wrong);
            }
            (void)run(kernels, ids[t], {&l, &below}, kBatch + 1);
            for (std::int64_t p = 0; p < kBatch; ++p) {
                EXPECT_EQ(below.host.get(p, 0, 0), 0)
                    << kChipTeams[t].name << " " << wrong << " " << p;
            }
            EXPECT_EQ(below.host.get(kBatch, 0, 0), 1) << kChipTeams[t].name;
        }
    }
}

struct Again {
    ChipTeam team;
    std::int64_t rows, n;
    ScalarType type;
    gpu::KernelId kernel = 0;
};
constexpr double kScale = 0.5;

gpu::KernelId add_kernel(const Again& c, gpu::KernelSource& source) {
    ChipKernel kernel(c.team);
    return kernel.matrix("root", chip_type(c.type), c.rows, c.n)
        .matrix("l", chip_type(c.type), c.n, c.n)
        .matrix("gram", "double", c.n, c.n)
        .matrix("panel", "double", gpu::second_factor_rows(c.rows), c.n)
        .matrix("made", "double", 1, 1)
        .load("root", c.type)
        .load("l", c.type)
        .sync()
        .call(fmt::format(
            "set_one<Team>(made, factor_again<Team>({}, root, l, gram, panel) ? 1.0 : 0.0)",
            kScale))
        .sync()
        .store("l", c.type)
        .store("made", kDouble)
        .add_to(source);
}

TEST_F(ChipCondition, IsNotSquaredInASecondFactor) {
    // A panel of rows and part of one, less than one, exactly some.
    std::vector<Again> cases = {
        {kChipTeams[0], 9, 4, kDouble},   {kChipTeams[0], 33, 3, kFloat},
        {kChipTeams[0], 5, 5, kDouble},   {kChipTeams[1], 64, 12, kDouble},
        {kChipTeams[1], 40, 16, kFloat},  {kChipTeams[1], 17, 17, kDouble},
        {kChipTeams[2], 65, 33, kDouble}, {kChipTeams[3], 100, 40, kFloat},
        {kChipTeams[3], 96, 40, kDouble}, {kChipTeams[4], 70, 64, kDouble},
    };
    gpu::KernelSource source;
    for (Again& c : cases) {
        c.kernel = add_kernel(c, source);
    }
    const gpu::Kernels kernels = kernels_of(source);
    for (const Again& c : cases) {
        OnDevice root(c.type, kBatch, c.rows, c.n);
        OnDevice first(c.type, kBatch, c.n, c.n);
        OnDevice second(c.type, kBatch, c.n, c.n);
        OnDevice made(kDouble, kBatch, 1, 1);
        const auto u = static_cast<double>(unit(c.type));
        // Up to where the first factorization still gives some factor.
        const double most = c.type == kFloat ? 3e2 : 1e6;
        std::vector<double> conditions;
        for (std::int64_t p = 0; p < kBatch; ++p) {
            conditions.push_back(
                std::pow(most, static_cast<double>(p + 1) / static_cast<double>(kBatch)));
            set_matrix(root.host, p,
                       matrix_of_condition(c.rows, c.n, conditions.back(),
                                           static_cast<unsigned>(100 * c.n + p)));
            // The factor of the Gram matrix as it is in the type: off by about u * condition^2.
            Wide gram =
                kScale * kScale * matrix_of(root.host, p).transpose() * matrix_of(root.host, p);
            gram = c.type == kFloat ? Wide(gram.cast<float>().cast<long double>())
                                    : Wide(gram.cast<double>().cast<long double>());
            const Eigen::LLT<Wide> llt(gram);
            ASSERT_EQ(llt.info(), Eigen::Success);
            set_matrix(first.host, p, Wide(llt.matrixL()));
        }
        for (const std::uint64_t seed : kSeeds) {
            (void)run(kernels, c.kernel, {&root, &first, &second, &made}, kBatch, seed);
            for (std::int64_t p = 0; p < kBatch; ++p) {
                const double condition = conditions[static_cast<std::size_t>(p)];
                SCOPED_TRACE(testing::Message()
                             << c.team.name << " " << c.rows << "x" << c.n << " of "
                             << chip_type(c.type) << " condition " << condition);
                EXPECT_EQ(made.host.get(p, 0, 0), 1);
                const Wide want = factor_of(kScale * matrix_of(root.host, p));
                const auto error = [&](const Matrices& l) {
                    const Wide lower = matrix_of(l, p).triangularView<Eigen::Lower>();
                    return static_cast<double>((lower - want).norm() / want.norm());
                };
                const auto n = static_cast<double>(c.n);
                EXPECT_LE(error(second.host),
                          8 * n * (u + static_cast<double>(unit(kDouble)) * condition));
                if (condition > 1e5) {
                    EXPECT_GT(error(first.host), 10 * error(second.host));
                }
            }
        }
    }
}

/// Nobody takes a factor that there is not: the first one stays, for its status to be told.
TEST_F(ChipCondition, OfNothingFiniteLeavesTheFactorAsItIs) {
    gpu::KernelSource source;
    std::vector<Again> cases;
    for (const ChipTeam& team : kChipTeams) {
        cases.push_back({team, 7, 4, kDouble});
        cases.back().kernel = add_kernel(cases.back(), source);
    }
    const gpu::Kernels kernels = kernels_of(source);
    for (const Again& c : cases) {
        OnDevice root(kDouble, kBatch, 7, 4);
        OnDevice first(kDouble, kBatch, 4, 4);
        OnDevice second(kDouble, kBatch, 4, 4);
        OnDevice made(kDouble, kBatch, 1, 1);
        root.host.fill_random(1);
        first.host.make_positive(2, 1);
        root.host.set(2, 3, 1, std::numeric_limits<double>::quiet_NaN());
        (void)run(kernels, c.kernel, {&root, &first, &second, &made}, kBatch);
        for (std::int64_t p = 0; p < kBatch; ++p) {
            EXPECT_EQ(made.host.get(p, 0, 0), p == 2 ? 0 : 1) << c.team.name;
            EXPECT_EQ(second.host.same_bits(p, first.host, p), p == 2) << c.team.name;
        }
    }
}

}  // namespace
}  // namespace matgrad::test
