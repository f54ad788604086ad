// The bootstrap of a regression: 10,000 weighted least-squares problems trained together.
//
//     diabetes_bootstrap [--small] [FILE diabetes.csv]
//
// How certain are the coefficients of a regression? Draw the 442 patients anew, with replacement, fit
// again, and look at how the coefficients scatter. A resample is a vector w of counts, one per patient,
// and its fit minimises sum(w.*(A*x - b).^2): A and b are shared by all resamples, w and x are batched.
// One plan gives all gradients, and an accelerated gradient loop (Nesterov's momentum with adaptive
// restart; O'Donoghue and Candes, Found. Comput. Math. 15, 2015) trains all x at once.
//
// The loop runs in the orthonormal basis of the unweighted problem: with A0 = A R, A'A = I, the
// Hessians 2 A' diag(w) A of the resamples are near 2 I, and x0 = R^-1 x are the coefficients. Problem 0
// of the batch has unit weights: it is the regression itself. Exit status 1 if its coefficients are not
// the published ones to all their digits, or if a resample has not converged.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <fstream>
#include <matgrad/matgrad.hpp>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

constexpr std::size_t kFeatures = 10;
constexpr std::size_t kCols = kFeatures + 1;  // and the intercept
constexpr double kConverged = 1e-10;          // of the gradient at the start

const char* const kNames[kFeatures] = {"age", "sex", "bmi", "bp", "s1",
                                       "s2",  "s3",  "s4",  "s5", "s6"};

/// Efron, Hastie, Johnstone and Tibshirani (2004), table of the full least-squares fit.
const double kPublished[kFeatures] = {-10.0099, -239.8156, 519.8459, 324.3846, -792.1756,
                                      476.7390, 101.0433,  177.0632, 751.2737, 67.6267};

/// b = A x + noise; A row-major with an intercept as its last column.
struct Regression {
    std::size_t num_rows = 0;
    std::vector<double> a;
    std::vector<double> b;
};

/// Columns centred and scaled to unit norm, an intercept of unit norm, b centred.
Regression read_diabetes(const std::string& path) {
    std::ifstream file(path);
    std::string line;
    if (!std::getline(file, line)) {
        throw std::runtime_error("cannot read " + path);
    }
    Regression r;
    while (std::getline(file, line)) {
        std::replace(line.begin(), line.end(), ',', ' ');
        std::istringstream words(line);
        for (std::size_t j = 0; j < kFeatures; ++j) {
            r.a.push_back(0);
            words >> r.a.back();
        }
        r.a.push_back(1);
        r.b.push_back(0);
        if (!(words >> r.b.back())) {
            throw std::runtime_error("not eleven numbers in " + path);
        }
        ++r.num_rows;
    }

    const auto n = static_cast<double>(r.num_rows);
    for (std::size_t j = 0; j < kCols; ++j) {
        double sum = 0;
        double squares = 0;
        for (std::size_t i = 0; i < r.num_rows; ++i) {
            sum += r.a[i * kCols + j];
        }
        for (std::size_t i = 0; i < r.num_rows; ++i) {
            double& entry = r.a[i * kCols + j];
            entry -= j < kFeatures ? sum / n : 0;
            squares += entry * entry;
        }
        for (std::size_t i = 0; i < r.num_rows; ++i) {
            r.a[i * kCols + j] /= std::sqrt(squares);
        }
    }
    double sum = 0;
    for (const double y : r.b) {
        sum += y;
    }
    for (double& y : r.b) {
        y -= sum / n;
    }
    return r;
}

/// A0 = A R with orthonormal columns A and R upper triangular.
class Basis {
public:
    /// Modified Gram-Schmidt, twice over each column, so that A'A = I to rounding. Replaces r.a.
    explicit Basis(Regression& r) {
        const auto dot = [&r](std::size_t j, std::size_t k) {
            double sum = 0;
            for (std::size_t i = 0; i < r.num_rows; ++i) {
                sum += r.a[i * kCols + j] * r.a[i * kCols + k];
            }
            return sum;
        };
        for (std::size_t k = 0; k < kCols; ++k) {
            for (std::size_t j = 0; j < 2 * k; ++j) {
                const double along = dot(j % k, k);
                upper_[j % k][k] += along;
                for (std::size_t i = 0; i < r.num_rows; ++i) {
                    r.a[i * kCols + k] -= along * r.a[i * kCols + j % k];
                }
            }
            upper_[k][k] = std::sqrt(dot(k, k));
            for (std::size_t i = 0; i < r.num_rows; ++i) {
                r.a[i * kCols + k] /= upper_[k][k];
            }
        }
    }

    /// R^-1 x: coefficients of the original columns.
    [[nodiscard]] std::array<double, kCols> coefficients(const double* x) const {
        std::array<double, kCols> c{};
        for (std::size_t j = kCols; j-- > 0;) {
            double sum = x[j];
            for (std::size_t k = j + 1; k < kCols; ++k) {
                sum -= upper_[j][k] * c[k];
            }
            c[j] = sum / upper_[j][j];
        }
        return c;
    }

    /// The square roots of the diagonal of (A0'A0)^-1 = R^-1 R^-T.
    [[nodiscard]] std::array<double, kCols> inverse_gram_diagonal_roots() const {
        std::array<double, kCols> roots{};
        for (std::size_t k = 0; k < kCols; ++k) {
            std::array<double, kCols> unit{};
            unit[k] = 1;
            const auto column = coefficients(unit.data());
            for (std::size_t j = 0; j < kCols; ++j) {
                roots[j] += column[j] * column[j];
            }
        }
        for (double& root : roots) {
            root = std::sqrt(root);
        }
        return roots;
    }

private:
    std::array<std::array<double, kCols>, kCols> upper_{};
};

/// Counts of a draw with replacement for each problem; the first has unit weights.
std::vector<double> draw_weights(std::size_t num_problems, std::size_t num_rows) {
    std::vector<double> weights(num_problems * num_rows, 0.0);
    std::fill_n(weights.begin(), num_rows, 1.0);
    std::mt19937_64 random(442);
    for (std::size_t k = 1; k < num_problems; ++k) {
        for (std::size_t draw = 0; draw < num_rows; ++draw) {
            // The high 32 bits as a fraction of num_rows.
            const std::size_t i = ((random() >> 32) * num_rows) >> 32;
            weights[k * num_rows + i] += 1;
        }
    }
    return weights;
}

/// The accelerated gradient loop over the whole batch; problem k owns the k-th stretch of each array.
class Training {
public:
    Training(const Regression& r, const std::vector<double>& weights, std::size_t num_problems)
        : num_problems_(num_problems),
          r_(r),
          weights_(weights),
          plan_(make_plan(r.num_rows, num_problems)),
          x_(num_problems * kCols, 0.0),
          ahead_(x_),
          gradient_(x_),
          last_ahead_(x_),
          last_gradient_(x_),
          steepness_(num_problems, 2.6),  // the largest eigenvalue of 2 A'diag(w) A, a typical one
          momentum_(num_problems, 1.0),
          start_norm_(num_problems, 0.0) {}

    /// Rounds until every gradient has shrunk to kConverged of its first norm.
    int run(int max_rounds) {
        for (int round = 0; round < max_rounds; ++round) {
            plan_.run({{"w", weights_}, {"A", r_.a}, {"x", ahead_}, {"b", r_.b}},
                      {{"gradient x", gradient_}});
            worst_ = 0;
            for (std::size_t k = 0; k < num_problems_; ++k) {
                advance(k, round == 0);
            }
            if (worst_ <= kConverged) {
                return round + 1;
            }
        }
        return max_rounds;
    }

    /// The largest gradient norm over the batch, each divided by its first.
    [[nodiscard]] double worst() const { return worst_; }
    [[nodiscard]] std::string device() const { return to_text(plan_.device()); }
    [[nodiscard]] const double* solution(std::size_t k) const { return &last_ahead_[k * kCols]; }

private:
    static matgrad::Plan make_plan(std::size_t num_rows, std::size_t num_problems) {
        const auto rows = static_cast<std::int64_t>(num_rows);
        return matgrad::make_plan(matgrad::parse("sum(w.*(A*x - b).^2)"),
                                  {matgrad::batched("w", rows), matgrad::shared("A", rows, kCols),
                                   matgrad::batched("x", kCols), matgrad::shared("b", rows)},
                                  {.value = false,
                                   .wrt = {"x"},
                                   .expected_batch = static_cast<std::int64_t>(num_problems)});
    }

    /// One step of problem k from its gradient at `ahead`.
    void advance(std::size_t k, bool first) {
        const std::size_t begin = k * kCols;
        const std::size_t end = begin + kCols;
        double norm = 0;
        double moved = 0;
        double turned = 0;
        for (std::size_t j = begin; j < end; ++j) {
            const double s = ahead_[j] - last_ahead_[j];
            const double y = gradient_[j] - last_gradient_[j];
            norm += gradient_[j] * gradient_[j];
            moved += s * s;
            turned += y * y;
            last_ahead_[j] = ahead_[j];
            last_gradient_[j] = gradient_[j];
        }
        norm = std::sqrt(norm);
        start_norm_[k] = first ? norm : start_norm_[k];
        const double left = norm / start_norm_[k];
        if (!std::isnan(worst_) && !(left <= worst_)) {
            worst_ = left;  // and a NaN stays
        }
        if (left <= kConverged) {
            return;  // ahead stays: it is the solution
        }

        // The gradient is affine in x, so |y| <= steepness |s|; where it is not, the guess was low.
        const bool was_low = !first && turned > steepness_[k] * steepness_[k] * moved;
        if (was_low) {
            steepness_[k] = 1.05 * std::sqrt(turned / moved);
        }
        double uphill = 0;
        std::array<double, kCols> next{};
        for (std::size_t j = begin; j < end; ++j) {
            next[j - begin] = ahead_[j] - gradient_[j] / steepness_[k];
            uphill += gradient_[j] * (next[j - begin] - x_[j]);
        }
        const bool restart = was_low || uphill > 0;
        const double t = restart ? 1.0 : momentum_[k];
        momentum_[k] = (1 + std::sqrt(1 + 4 * t * t)) / 2;
        const double beta = (t - 1) / momentum_[k];
        for (std::size_t j = begin; j < end; ++j) {
            ahead_[j] = next[j - begin] + beta * (next[j - begin] - x_[j]);
            x_[j] = next[j - begin];
        }
    }

    std::size_t num_problems_;
    const Regression& r_;
    const std::vector<double>& weights_;
    matgrad::Plan plan_;
    std::vector<double> x_, ahead_, gradient_, last_ahead_, last_gradient_;
    std::vector<double> steepness_, momentum_, start_norm_;
    double worst_ = 0;
};

int run(const std::string& path, std::size_t num_resamples) {
    Regression r = read_diabetes(path);
    const Basis basis(r);
    const std::size_t num_problems = num_resamples + 1;
    const std::vector<double> weights = draw_weights(num_problems, r.num_rows);
    Training training(r, weights, num_problems);
    const int rounds = training.run(300);

    // Deviations of the bootstrap.
    std::array<double, kCols> mean{};
    std::array<double, kCols> deviation{};
    for (std::size_t k = 1; k < num_problems; ++k) {
        const auto c = basis.coefficients(training.solution(k));
        for (std::size_t j = 0; j < kCols; ++j) {
            const double delta = c[j] - mean[j];
            mean[j] += delta / static_cast<double>(k);
            deviation[j] += delta * (c[j] - mean[j]);
        }
    }
    // Deviations by the classical formula: noise of one size everywhere.
    double residual = 0;
    for (std::size_t i = 0; i < r.num_rows; ++i) {
        double difference = -r.b[i];
        for (std::size_t j = 0; j < kCols; ++j) {
            difference += r.a[i * kCols + j] * training.solution(0)[j];
        }
        residual += difference * difference;
    }
    const double noise = std::sqrt(residual / static_cast<double>(r.num_rows - kCols));
    const auto roots = basis.inverse_gram_diagonal_roots();

    const auto regression = basis.coefficients(training.solution(0));
    int failures = 0;
    std::printf(
        "%zu resamples of %zu patients on %s, %d rounds, largest gradient left %.1e of the first\n",
        num_resamples, r.num_rows, training.device().c_str(), rounds, training.worst());
    std::printf("          coefficient    published   bootstrap s.e.   classical s.e.\n");
    for (std::size_t j = 0; j < kFeatures; ++j) {
        const bool as_published = std::abs(regression[j] - kPublished[j]) <= 0.5e-4;
        std::printf("%-6s %14.4f %12.4f %16.2f %16.2f%s\n", kNames[j], regression[j], kPublished[j],
                    std::sqrt(deviation[j] / static_cast<double>(num_resamples - 1)),
                    noise * roots[j], as_published ? "" : "  FAIL: not the published coefficient");
        failures += as_published ? 0 : 1;
    }
    if (!(training.worst() <= kConverged)) {
        std::printf("FAIL: not every resample has converged\n");
        ++failures;
    }
    return failures == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        const bool is_small = argc > 1 && std::strcmp(argv[1], "--small") == 0;
        const int path = is_small ? 2 : 1;
        return run(argc > path ? argv[path] : MATGRAD_EXAMPLE_DATA "/diabetes.csv",
                   is_small ? 300 : 10000);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "diabetes_bootstrap: %s\n", error.what());
        return 2;
    }
}
