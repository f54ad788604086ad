// The bootstrap of a classifier: 500 weighted logistic regressions fitted by Newton's method together.
//
//     logistic_bootstrap [--small] [FOLDER of data.csv, counts.csv and coefficients.csv]
//
// A resample of 569 tumours is a vector c of counts, and its regression minimises
//
//     sum(c.*softplus(-s.*(X*w))) + 0.5*norm2(w)^2
//
// with s = 1 for a malignant tumour and -1 for a benign one, and X the standardised features with a last column
// of ones for the intercept. X and s are shared by all resamples, c and w are batched. Newton's method keeps what
// a point says of the Hessian, the weights of the tumours, for all its products.
//
// Problem 0 of the batch is the regression itself, the next eight are resamples whose counts are in a file; for
// these nine the coefficients of scikit-learn are in a file too. Exit status 1 if one differs by more than 1e-9,
// or if a resample has not converged.

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
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "newton_cg.hpp"

namespace {

constexpr std::size_t kFeatures = 10;
constexpr std::size_t kCols = kFeatures + 1;  // and the intercept
constexpr double kConverged = 1e-12;          // of the gradient at the start
constexpr double kTolerance = 1e-9;           // of the coefficients, which are about 1

struct Tumours {
    std::size_t num_rows = 0;
    std::vector<double> x;     ///< row-major, kCols numbers a tumour
    std::vector<double> sign;  ///< 1 malignant, -1 benign
};

/// All resamples at once; the counts of problem k are the k-th stretch of `counts`.
class Loss {
public:
    Loss(const Tumours& tumours, std::vector<double> counts)
        : x_(tumours.x), s_(tumours.sign), c_(std::move(counts)) {
        const auto m = static_cast<std::int64_t>(tumours.num_rows);
        const std::int64_t n = kCols;
        const auto f = matgrad::parse("sum(c.*softplus(-s.*(X*w))) + 0.5*norm2(w)^2");
        const std::vector<matgrad::Operand> operands{
            {"c", m, 1, true}, {"s", m}, {"X", m, n}, {"w", n, 1, true}, {"v", n, 1, true}};
        gradient_ = matgrad::make_plan(f, std::span(operands).first(4), {.wrt = {"w"}});
        hessian_ = matgrad::make_plan(f, operands, {.value = false, .hvp = {{"w", "v"}}});
    }

    void evaluate(const std::vector<double>& w, std::vector<double>& value,
                  std::vector<double>& gradient, std::vector<std::int32_t>& status) const {
        gradient_.run({{"c", c_}, {"s", s_}, {"X", x_}, {"w", w}},
                      {{"value", value}, {"gradient w", gradient}}, status);
    }
    void linearize(const std::vector<double>& w) {
        at_ = hessian_.linearize({{"c", c_}, {"s", s_}, {"X", x_}, {"w", w}});
    }
    void multiply(const std::vector<double>& v, std::vector<double>& product) const {
        at_.apply({{"v", v}}, {{"hvp w", product}});
    }

private:
    std::vector<double> x_, s_, c_;
    matgrad::Plan gradient_, hessian_;
    matgrad::Linearization at_;
};

/// The numbers of a file, row after row, each row of num_cols; lines that do not begin with a number are titles.
std::vector<double> read_numbers(const std::string& path, std::size_t num_cols) {
    std::ifstream file(path);
    std::vector<double> numbers;
    std::string line;
    while (std::getline(file, line)) {
        if (line.find_first_of("0123456789-") != 0) {
            continue;
        }
        std::replace(line.begin(), line.end(), ',', ' ');
        std::istringstream words(line);
        for (std::size_t j = 0; j < num_cols; ++j) {
            numbers.push_back(0);
            if (!(words >> numbers.back())) {
                throw std::runtime_error("not " + std::to_string(num_cols) +
                                         " numbers in a row of " + path);
            }
        }
    }
    if (numbers.empty()) {
        throw std::runtime_error("cannot read " + path);
    }
    return numbers;
}

/// Each feature of mean 0 and variance 1.
Tumours read_tumours(const std::string& path) {
    const std::vector<double> table = read_numbers(path, kCols);
    Tumours t;
    t.num_rows = table.size() / kCols;
    t.x.assign(table.size(), 1.0);
    const auto n = static_cast<double>(t.num_rows);
    for (std::size_t j = 0; j < kFeatures; ++j) {
        double mean = 0;
        double variance = 0;
        for (std::size_t i = 0; i < t.num_rows; ++i) {
            mean += table[i * kCols + j] / n;
        }
        for (std::size_t i = 0; i < t.num_rows; ++i) {
            const double difference = table[i * kCols + j] - mean;
            variance += difference * difference / n;
        }
        for (std::size_t i = 0; i < t.num_rows; ++i) {
            t.x[i * kCols + j] = (table[i * kCols + j] - mean) / std::sqrt(variance);
        }
    }
    for (std::size_t i = 0; i < t.num_rows; ++i) {
        t.sign.push_back(table[i * kCols + kFeatures] > 0 ? 1 : -1);
    }
    return t;
}

/// Ones, then the counts that are known, then counts of draws with replacement.
std::vector<double> draw_counts(const std::vector<double>& known, std::size_t num_problems,
                                std::size_t num_rows) {
    std::vector<double> counts(num_rows, 1.0);
    counts.insert(counts.end(), known.begin(), known.end());
    const std::size_t num_known = counts.size() / num_rows;
    counts.resize(num_problems * num_rows, 0.0);
    std::mt19937_64 random(569);
    for (std::size_t k = num_known; k < num_problems; ++k) {
        for (std::size_t draw = 0; draw < num_rows; ++draw) {
            // The high 32 bits as a fraction of num_rows.
            counts[k * num_rows + (((random() >> 32) * num_rows) >> 32)] += 1;
        }
    }
    return counts;
}

int run(const std::string& folder, std::size_t num_problems) {
    const Tumours tumours = read_tumours(folder + "/data.csv");
    const std::size_t num_rows = tumours.num_rows;
    const std::vector<double> known = read_numbers(folder + "/coefficients.csv", kCols);
    Loss loss(tumours,
              draw_counts(read_numbers(folder + "/counts.csv", num_rows), num_problems, num_rows));
    NewtonCG newton(loss, std::vector<double>(num_problems * kCols, 0.0), num_problems, kConverged);
    int rounds = 0;
    while (newton.step()) {
        ++rounds;
    }
    const std::vector<double>& w = newton.solution();

    std::printf(
        "%zu regressions on %zu tumours, %d Newton steps, %d Hessian products of all; "
        "%zu converged\n",
        num_problems, num_rows, rounds, newton.num_products(), newton.num_converged());
    int failures = newton.num_converged() == num_problems ? 0 : 1;
    double worst = 0;
    for (std::size_t e = 0; e < known.size(); ++e) {
        const double difference = std::abs(w[e] - known[e]);
        if (!(difference <= kTolerance)) {
            std::printf("FAIL: coefficient %zu of regression %zu is %.12f, of scikit-learn %.12f\n",
                        e % kCols, e / kCols, w[e], known[e]);
            ++failures;
        }
        worst = std::max(worst, difference);
    }
    std::printf("largest difference from scikit-learn's %zu coefficients: %.1e\n", known.size(),
                worst);
    std::printf("column    coefficient   bootstrap s.e.\n");
    for (std::size_t j = 0; j < kCols; ++j) {
        double mean = 0;
        double deviation = 0;
        for (std::size_t k = 1; k < num_problems; ++k) {
            const double delta = w[k * kCols + j] - mean;
            mean += delta / static_cast<double>(k);
            deviation += delta * (w[k * kCols + j] - mean);
        }
        std::printf("%6zu %14.6f %16.4f\n", j + 1, w[j],
                    std::sqrt(deviation / static_cast<double>(num_problems - 2)));
    }
    return failures == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        const bool is_small = argc > 1 && std::strcmp(argv[1], "--small") == 0;
        const int path = is_small ? 2 : 1;
        return run(argc > path ? argv[path] : MATGRAD_EXAMPLE_DATA "/breast_cancer",
                   is_small ? 60 : 500);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "logistic_bootstrap: %s\n", error.what());
        return 2;
    }
}
