#include "planner/structure.hpp"

namespace matgrad {

bool is_declared(const Expr& y, Structure structure) {
    const Expr& stored = y->op == Op::transpose ? y->children.front() : y;
    if (stored->op != Op::symbol && stored->op != Op::cholesky) {
        return false;
    }
    const Structure own = stored->op == Op::symbol ? stored->structure : Structure::lower;
    if (y->op != Op::transpose) {
        return own == structure;
    }
    return (own == Structure::lower && structure == Structure::upper) ||
           (own == Structure::upper && structure == Structure::lower);
}

LinkKind factor_kind(const Expr& y) {
    if (is_declared(y, Structure::lower) || is_declared(y, Structure::upper)) {
        return LinkKind::triangular;
    }
    if (y->op == Op::diag_matrix || is_declared(y, Structure::diagonal)) {
        return LinkKind::diagonal;
    }
    return y->semidefinite && y->symmetric ? LinkKind::cholesky : LinkKind::lu;
}

std::unordered_set<Expr> find_factored(std::span<const Expr> forms) {
    std::unordered_set<Expr> found;
    for (const Expr& e : topological_order(forms)) {
        if (e->op == Op::inverse || e->op == Op::logdet) {
            found.insert(e->children.front());
        }
    }
    return found;
}

const char* factor_reason(const Expr& y) {
    if (factor_kind(y) == LinkKind::lu) {
        return "nothing known of its structure: LU with partial pivoting";
    }
    if (y->op == Op::symbol) {
        return "declared positive definite: Cholesky";
    }
    return y->op == Op::product ? "Gram matrix: symmetric, Cholesky needs one triangle"
                                : "known positive: Cholesky";
}

}  // namespace matgrad
