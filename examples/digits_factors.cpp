// Training on handwritten digits: principal components by minibatches, and a factorisation with a ridge.
//
//     digits_factors [--small] [FOLDER of images.txt and singular_values.txt]
//
// The principal components of the images x, 64 pixels each, are the columns of the W that loses least in
//
//     F(W) = sum over the images of 0.5*norm2(x - W*W'*x)^2
//
// A step needs the gradient over some images only: `rows` names them, so nothing is shuffled but indices. The
// variance of such gradients is taken out with those at a W that is kept for an epoch (VR-PCA; Shamir, ICML
// 2015), so that the steps end in the minimum: with beta = -1 a run subtracts what is there.
//
// The factorisation x = V*u, with V shared by all images and u one for each, minimises
//
//     G(V, U) = sum over the images of 0.5*norm2(x - V*u)^2 + 0.5*l*norm2(u)^2, + 0.5*l*norm2(V)^2
//
// by L-BFGS. One call gives the gradient of V, a sum over the images, and that of u, one for each.
//
// Both minima are known from the singular values of the images: of F half the squares of those left out, of G
// those of the singular values less l (Srebro, Rennie and Jaakkola, NIPS 2004). Exit status 1 if one is
// missed by more than a part of 1e-9.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <fstream>
#include <matgrad/matgrad.hpp>
#include <numeric>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "lbfgs.hpp"

namespace {

constexpr std::size_t kPixels = 64;
constexpr std::size_t kRank = 10;
constexpr std::size_t kShared = kPixels * kRank;  // entries of W and of V
constexpr double kTolerance = 1e-9;

/// Uniform in [-1, 1), the same everywhere.
class Random {
public:
    double operator()() { return std::ldexp(static_cast<double>(bits_() >> 11), -52) - 1; }
    /// Below `count`: the high 32 bits as a fraction of it.
    std::size_t below(std::size_t count) { return ((bits_() >> 32) * count) >> 32; }

private:
    std::mt19937_64 bits_{1797};
};

std::int64_t num_images(const std::vector<double>& x) {
    return static_cast<std::int64_t>(x.size() / kPixels);
}

/// Each image a problem of a batch.
auto batch_of(const std::vector<double>& x) {
    return matgrad::column(x, kPixels).batched(num_images(x));
}

/// Stochastic steps towards the principal components.
class PrincipalComponents {
public:
    explicit PrincipalComponents(const std::vector<double>& images)
        : x_(images),
          order_(images.size() / kPixels),
          w_(kShared),
          w_kept_(kShared),
          full_(kShared),
          change_(kShared) {
        std::iota(order_.begin(), order_.end(), std::int64_t{0});
        for (double& entry : w_) {
            entry = 0.1 * random_();
        }
    }

    /// One pass over the images in a new order. Returns F where it began.
    double epoch() {
        w_kept_ = w_;
        const double loss = evaluate(w_kept_, {}, full_, 0);
        for (std::size_t i = order_.size(); i-- > 1;) {
            std::swap(order_[i], order_[random_.below(i + 1)]);
        }
        for (std::size_t first = 0; first < order_.size(); first += kBatch) {
            const std::size_t count = std::min(kBatch, order_.size() - first);
            const std::span<const std::int64_t> rows(&order_[first], count);
            const double part = static_cast<double>(count) / static_cast<double>(order_.size());
            for (std::size_t e = 0; e < kShared; ++e) {
                change_[e] = part * full_[e];
            }
            evaluate(w_kept_, rows, change_, -1);
            evaluate(w_, rows, change_, -1);
            for (std::size_t e = 0; e < kShared; ++e) {
                w_[e] -= kRate / static_cast<double>(count) * change_[e];
            }
        }
        return loss;
    }

private:
    static constexpr std::size_t kBatch = 128;
    static constexpr const char* kLoss = "0.5*norm2(x - W*W'*x)^2";
    static constexpr double kRate = 0.3;  // less than 2 over the largest curvature, 4*0.7

    /// F over the images of these rows, of all if there are none; gradient = that of F + beta*gradient.
    double evaluate(const std::vector<double>& w, std::span<const std::int64_t> rows,
                    std::vector<double>& gradient, double beta) const {
        double loss = 0;
        f_.run({{"x", batch_of(x_)}, {"W", matgrad::row_major(w, kPixels, kRank)}},
               {{"value", loss}, {"gradient W", gradient, beta}}, {}, {.rows = rows});
        return loss;
    }

    const std::vector<double>& x_;
    std::vector<std::int64_t> order_;
    std::vector<double> w_, w_kept_, full_, change_;
    Random random_;
    matgrad::Function f_{kLoss, "W", {}, {.reduction = matgrad::Reduction::sum}};
};

/// G as a function of one vector: the entries of V, then those of U.
class Factorisation {
public:
    static constexpr double kRidge = 5;
    static constexpr const char* kObjective =
        "0.5*norm2(x - V*u)^2 + 0.5*l*norm2(u)^2 + 0.5*k*norm2(V)^2";

    explicit Factorisation(const std::vector<double>& images) : x_(images) {}

    double evaluate(const std::vector<double>& entries, std::vector<double>& gradient) const {
        double value = 0;
        const std::int64_t n = num_images(x_);
        const double l = kRidge;
        const double k = kRidge / static_cast<double>(n);  // of an image in the ridge on V
        const auto x = batch_of(x_);
        const auto V = matgrad::row_major(entries.data(), kPixels, kRank);
        const auto u = matgrad::column(entries.data() + kShared, kRank).batched(n);
        const std::span dV = std::span(gradient).first(kShared);
        const std::span du = std::span(gradient).subspan(kShared);
        f_.run({{"x", x}, {"V", V}, {"u", u}, {"l", l}, {"k", k}},
               {{"value", value}, {"gradient V", dV}, {"gradient u", du}});
        return value;
    }

private:
    const std::vector<double>& x_;
    matgrad::Function f_{
        kObjective, {"V", "u"}, {"l=1", "k=1"}, {.reduction = matgrad::Reduction::sum}};
};

/// Pixels over 16, the mean image taken off.
std::vector<double> read_images(const std::string& path) {
    std::ifstream file(path);
    std::vector<double> x;
    for (std::string line; std::getline(file, line);) {
        if (line.size() != kPixels || line.find_first_not_of("0123456789abcdefg") != line.npos) {
            throw std::runtime_error("not 64 digits of base 17 in " + path);
        }
        for (const char digit : line) {
            x.push_back((digit <= '9' ? digit - '0' : digit - 'a' + 10) / 16.0);
        }
    }
    if (x.empty()) {
        throw std::runtime_error("cannot read " + path);
    }
    const auto n = static_cast<double>(num_images(x));
    for (std::size_t j = 0; j < kPixels; ++j) {
        double mean = 0;
        for (std::size_t i = j; i < x.size(); i += kPixels) {
            mean += x[i] / n;
        }
        for (std::size_t i = j; i < x.size(); i += kPixels) {
            x[i] -= mean;
        }
    }
    return x;
}

std::vector<double> read_singular_values(const std::string& path) {
    std::ifstream file(path);
    std::vector<double> values(kPixels);
    for (double& value : values) {
        if (!(file >> value)) {
            throw std::runtime_error("not 64 numbers in " + path);
        }
    }
    return values;
}

/// Prints a line and returns 1 if the minimum was not found.
int compare(const char* name, int rounds, double found, double known) {
    const bool is_known = std::abs(found - known) <= kTolerance * known;
    std::printf("%-22s %6d %18.10f %18.10f%s\n", name, rounds, found, known,
                is_known ? "" : "  FAIL: not the minimum");
    return is_known ? 0 : 1;
}

int run(const std::string& folder, bool is_small) {
    const std::vector<double> x = read_images(folder + "/images.txt");
    double least_loss = 0;
    double least_objective = 0;
    const std::vector<double> sigma = read_singular_values(folder + "/singular_values.txt");
    const double l = Factorisation::kRidge;
    for (std::size_t i = 0; i < kPixels; ++i) {
        const double half_square = 0.5 * sigma[i] * sigma[i];
        least_loss += i < kRank ? 0 : half_square;
        least_objective += i < kRank && sigma[i] > l ? l * sigma[i] - 0.5 * l * l : half_square;
    }

    std::printf("                       rounds              found              known\n");
    PrincipalComponents components(x);
    const int num_epochs = is_small ? 100 : 200;
    for (int i = 0; i < num_epochs; ++i) {
        components.epoch();
    }
    int failures = compare("principal components", num_epochs, components.epoch(), least_loss);

    const Factorisation factorisation(x);
    Random random;
    std::vector<double> start(kShared + x.size() / kPixels * kRank);
    for (double& entry : start) {
        entry = 0.1 * random();
    }
    Lbfgs lbfgs(factorisation, start, 1e-9);
    int rounds = 0;
    while (lbfgs.step()) {
        ++rounds;
    }
    failures += compare("factorisation", rounds, lbfgs.value(), least_objective);
    return failures == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        const bool is_small = argc > 1 && std::strcmp(argv[1], "--small") == 0;
        const int path = is_small ? 2 : 1;
        return run(argc > path ? argv[path] : MATGRAD_EXAMPLE_DATA "/digits", is_small);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "digits_factors: %s\n", error.what());
        return 2;
    }
}
