#include "calculus/product_cost.hpp"

#include <algorithm>

namespace matgrad {

AssumedSizes::AssumedSizes(std::span<const Expr> factors) {
    const auto note = [this](const Dim& d) {
        if (!d.name.empty() && std::find(names_.begin(), names_.end(), d.name) == names_.end()) {
            names_.push_back(d.name);
        }
    };
    for (const Expr& f : factors) {
        note(f.shape().rows);
        note(f.shape().cols);
    }
}

double AssumedSizes::size(const Dim& dim, std::size_t k) const {
    if (dim.name.empty()) {
        return static_cast<double>(dim.size);
    }
    constexpr double kUsual = 64;
    constexpr double kSmall = 16;
    constexpr double kLarge = 256;
    if (k == 0) {
        return kUsual;
    }
    if (names_[(k - 1) / 2] != dim.name) {
        return kUsual;
    }
    return k % 2 == 1 ? kSmall : kLarge;
}

double product_cost(std::span<const Expr> factors, const AssumedSizes& sizes, std::size_t k) {
    const std::size_t n = factors.size();
    if (n < 2) {
        return 0;
    }
    std::vector<double> extent;
    for (const Expr& f : factors) {
        extent.push_back(sizes.size(f.shape().rows, k));
    }
    extent.push_back(sizes.size(factors.back().shape().cols, k));
    // best[i * n + j]: the cheapest way to multiply factors i..j.
    std::vector<double> best(n * n, 0);
    for (std::size_t length = 2; length <= n; ++length) {
        for (std::size_t i = 0; i + length <= n; ++i) {
            const std::size_t j = i + length - 1;
            double least = -1;
            for (std::size_t split = i; split < j; ++split) {
                const double own = 2 * extent[i] * extent[split + 1] * extent[j + 1];
                const double total = best[i * n + split] + best[(split + 1) * n + j] + own;
                if (least < 0 || total < least) {
                    least = total;
                }
            }
            best[i * n + j] = least;
        }
    }
    return best[n - 1];
}

}  // namespace matgrad
