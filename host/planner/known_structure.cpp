#include "planner/known_structure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "expression/node.hpp"
#include "planner/lowering.hpp"

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
        std::string name = detail::text_of(e);
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

}  // namespace matgrad
