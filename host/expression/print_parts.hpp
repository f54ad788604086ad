#pragma once
/// \file What the printers have in common: products as fractions, scalars spread over a sum, the order of
/// its terms, numbers that are fractions.

#include <optional>
#include <string>
#include <vector>

#include "expression/node.hpp"

namespace matgrad::detail {

/// The cases of a switch over Op that every printer writes as a call, by the row of the function. Each has
/// further ones of its own.
#define MATGRAD_CASE_OF_ROW(name, ...) case Op::name:
#define MATGRAD_CASES_OF_CALLS                       \
    MATGRAD_ENTRYWISE_FUNCTIONS(MATGRAD_CASE_OF_ROW) \
    case Op::det:                                    \
    case Op::logdet:                                 \
    case Op::log_det:                                \
    case Op::trace:                                  \
    case Op::sum:                                    \
    case Op::logsumexp:                              \
    case Op::norm2:                                  \
    case Op::norm1:                                  \
    case Op::row_sum:                                \
    case Op::col_sum:                                \
    case Op::row_norm2:                              \
    case Op::col_norm2:                              \
    case Op::row_logsumexp:                          \
    case Op::col_logsumexp:                          \
    case Op::diag_matrix:                            \
    case Op::diag_vector:                            \
    case Op::tril:                                   \
    case Op::triu:                                   \
    case Op::row_max:                                \
    case Op::col_max:                                \
    case Op::is_row_max:                             \
    case Op::is_col_max:                             \
    case Op::cholesky

struct Powered {
    Expr base;
    double exponent = 1;  ///< positive, unless the base is a constant
};

/// number * scalars * matrices * entries ./ entries_below / scalars_below, where the entrywise
/// factors are there only if the product has no other matrix factor.
struct Fraction {
    double number = 1;
    std::vector<Powered> scalars;
    std::vector<Powered> scalars_below;
    std::vector<Expr> matrices;
    std::vector<Powered> entries;
    std::vector<Powered> entries_below;
};

/// Errors   CallerError if the expression is empty.
///          UnsupportedError if the expression, written out, is past what anybody reads: shared
///          subexpressions repeat in text, so a small DAG may have a text of any length.
void require_printable(const Expr& e);

/// Takes any expression apart.
[[nodiscard]] Fraction split_product(const Expr& e);

/// A factor as it is written: X, or the part of it that unit columns beside it take, X(2,:).
struct PartOf {
    Expr matrix;
    Expr rows;  ///< unit columns, or nothing: all of them
    Expr cols;
    [[nodiscard]] bool is_whole() const { return !rows && !cols; }
    [[nodiscard]] Shape shape() const;
    friend bool operator==(const PartOf&, const PartOf&) = default;
};

/// The matrix factors of a product with what takes parts of them joined to them.
[[nodiscard]] std::vector<PartOf> parts_of_chain(const std::vector<Expr>& matrices);

/// Unit columns, or their transpose, are a part of the identity; else nothing.
[[nodiscard]] std::optional<PartOf> part_of_identity(const Expr& e);

/// `2,1:k`, or `2` alone of a vector.
[[nodiscard]] std::string indices_text(const PartOf& part);

/// A number that is a fraction of small whole numbers: numerator*(1/denominator) is exactly it.
struct Ratio {
    int numerator = 0;
    int denominator = 1;
};

/// The fraction that a positive number is, if its decimals would be long: 3/7, but not 0.25.
[[nodiscard]] std::optional<Ratio> ratio_of(double number);

/// The terms of a sum in the order in which they are written: a positive one first, if there is one.
/// Scalars are spread as `spread_scalars` says.
[[nodiscard]] std::vector<Expr> written_terms(const Expr& sum);

/// The terms of a sum, where a term s*ones(m,n) beside a matrix is the scalar s.
[[nodiscard]] std::vector<Expr> spread_scalars(const Expr& sum);

/// Columns and rows that operands of an entrywise operation spread over a matrix, each as itself where
/// another operand is a matrix: text may leave out the ones.
[[nodiscard]] std::vector<Expr> without_ones(std::vector<Expr> operands);
/// The same of the entrywise factors. They are read from the left, where a column never meets a row:
/// with both nothing is left out.
[[nodiscard]] Fraction without_ones(Fraction fraction);

/// The arguments of a function as they are written: those of an entrywise one like terms of a sum.
[[nodiscard]] std::vector<Expr> arguments_of(const Expr& call);

}  // namespace matgrad::detail
