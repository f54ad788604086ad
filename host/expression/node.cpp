#include "expression/node.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_set>
#include <utility>

#include "expression/fingerprint.hpp"
#include "expression/guarded.hpp"
#include "expression/make_node.hpp"
#include "expression/symbol_list.hpp"

namespace matgrad {
namespace {

/// True if the matrix factors read M1 M2 ... S ... M2' M1' with S absent or semidefinite.
bool is_congruence(const Node& n) {
    auto lo = static_cast<std::size_t>(n.num_scalars);
    auto hi = n.children.size();
    while (hi - lo >= 2) {
        if (n.children[lo]->fingerprint != n.children[hi - 1]->transposed_fingerprint) {
            return false;
        }
        ++lo;
        --hi;
    }
    return hi == lo || n.children[lo]->semidefinite;
}

bool all_semidefinite(const Node& n) {
    for (const Expr& c : n.children) {
        if (!c->semidefinite) {
            return false;
        }
    }
    return true;
}

/// True if every entry is known to be 0 or more; looked at down to `depth` nodes below.
bool is_never_negative(const Expr& e, int depth = 4) {
    const auto of = [depth](const Expr& child) {
        return depth > 0 && is_never_negative(child, depth - 1);
    };
    if (e.shape().is_scalar()) {
        return e->semidefinite;
    }
    const std::optional<Entrywise> function = entrywise_of(e->op);
    if (function && (facts_of(*function) & EntrywiseFact::kNeverNegative) != 0) {
        return true;
    }
    switch (e->op) {
        case Op::ones:
        case Op::row_norm2:
        case Op::col_norm2:
            return true;
        case Op::power:
            return std::fmod(e->number, 2) == 0 || of(e->children.front());
        case Op::product:
            return e->number >= 0 && std::all_of(e->children.begin(), e->children.end(), of);
        case Op::add:
        case Op::hadamard:
            return std::all_of(e->children.begin(), e->children.end(), of);
        case Op::mask:
        case Op::unmask:
        case Op::row_sum:
        case Op::col_sum:
        case Op::row_max:
        case Op::col_max:
        case Op::transpose:
            return of(e->children.front());
        default:
            return false;
    }
}

bool is_semidefinite(const Node& n) {
    switch (n.op) {
        case Op::number:
            return n.number >= 0;
        case Op::symbol:
            return n.structure == Structure::positive;
        case Op::eye:
        case Op::dim:
            return true;
        case Op::ones:
            return n.shape.is_square();
        case Op::add:
            return all_semidefinite(n);
        case Op::product:
            for (int i = 0; i < n.num_scalars; ++i) {
                if (!n.children[static_cast<std::size_t>(i)]->semidefinite) {
                    return false;
                }
            }
            return n.number >= 0 && is_congruence(n);
        case Op::hadamard:
            return all_semidefinite(n);  // Schur
        case Op::power:
            if (n.shape.is_scalar()) {
                return n.children.front()->semidefinite || std::fmod(n.number, 2) == 0;
            }
            return n.children.front()->semidefinite && n.number >= 1 &&
                   std::trunc(n.number) == n.number;
        case Op::inverse:
        case Op::det:
        case Op::trace:
            return n.children.front()->semidefinite;
        case Op::dot:
            return n.children[0] == n.children[1];
        case Op::norm1:
        case Op::norm2:
            return true;
        case Op::diag_matrix:
            return is_never_negative(n.children.front());
#define MATGRAD_ROW(name, ...) case Op::name:
            MATGRAD_ENTRYWISE_FUNCTIONS(MATGRAD_ROW)
#undef MATGRAD_ROW
            return n.shape.is_scalar() &&
                   (facts_of(*entrywise_of(n.op)) & EntrywiseFact::kNeverNegative) != 0;
        case Op::transpose:
        case Op::logdet:
        case Op::log_det:
        case Op::sum:
        case Op::logsumexp:
        case Op::row_sum:
        case Op::row_logsumexp:
        case Op::col_logsumexp:
        case Op::col_sum:
        case Op::row_norm2:
        case Op::col_norm2:
        case Op::diag_vector:
        case Op::tril:
        case Op::triu:
        case Op::row_max:
        case Op::col_max:
        case Op::is_row_max:
        case Op::is_col_max:
        case Op::cholesky:
        case Op::unit_columns:
        case Op::differential:
        case Op::adjugate:
            return false;
    }
    return false;
}

}  // namespace

bool operator==(const Expr& a, const Expr& b) noexcept {
    if (a.data_ == b.data_) {
        return true;
    }
    return a.data_ && b.data_ && a->fingerprint == b->fingerprint;
}

const Shape& Expr::shape() const {
    require_given(*this, "shape");
    return node_of(*this).shape;
}

void require_given(const Expr& e, std::string_view call) {
    if (!e) {
        throw CallerError(std::string(call) +
                          ": found an empty Expr, expected an expression (of parse or build.hpp)");
    }
}

std::optional<Op> detail::turned(Op op) {
    constexpr std::pair<Op, Op> kPairs[] = {
        {Op::tril, Op::triu},           {Op::row_sum, Op::col_sum},
        {Op::row_norm2, Op::col_norm2}, {Op::row_logsumexp, Op::col_logsumexp},
        {Op::row_max, Op::col_max},     {Op::is_row_max, Op::is_col_max}};
    for (const auto& [one, other] : kPairs) {
        if (op == one || op == other) {
            return op == one ? other : one;
        }
    }
    return std::nullopt;
}

Expr detail::make_node(Op op, std::vector<Expr> children, const Shape& shape) {
    Node node;
    node.op = op;
    node.shape = shape;
    node.children = std::move(children);
    return make_node(std::move(node));
}

Expr detail::make_node(Node node) {
    detail::fingerprint(node);
    node.symbols = symbols_of(node);
    node.symmetric = node.fingerprint == node.transposed_fingerprint && node.shape.is_square();
    node.semidefinite = is_semidefinite(node);
    node.depth = 0;
    node.written_size = 1;
    for (const Expr& c : node.children) {
        node.depth = std::max(node.depth, c->depth + 1);
        node.written_size += c->written_size;
    }
    return NodeAccess::expr(std::make_shared<const Node>(std::move(node)));
}

std::vector<Expr> topological_order(std::span<const Expr> roots) {
    struct Frame {
        Expr expr;
        std::size_t next = 0;
    };
    std::vector<Expr> order;
    std::unordered_set<Expr> seen;
    std::vector<Frame> stack;
    for (const Expr& root : roots) {
        if (seen.insert(root).second) {
            stack.push_back({root});
        }
        while (!stack.empty()) {
            Frame& top = stack.back();
            if (top.next == top.expr->children.size()) {
                order.push_back(top.expr);
                stack.pop_back();
                continue;
            }
            const Expr child = top.expr->children[top.next++];
            if (seen.insert(child).second) {
                stack.push_back({child});
            }
        }
    }
    return order;
}

std::vector<Declaration> symbols(const Expr& expr) try {
    require_given(expr, "symbols");
    std::vector<Declaration> found;
    const Expr roots[] = {expr};
    for (const Expr& e : topological_order(roots)) {
        if (e->op == Op::symbol) {
            found.push_back({e->name, e->shape, e->structure});
        }
    }
    return found;
} catch (...) {
    detail::throw_as_matgrad();
}

}  // namespace matgrad
