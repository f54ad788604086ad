#include "planner/structure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace matgrad {
namespace {

const char* declared_text(const Expr& symbol) {
    switch (symbol->structure) {
        case Structure::general:
            return "";
        case Structure::symmetric:
            return "symmetric, declared";
        case Structure::positive:
            return symbol.shape().is_scalar() ? "positive, declared"
                                              : "symmetric positive definite, declared";
        case Structure::diagonal:
            return "diagonal, declared";
        case Structure::lower:
            return "lower triangular, declared";
        case Structure::upper:
            return "upper triangular, declared";
        case Structure::orthogonal:
            return "orthonormal columns, declared";
    }
    return "";
}

const char* inferred_text(const Expr& e) {
    if (e.shape().is_scalar()) {
        return "";
    }
    switch (e->op) {
        case Op::tril:
        case Op::cholesky:
            return "lower triangular";
        case Op::triu:
            return "upper triangular";
        case Op::diag_matrix:
            return "diagonal";
        default:
            return !e->symmetric     ? ""
                   : e->semidefinite ? "symmetric, positive semidefinite"
                                     : "symmetric";
    }
}

/// Of constants and of what is another node's, turned or times a number, there is nothing to say.
bool says_nothing(const Expr& e) {
    return e->op == Op::eye || e->op == Op::ones || e->op == Op::number || e->op == Op::transpose ||
           e->op == Op::unit_columns || (e->op == Op::product && e->children.size() == 1);
}

}  // namespace

std::string known_structure(std::span<const Expr> forms) {
    constexpr std::size_t kMostLines = 12;
    constexpr std::size_t kMostCharacters = 60;
    std::vector<std::pair<std::string, const char*>> known;
    std::size_t width = 0;
    for (const Expr& e : topological_order(forms)) {
        const char* const text = e->op == Op::symbol ? declared_text(e)
                                 : says_nothing(e)   ? ""
                                                     : inferred_text(e);
        if (*text == '\0') {
            continue;
        }
        std::string name = to_text(e);
        if (name.size() > kMostCharacters) {
            name = name.substr(0, kMostCharacters - 3) + "...";
        }
        width = std::max(width, name.size());
        known.emplace_back(std::move(name), text);
    }
    if (known.empty()) {
        return {};
    }
    std::string lines = "known structure\n";
    for (std::size_t i = 0; i < std::min(known.size(), kMostLines); ++i) {
        lines += fmt::format("  {:<{}}   {}\n", known[i].first, width, known[i].second);
    }
    if (known.size() > kMostLines) {
        lines += fmt::format("  and {} more\n", known.size() - kMostLines);
    }
    return lines;
}

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
