#pragma once
/// \file Dynamic programming over the sub-chains of a chain.

#include <cstddef>
#include <vector>

namespace matgrad {

/// One cell for every sub-chain i..j of `length` links.
template <typename Cell>
class IntervalTable {
public:
    IntervalTable() = default;
    explicit IntervalTable(int length)
        : length_(length),
          cells_(static_cast<std::size_t>(length) * static_cast<std::size_t>(length)) {}

    [[nodiscard]] const Cell& at(int i, int j) const { return cells_[index(i, j)]; }
    [[nodiscard]] int length() const { return length_; }

    /// Fills in `leaf(i)` and then, shortest first, `best(i, j)`, which may read all shorter ones.
    template <typename Leaf, typename Best>
    void fill(const Leaf& leaf, const Best& best) {
        for (int i = 0; i < length_; ++i) {
            cells_[index(i, i)] = leaf(i);
        }
        for (int links = 2; links <= length_; ++links) {
            for (int i = 0; i + links <= length_; ++i) {
                cells_[index(i, i + links - 1)] = best(i, i + links - 1);
            }
        }
    }

private:
    [[nodiscard]] std::size_t index(int i, int j) const {
        return static_cast<std::size_t>(i) * static_cast<std::size_t>(length_) +
               static_cast<std::size_t>(j);
    }

    int length_ = 0;
    std::vector<Cell> cells_;
};

}  // namespace matgrad
