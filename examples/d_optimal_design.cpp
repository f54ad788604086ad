// D-optimal designs for polynomial regression, from many random starts at once.
//
//     d_optimal_design [--small]
//
// Where should the d + 1 points of an experiment on [-1, 1] lie so that a polynomial of degree d is
// determined best? The D-optimal design maximises log det of the information matrix X'X / (d + 1), with
// X the Vandermonde matrix of the points t. Its points are known: the roots of (1 - t^2) P_d'(t), P_d
// the Legendre polynomial (Guest, Annals of Mathematical Statistics 29, 1958). Here 1,000 random starts
// for each degree climb by projected gradient ascent, all of them in one batch: matgrad gives G, the
// gradient of logdet(X'*X), and the chain rule from X to the points is dX_ij/dt_i = j t_i^(j-1).
// Exit status 1 if the best start is further than 1e-9 from the known optimum.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <limits>
#include <matgrad/matgrad.hpp>
#include <random>
#include <vector>

namespace {

constexpr double kTolerance = 1e-9;

/// One ascent per start, all of degree `degree`; start k owns the k-th stretch of each array.
class Ascents {
public:
    Ascents(int degree, std::int64_t num_starts, std::uint64_t seed)
        : num_points_(static_cast<std::size_t>(degree) + 1),
          num_starts_(static_cast<std::size_t>(num_starts)),
          plan_(make_plan(degree, num_starts)),
          vandermonde_(num_starts_ * num_points_ * num_points_),
          vandermonde_gradient_(vandermonde_.size()),
          trial_(num_starts_ * num_points_),
          trial_gradient_(trial_.size()),
          trial_value_(num_starts_),
          points_(trial_.size()),
          gradient_(trial_.size()),
          value_(num_starts_),
          step_(num_starts_, 0.1) {
        std::mt19937_64 random(seed);
        for (auto first = trial_.begin(); first != trial_.end();) {
            const auto last = first + static_cast<std::ptrdiff_t>(num_points_);
            std::generate(first, last, [&random] {
                return std::ldexp(static_cast<double>(random() >> 11), -52) - 1;
            });
            std::sort(first, last);
            first = last;
        }
        evaluate_trial();
        points_ = trial_;
        gradient_ = trial_gradient_;
        value_ = trial_value_;
    }

    /// Climbs until no start moves any more; the number of rounds.
    int climb(int max_rounds) {
        int round = 0;
        while (round < max_rounds && propose()) {
            evaluate_trial();
            for (std::size_t k = 0; k < num_starts_; ++k) {
                judge(k);
            }
            ++round;
        }
        return round;
    }

    /// log det of the information matrix with weights 1 / (d + 1), for each start.
    [[nodiscard]] std::vector<double> criteria() const {
        const auto n = static_cast<double>(num_points_);
        std::vector<double> result = value_;
        for (double& v : result) {
            v -= n * std::log(n);
        }
        return result;
    }

    /// The points of one start, in ascending order.
    [[nodiscard]] std::vector<double> points(std::size_t start) const {
        const auto first = points_.begin() + static_cast<std::ptrdiff_t>(start * num_points_);
        return {first, first + static_cast<std::ptrdiff_t>(num_points_)};
    }

private:
    static matgrad::Plan make_plan(int degree, std::int64_t num_starts) {
        return matgrad::make_plan(matgrad::parse("logdet(X'*X)"),
                                  {matgrad::batched("X", degree + 1, degree + 1)},
                                  {.wrt = {"X"}, .expected_batch = num_starts});
    }

    /// Fills trial_ with the projected step of each start; false once none would move by 1e-8.
    bool propose() {
        bool moves = false;
        for (std::size_t k = 0; k < num_starts_; ++k) {
            for (std::size_t e = k * num_points_; e < (k + 1) * num_points_; ++e) {
                trial_[e] = std::clamp(points_[e] + step_[k] * gradient_[e], -1.0, 1.0);
                const double unit_step = std::clamp(points_[e] + gradient_[e], -1.0, 1.0);
                moves = moves || std::abs(unit_step - points_[e]) > 1e-8;
            }
        }
        return moves;
    }

    /// logdet(X'X) and its gradient by the points, for all trial points in one batch.
    void evaluate_trial() {
        const std::size_t n = num_points_;
        for (std::size_t row = 0; row < trial_.size(); ++row) {
            double power = 1;
            for (std::size_t j = 0; j < n; ++j, power *= trial_[row]) {
                vandermonde_[row * n + j] = power;
            }
        }
        plan_.run({{"X", vandermonde_}},
                  {{"value", trial_value_}, {"gradient X", vandermonde_gradient_}});

        for (std::size_t row = 0; row < trial_.size(); ++row) {
            double sum = 0;
            for (std::size_t j = 1; j < n; ++j) {
                sum += vandermonde_gradient_[row * n + j] * static_cast<double>(j) *
                       vandermonde_[row * n + j - 1];
            }
            trial_gradient_[row] = sum;
        }
    }

    /// Takes the trial of start k if it climbed enough, with a Barzilai-Borwein step for the next
    /// one; otherwise tries a shorter step. (Birgin, Martinez and Raydan, SIAM J. Optim. 10, 2000.)
    /// Among points in a fixed order the criterion is concave, so a start keeps its order.
    void judge(std::size_t k) {
        double promised = 0;
        double moved = 0;
        double bent = 0;
        bool in_order = true;
        for (std::size_t e = k * num_points_; e < (k + 1) * num_points_; ++e) {
            const double s = trial_[e] - points_[e];
            promised += gradient_[e] * s;
            moved += s * s;
            bent += s * (gradient_[e] - trial_gradient_[e]);
            in_order = in_order && (e == k * num_points_ || trial_[e - 1] < trial_[e]);
        }
        const double rounding = 1e-13 * (1 + std::abs(value_[k]));
        // Points so close that X'X is singular have no logarithm: NaN, refused like a fall.
        const bool climbed = trial_value_[k] >= value_[k] + 1e-4 * promised - rounding;
        if (!in_order || !climbed) {
            step_[k] *= 0.25;
            return;
        }
        for (std::size_t e = k * num_points_; e < (k + 1) * num_points_; ++e) {
            points_[e] = trial_[e];
            gradient_[e] = trial_gradient_[e];
        }
        value_[k] = trial_value_[k];
        step_[k] = bent > 0 ? std::clamp(moved / bent, 1e-8, 1.0) : 1.0;
    }

    std::size_t num_points_;
    std::size_t num_starts_;
    matgrad::Plan plan_;
    std::vector<double> vandermonde_;
    std::vector<double> vandermonde_gradient_;
    std::vector<double> trial_, trial_gradient_, trial_value_;
    std::vector<double> points_, gradient_, value_;
    std::vector<double> step_;
};

int run(std::int64_t num_starts) {
    // log det of the information matrix of the known design, degrees 2 to 6.
    const double known[] = {-1.909542504884, -5.274600839931, -10.054957572834, -16.237611762210,
                            -23.816713385453};
    std::printf("%lld random starts for each degree\n", static_cast<long long>(num_starts));
    std::printf(
        "degree  known optimum     best start's error  starts within 1e-9  rounds  points\n");
    int failures = 0;
    for (int degree = 2; degree <= 6; ++degree) {
        const double optimum = known[degree - 2];
        Ascents ascents(degree, num_starts, 20120 + static_cast<std::uint64_t>(degree));
        const int rounds = ascents.climb(2000);
        const std::vector<double> criteria = ascents.criteria();

        std::size_t best = 0;
        double best_error = std::numeric_limits<double>::infinity();
        long long reached = 0;
        for (std::size_t k = 0; k < criteria.size(); ++k) {
            const double error = std::abs(criteria[k] - optimum);
            reached += error <= kTolerance ? 1 : 0;
            if (error < best_error) {
                best = k;
                best_error = error;
            }
        }
        std::printf("%6d  %.12f  %18.1e  %18lld  %6d ", degree, optimum, best_error, reached,
                    rounds);
        for (const double t : ascents.points(best)) {
            std::printf(" %.4f", t);
        }
        std::printf("%s\n", best_error <= kTolerance ? "" : "  FAIL");
        failures += best_error <= kTolerance ? 0 : 1;
    }
    return failures == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc > 1 && std::strcmp(argv[1], "--small") == 0 ? 40 : 1000);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "d_optimal_design: %s\n", error.what());
        return 2;
    }
}
