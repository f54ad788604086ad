#include "expression/numpy_chain.hpp"

#include <utility>

namespace matgrad::detail {
namespace {

/// The size of a dimension for comparisons: a named one counts as large.
double assumed_size(const Dim& dim) {
    constexpr double kNamed = 100;
    return dim.name.empty() ? static_cast<double>(dim.size) : kNamed;
}

/// The cheapest split of every part of the chain, by dynamic programming.
class Order {
public:
    explicit Order(const std::vector<Shape>& shapes)
        : count_(shapes.size()), cost_(count_ * count_, 0), split_(count_ * count_, 0) {
        for (std::size_t length = 2; length <= count_; ++length) {
            for (std::size_t i = 0; i + length <= count_; ++i) {
                choose(shapes, i, i + length - 1);
            }
        }
    }

    /// The factors i to j; one after the other from the left needs no brackets.
    [[nodiscard]] std::string text(const std::vector<std::string>& factors, std::size_t i,
                                   std::size_t j) const {
        if (i == j) {
            return factors[i];
        }
        const std::size_t k = split_[at(i, j)];
        const std::string right = text(factors, k + 1, j);
        return text(factors, i, k) + " @ " + (k + 1 == j ? right : "(" + right + ")");
    }

private:
    [[nodiscard]] std::size_t at(std::size_t i, std::size_t j) const { return i * count_ + j; }

    void choose(const std::vector<Shape>& shapes, std::size_t i, std::size_t j) {
        double best = 0;
        for (std::size_t k = j; k-- > i;) {  // the last factor by itself first: from the left
            const double cost = cost_[at(i, k)] + cost_[at(k + 1, j)] +
                                assumed_size(shapes[i].rows) * assumed_size(shapes[k].cols) *
                                    assumed_size(shapes[j].cols);
            if (k + 1 == j || cost < best) {
                best = cost;
                split_[at(i, j)] = k;
            }
        }
        cost_[at(i, j)] = best;
    }

    std::size_t count_;
    std::vector<double> cost_;
    std::vector<std::size_t> split_;
};

}  // namespace

std::string ordered_chain(const std::vector<std::string>& factors,
                          const std::vector<Shape>& shapes) {
    constexpr std::size_t kLongest = 32;  // the work grows with the third power
    if (factors.size() > kLongest) {
        std::string text = factors.front();
        for (std::size_t i = 1; i < factors.size(); ++i) {
            text += " @ " + factors[i];
        }
        return text;
    }
    return Order(shapes).text(factors, 0, factors.size() - 1);
}

}  // namespace matgrad::detail
