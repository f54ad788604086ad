// The bootstrap of a precision matrix: 5,000 Gaussians fitted by Newton's method with conjugate gradients.
//
//     gaussian_newton [--small] [FILE diabetes.csv]
//
// Which of eight measurements of 442 patients go together once the other six are known? Their partial
// correlations, -P_ij / sqrt(P_ii P_jj), are in the precision matrix P of the Gaussian that fits best. It
// minimises -logdet(P) + tr(S*P), with S the covariances of the patients. To see how certain they are, draw the
// patients anew, with replacement, and fit again, 5,000 times at once. A step that leaves the positive definite
// matrices has a status, in its own problem alone: the line search shortens it.
//
// The minimum is known: P = inv(S). Exit status 1 unless P*S is the identity, in every resample, and the partial
// correlations of the patients as they are those that NumPy finds from its inverse of np.corrcoef.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
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
#include <utility>
#include <vector>

#include "newton_cg.hpp"

namespace {

constexpr std::size_t kSize = 8;
constexpr std::size_t kEntries = kSize * kSize;
constexpr double kConverged = 1e-10;  // of the gradient at the start
constexpr double kTolerance = 1e-8;   // of the entries of P*S - I

/// Columns of the file. s1, s2 and s4 are left out: they are all but functions of the others.
constexpr std::array<std::size_t, kSize> kColumns{0, 1, 2, 3, 6, 8, 9, 10};
constexpr std::array<const char*, kSize> kNames{
    "age", "sex", "bmi", "bp", "s3", "s5", "s6", "progression",
};
constexpr std::array<double, kSize - 1> kKnown{
    -0.016820, -0.183969, 0.349197, 0.229051, -0.203160, 0.305654, 0.041926,
};

/// The negative log likelihood of each Gaussian, but for a factor and a constant.
class Likelihood {
public:
    explicit Likelihood(std::vector<double> covariances) : s_(std::move(covariances)) {
        const matgrad::Function f("-logdet(P) + tr(S*P)", "P", {"P=n,n:spd", "S=n,n:sym"},
                                  {.hvp = {{"P", "V"}}});
        const auto count = static_cast<std::int64_t>(s_.size() / kEntries);
        const auto S = matgrad::row_major(s_, kSize, kSize).batched(count);
        gradient_ = f.plan({{"P", S}, {"S", S}}, {"value", "gradient P"});
        hessian_ = f.plan({{"P", S}, {"V", S}}, "hvp P");
    }

    void evaluate(const std::vector<double>& p, std::vector<double>& value,
                  std::vector<double>& gradient, std::vector<std::int32_t>& status) const {
        gradient_.run({{"P", p}, {"S", s_}}, {{"value", value}, {"gradient P", gradient}}, status);
    }
    void linearize(const std::vector<double>& p) { at_ = hessian_.linearize({{"P", p}}); }
    void multiply(const std::vector<double>& v, std::vector<double>& product) const {
        at_.apply({{"V", v}}, {{"hvp P", product}});
    }

private:
    std::vector<double> s_;
    matgrad::Plan gradient_, hessian_;
    matgrad::Linearization at_;
};

/// Row-major, kSize numbers a patient, each column of mean 0 and variance 1.
std::vector<double> read_patients(const std::string& path) {
    std::ifstream file(path);
    std::string line;
    if (!std::getline(file, line)) {
        throw std::runtime_error("cannot read " + path);
    }
    std::vector<double> patients;
    while (std::getline(file, line)) {
        std::replace(line.begin(), line.end(), ',', ' ');
        std::istringstream words(line);
        std::array<double, 11> row{};
        for (double& entry : row) {
            if (!(words >> entry)) {
                throw std::runtime_error("not eleven numbers in " + path);
            }
        }
        for (const std::size_t column : kColumns) {
            patients.push_back(row[column]);
        }
    }
    const std::size_t num_patients = patients.size() / kSize;
    for (std::size_t j = 0; j < kSize; ++j) {
        double mean = 0;
        double variance = 0;
        for (std::size_t i = 0; i < num_patients; ++i) {
            mean += patients[i * kSize + j] / static_cast<double>(num_patients);
        }
        for (std::size_t i = 0; i < num_patients; ++i) {
            double& entry = patients[i * kSize + j];
            entry -= mean;
            variance += entry * entry / static_cast<double>(num_patients);
        }
        for (std::size_t i = 0; i < num_patients; ++i) {
            patients[i * kSize + j] /= std::sqrt(variance);
        }
    }
    return patients;
}

/// The covariances of all patients, then of each resample.
std::vector<double> covariances(const std::vector<double>& patients, std::size_t num_problems) {
    const std::size_t num_patients = patients.size() / kSize;
    const auto n = static_cast<double>(num_patients);
    std::vector<double> s(num_problems * kEntries, 0.0);
    std::mt19937_64 random(442);
    for (std::size_t k = 0; k < num_problems; ++k) {
        std::array<double, kSize> mean{};
        double* const squares = &s[k * kEntries];
        for (std::size_t draw = 0; draw < num_patients; ++draw) {
            // The high 32 bits as a fraction of num_patients.
            const std::size_t i = k == 0 ? draw : ((random() >> 32) * num_patients) >> 32;
            const double* const patient = &patients[i * kSize];
            for (std::size_t a = 0; a < kSize; ++a) {
                mean[a] += patient[a] / n;
                for (std::size_t b = 0; b < kSize; ++b) {
                    squares[a * kSize + b] += patient[a] * patient[b] / n;
                }
            }
        }
        for (std::size_t a = 0; a < kSize; ++a) {
            for (std::size_t b = 0; b < kSize; ++b) {
                squares[a * kSize + b] -= mean[a] * mean[b];
            }
        }
    }
    return s;
}

/// diag(1 / S_ii), the answer if nothing went together.
std::vector<double> inverse_diagonals(const std::vector<double>& s) {
    std::vector<double> p(s.size(), 0.0);
    for (std::size_t i = 0; i < s.size(); ++i) {
        if (i % kEntries % (kSize + 1) == 0) {
            p[i] = 1 / s[i];
        }
    }
    return p;
}

/// The largest entry of P*S - I; NaN if one is.
double distance_from_inverse(const double* p, const double* s) {
    double worst = 0;
    for (std::size_t a = 0; a < kSize; ++a) {
        for (std::size_t b = 0; b < kSize; ++b) {
            double sum = a == b ? -1 : 0;
            for (std::size_t c = 0; c < kSize; ++c) {
                sum += p[a * kSize + c] * s[c * kSize + b];
            }
            if (!std::isnan(worst) && !(std::abs(sum) <= worst)) {
                worst = std::abs(sum);  // and a NaN stays
            }
        }
    }
    return worst;
}

double partial_correlation(const double* p, std::size_t a, std::size_t b) {
    return -p[a * kSize + b] / std::sqrt(p[a * kSize + a] * p[b * kSize + b]);
}

int run(const std::string& path, std::size_t num_resamples) {
    const std::size_t num_problems = num_resamples + 1;
    const std::vector<double> s = covariances(read_patients(path), num_problems);
    Likelihood likelihood(s);
    NewtonCG newton(likelihood, inverse_diagonals(s), num_problems, kConverged);
    int rounds = 0;
    while (newton.step()) {
        ++rounds;
    }

    const std::vector<double>& p = newton.solution();
    double worst = 0;
    for (std::size_t k = 0; k < num_problems; ++k) {
        const double distance = distance_from_inverse(&p[k * kEntries], &s[k * kEntries]);
        if (!std::isnan(worst) && !(distance <= worst)) {
            worst = distance;
        }
    }
    std::printf(
        "%zu resamples, %d Newton steps, %d Hessian products of all; %zu of %zu converged\n",
        num_resamples, rounds, newton.num_products(), newton.num_converged(), num_problems);
    std::printf(
        "partial correlation with progression, and what 95%% of the resamples lie between\n");
    int failures = 0;
    std::vector<double> drawn(num_resamples);
    for (std::size_t j = 0; j + 1 < kSize; ++j) {
        for (std::size_t k = 0; k < num_resamples; ++k) {
            drawn[k] = partial_correlation(&p[(k + 1) * kEntries], j, kSize - 1);
        }
        std::sort(drawn.begin(), drawn.end());
        const double found = partial_correlation(p.data(), j, kSize - 1);
        const bool is_known = std::abs(found - kKnown[j]) <= 0.5e-6;
        std::printf("%-5s %9.6f   %8.4f %8.4f%s\n", kNames[j], found, drawn[num_resamples / 40],
                    drawn[num_resamples - 1 - num_resamples / 40],
                    is_known ? "" : "  FAIL: not the known correlation");
        failures += is_known ? 0 : 1;
    }
    const bool is_inverse = worst <= kTolerance;
    std::printf("largest entry of P*S - I: %.1e%s\n", worst,
                is_inverse ? "" : "  FAIL: not inv(S)");
    failures += is_inverse && newton.num_converged() == num_problems ? 0 : 1;
    return failures == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        const bool is_small = argc > 1 && std::strcmp(argv[1], "--small") == 0;
        const int path = is_small ? 2 : 1;
        return run(argc > path ? argv[path] : MATGRAD_EXAMPLE_DATA "/diabetes.csv",
                   is_small ? 200 : 4999);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "gaussian_newton: %s\n", error.what());
        return 2;
    }
}
