#include <iterator>
#include <set>

#include "expression/build.hpp"
#include "expression/make_node.hpp"
#include "planner/lowering.hpp"

namespace matgrad::detail {

double Lowering::product_operations(std::span<const Expr> factors) {
    if (factors.size() < 2) {
        return 0;
    }
    const Links links = links_of(factors);
    return order(links).at(0, static_cast<int>(links.size()) - 1).operations;
}

namespace {

/// Counts sub-chains, each once for every chain that it lies in.
class ChainCounter {
public:
    /// Every sub-chain of a product.
    void count_line(const Links& links) {
        const int n = static_cast<int>(links.size());
        if (n < 2 || !lines_.insert(oriented_key(links, 0, n - 1).key).second) {
            return;
        }
        parts_ += links.size() * links.size() / 2;
        for (int i = 0; i < n && !is_full(); ++i) {
            for (int j = i + 1; j < n; ++j) {
                ++counts_[oriented_key(links, i, j).key];
            }
        }
    }

    /// tr(links): the arcs of the chain closed to a ring that go past its end or past `inner`, where
    /// one product ends and another begins. What lies within a product is counted with that.
    void count_ring(const Links& links, int inner) {
        const int n = static_cast<int>(links.size());
        if (n < 3 || n > kLongestRing || !rings_.insert(oriented_key(links, 0, n - 1).key).second) {
            return;
        }
        parts_ += links.size() * links.size();
        Links ring = links;
        ring.insert(ring.end(), links.begin(), links.end());
        for (int start = 0; start < n && !is_full(); ++start) {
            for (int last = start + 1; last < start + n - 1; ++last) {
                const bool crosses = last >= n || (start < inner && last >= inner);
                counts_[oriented_key(ring, start, last).key] += crosses ? 1 : 0;
            }
        }
    }

    /// Beyond this chains are ordered one by one.
    [[nodiscard]] bool is_full() const { return parts_ > 20'000; }

    /// What more than one chain wants.
    [[nodiscard]] ChainCounts take() {
        for (auto at = counts_.begin(); at != counts_.end();) {
            at = at->second > 1 ? std::next(at) : counts_.erase(at);
        }
        return std::move(counts_);
    }

private:
    std::set<ChainKey> lines_, rings_;
    ChainCounts counts_;
    std::size_t parts_ = 0;
};

}  // namespace

ChainCounts Lowering::count_chains() {
    std::vector<Expr> forms;
    for (const OutputRequest& o : request_.outputs) {
        forms.push_back(o.form);
    }
    ChainCounter counter;
    for (const Expr& e : topological_order(forms)) {
        if (e->op == Op::product &&
            e->children.size() >= static_cast<std::size_t>(e->num_scalars) + 2) {
            counter.count_line(
                links_of(std::span(e->children).subspan(static_cast<std::size_t>(e->num_scalars))));
        } else if (e->op == Op::trace) {
            const Expr& y = e->children.front();
            const std::span<const Expr> terms =
                y->op == Op::add ? std::span<const Expr>(y->children) : std::span(&y, 1);
            for (const Expr& term : terms) {
                counter.count_ring(links_of(factors_of(term).matrices), 0);
            }
        } else if (e->op == Op::dot && e->children[0] != e->children[1]) {
            const Links left = links_of(factors_of(transpose(e->children[0])).matrices);
            const Links right = links_of(factors_of(e->children[1]).matrices);
            if (!left.empty() && !right.empty()) {
                Links links = left;
                links.insert(links.end(), right.begin(), right.end());
                counter.count_ring(links, static_cast<int>(left.size()));
            }
        }
        if (counter.is_full()) {
            return {};
        }
    }
    return counter.take();
}

}  // namespace matgrad::detail
