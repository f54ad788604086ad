#include "expression/build.hpp"
#include "planner/lowering.hpp"

namespace matgrad::detail {

double Lowering::product_operations(std::span<const Expr> factors) {
    if (factors.size() < 2) {
        return 0;
    }
    const Links links = links_of(factors);
    return order(links).at(0, static_cast<int>(links.size()) - 1).operations;
}

ChainCounts Lowering::count_chains() {
    std::vector<Expr> forms;
    for (const OutputRequest& o : request_.outputs) {
        forms.push_back(o.form);
    }
    constexpr std::size_t kMostParts = 20'000;  // beyond that chains are ordered one by one
    std::map<ChainKey, int> seen;
    ChainCounts counts;
    std::size_t parts = 0;
    for (const Expr& e : topological_order(forms)) {
        if (e->op != Op::product ||
            e->children.size() < static_cast<std::size_t>(e->num_scalars) + 2) {
            continue;
        }
        const Links links =
            links_of(std::span(e->children).subspan(static_cast<std::size_t>(e->num_scalars)));
        const int n = static_cast<int>(links.size());
        if (n < 2 || !seen.try_emplace(oriented_key(links, 0, n - 1).key, 1).second) {
            continue;
        }
        parts += links.size() * links.size() / 2;
        if (parts > kMostParts) {
            return {};
        }
        for (int i = 0; i < n; ++i) {
            for (int j = i + 1; j < n; ++j) {
                ++counts[oriented_key(links, i, j).key];
            }
        }
    }
    for (auto at = counts.begin(); at != counts.end();) {
        at = at->second > 1 ? std::next(at) : counts.erase(at);
    }
    return counts;
}

}  // namespace matgrad::detail
