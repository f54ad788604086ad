#include "planner/chain_order.hpp"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "planner/chain_cost.hpp"
#include "program/cost.hpp"

namespace matgrad {
namespace {

/// Weighs the sub-chains of one chain, shortest first.
class Orderer {
public:
    Orderer(std::span<const ChainLink> links, double batch, const ChainShare& share)
        : links_(links),
          batch_(std::max(batch, 1.0)),
          share_(share),
          order_(static_cast<int>(links.size())) {}

    ChainOrder run() {
        order_.fill([this](int i) { return leaf(i); }, [this](int i, int j) { return best(i, j); });
        return std::move(order_);
    }

private:
    [[nodiscard]] const ChainLink& link(int i) const { return links_[static_cast<std::size_t>(i)]; }

    [[nodiscard]] double weight(int i, int j) const {
        for (int k = i; k <= j; ++k) {
            if (!link(k).shared) {
                return 1;
            }
        }
        return 1 / batch_;
    }

    [[nodiscard]] double share(int i, int j) const { return share_ ? share_(i, j) : 1; }

    [[nodiscard]] ChainStep leaf(int i) const {
        const ChainLink& l = link(i);
        ChainStep step;
        step.split = i;
        step.operations = share(i, i) * weight(i, i) * materialise_operations(l.kind, l.rows);
        return step;
    }

    static double entries(std::int64_t rows, std::int64_t cols) {
        return 8 * static_cast<double>(rows) * static_cast<double>(cols);
    }

    /// Adds the cost of one join to that of the dense parts it reads.
    [[nodiscard]] ChainStep joined(Join join, int i, int j, int split, double operations,
                                   std::initializer_list<std::pair<int, int>> parts) const {
        ChainStep step{join, split, 0, 0};
        const double w = weight(i, j);
        step.operations = w * operations;
        step.bytes = w * entries(link(i).rows, link(j).cols);
        for (const auto& [from, to] : parts) {
            step.operations += order_.at(from, to).operations;
            step.bytes += order_.at(from, to).bytes + w * entries(link(from).rows, link(to).cols);
        }
        return step;
    }

    static bool is_better(const ChainStep& a, const ChainStep& b) {
        const double slack = 1e-12 * std::max(a.operations, b.operations);
        if (a.operations < b.operations - slack) {
            return true;
        }
        if (a.operations > b.operations + slack) {
            return false;
        }
        return a.bytes < b.bytes * (1 - 1e-12);
    }

    [[nodiscard]] ChainStep best(int i, int j) const {
        ChainStep found;
        bool any = false;
        const auto consider = [&](const ChainStep& candidate) {
            if (!any || is_better(candidate, found)) {
                found = candidate;
            }
            any = true;
        };
        consider_ends(i, j, consider);
        consider_symmetric(i, j, consider);
        // The last split first: of equally good brackets the left-to-right one is kept.
        for (int k = j - 1; k >= i; --k) {
            const double ops = gemm_operations(link(i).rows, link(k).cols, link(j).cols);
            if (is_repeated(i, k, j)) {  // P*P: P is computed once
                consider(joined(Join::multiply, i, j, k, ops, {{i, k}}));
            } else {
                consider(joined(Join::multiply, i, j, k, ops, {{i, k}, {k + 1, j}}));
            }
        }
        const double s = share(i, j);
        found.operations *= s;
        found.bytes *= s;
        return found;
    }

    [[nodiscard]] bool is_repeated(int i, int k, int j) const {
        if (k - i != j - k - 1) {
            return false;
        }
        for (int at = i; at <= k; ++at) {
            if (link(at).key != link(at + k + 1 - i).key) {
                return false;
            }
        }
        return true;
    }

    template <typename Consider>
    void consider_ends(int i, int j, const Consider& consider) const {
        const std::int64_t m = link(i).rows;
        const std::int64_t n = link(j).cols;
        const LinkKind first = link(i).kind;
        const LinkKind last = link(j).kind;
        if (is_solve(last)) {
            consider(
                joined(Join::solve_right, i, j, j - 1, solve_operations(last, n, m), {{i, j - 1}}));
        }
        if (is_solve(first)) {
            consider(
                joined(Join::solve_left, i, j, i, solve_operations(first, m, n), {{i + 1, j}}));
        }
        const double entry_count = static_cast<double>(m) * static_cast<double>(n);
        if (last == LinkKind::diagonal) {
            consider(joined(Join::scale_right, i, j, j - 1, entry_count, {{i, j - 1}}));
        }
        if (first == LinkKind::diagonal) {
            consider(joined(Join::scale_left, i, j, i, entry_count, {{i + 1, j}}));
        }
        if (last == LinkKind::unit_columns) {
            consider(joined(Join::window_right, i, j, j - 1, entry_count, {{i, j - 1}}));
        }
        if (first == LinkKind::unit_columns) {
            consider(joined(Join::window_left, i, j, i, entry_count, {{i + 1, j}}));
        }
        if (last == LinkKind::ones && n == 1) {
            const double ops = static_cast<double>(m) * static_cast<double>(link(j).rows);
            consider(joined(Join::sum_right, i, j, j - 1, ops, {{i, j - 1}}));
        }
        if (first == LinkKind::ones && m == 1) {
            const double ops = static_cast<double>(n) * static_cast<double>(link(i).cols);
            consider(joined(Join::sum_left, i, j, i, ops, {{i + 1, j}}));
        }
    }

    template <typename Consider>
    void consider_symmetric(int i, int j, const Consider& consider) const {
        if (!is_palindrome(links_, i, j)) {
            return;
        }
        const std::int64_t m = link(i).rows;
        const int length = j - i + 1;
        const int middle = i + (length - 1) / 2;
        if (length % 2 == 0) {
            consider(joined(Join::syrk, i, j, middle, syrk_operations(m, link(middle).cols),
                            {{i, middle}}));
        } else if (link(middle).kind == LinkKind::cholesky) {
            const std::int64_t s = link(middle).rows;
            consider(joined(Join::congruence, i, j, middle,
                            trsm_operations(s, m) + syrk_operations(m, s), {{i, middle - 1}}));
        }
    }

    std::span<const ChainLink> links_;
    double batch_;
    const ChainShare& share_;
    ChainOrder order_;
};

}  // namespace

ChainOrder order_chain(std::span<const ChainLink> links, double batch, const ChainShare& share) {
    return Orderer(links, batch, share).run();
}

bool is_palindrome(std::span<const ChainLink> links, int i, int j) {
    for (; i <= j; ++i, --j) {
        const ChainLink& first = links[static_cast<std::size_t>(i)];
        if (first.key != links[static_cast<std::size_t>(j)].transposed_key) {
            return false;
        }
    }
    return true;
}

}  // namespace matgrad
