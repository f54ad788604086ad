#include "expression/print_parts.hpp"

#include <span>

namespace matgrad::detail {
namespace {

void insert(const Expr& e, std::vector<Powered>& above, std::vector<Powered>& below) {
    if (e->op != Op::power) {
        above.push_back({e, 1});
    } else if (e->number > 0) {
        above.push_back({e->children.front(), e->number});
    } else {
        below.push_back({e->children.front(), -e->number});
    }
}

}  // namespace

Fraction split_product(const Expr& e) {
    Fraction f;
    std::span<const Expr> scalars;
    std::span<const Expr> matrices(&e, 1);
    if (e->op == Op::product) {
        f.number = e->number;
        const auto split = static_cast<std::size_t>(e->num_scalars);
        scalars = std::span(e->children).first(split);
        matrices = std::span(e->children).subspan(split);
    } else if (e.shape().is_scalar()) {
        std::swap(scalars, matrices);
    }
    for (const Expr& s : scalars) {
        insert(s, f.scalars, f.scalars_below);
    }
    if (matrices.size() == 1 && matrices.front()->op == Op::hadamard) {
        for (const Expr& c : matrices.front()->children) {
            insert(c, f.entries, f.entries_below);
        }
    } else if (matrices.size() == 1 && matrices.front()->op == Op::power) {
        insert(matrices.front(), f.entries, f.entries_below);
    } else {
        f.matrices.assign(matrices.begin(), matrices.end());
    }
    return f;
}

}  // namespace matgrad::detail
