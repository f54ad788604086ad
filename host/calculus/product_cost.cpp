#include "calculus/product_cost.hpp"

#include <algorithm>

#include "expression/interval_table.hpp"

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
    // The cheapest way to multiply factors i..j.
    IntervalTable<double> best(static_cast<int>(n));
    best.fill([](int) { return 0.0; },
              [&](int i, int j) {
                  const auto at = [&](int k) { return extent[static_cast<std::size_t>(k)]; };
                  double least = -1;
                  for (int split = i; split < j; ++split) {
                      const double own = 2 * at(i) * at(split + 1) * at(j + 1);
                      const double total = best.at(i, split) + best.at(split + 1, j) + own;
                      if (least < 0 || total < least) {
                          least = total;
                      }
                  }
                  return least;
              });
    return best.at(0, static_cast<int>(n) - 1);
}

}  // namespace matgrad
