#pragma once
/// \file The node of an expression DAG: plain data, immutable once built.
///
/// Nodes are made by the functions of build.hpp alone, which keep the canonical form:
///  - sums are n-ary, at least two terms, equal terms merged, in order of first appearance;
///  - products are n-ary: a number, then scalar factors, then matrix factors in order; a transpose
///    passes through a product to its factors and stays outside everything else, so that it makes
///    one node; no sum is ever multiplied out;
///  - numbers are pulled out of products, entrywise products and transposes;
///  - every 1-by-1 expression is "scalar" and commutes.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "functions/entrywise.hpp"
#include "matgrad/expression.hpp"

namespace matgrad {

enum class Op : std::uint8_t {
    // leaves
    number,        ///< 1x1, `number`
    symbol,        ///< `name`, `structure`
    eye,           ///< identity, n-by-n
    ones,          ///< all ones, m-by-n, not 1x1
    dim,           ///< 1x1, how much the dimension `name` is
    unit_columns,  ///< m-by-n: the n columns of an identity from `number` on, counted from 1
    // arithmetic
    add,       ///< children: terms of one shape
    product,   ///< number * children[0..num_scalars) * children[num_scalars..) as a matrix product
    hadamard,  ///< children: entrywise factors of one shape, not 1x1
    power,     ///< entrywise children[0] .^ number; also of a scalar
    transpose,
    inverse,
    // matrix to scalar
    det,
    logdet,   ///< log|det|
    log_det,  ///< log(det), and so it is written: NaN where the determinant is negative
    trace,
    dot,  ///< sum of the entrywise product of two children
    sum,
    logsumexp,  ///< over all entries
    norm2,      ///< Euclidean or Frobenius, not squared
    norm1,      ///< sum of absolute values
    // matrix to matrix
    row_sum,        ///< m-by-n to m-by-1: the sum of each row
    col_sum,        ///< m-by-n to 1-by-n: the sum of each column
    row_norm2,      ///< m-by-n to m-by-1: the Euclidean norm of each row
    col_norm2,      ///< m-by-n to 1-by-n
    row_logsumexp,  ///< m-by-n to m-by-1
    col_logsumexp,  ///< m-by-n to 1-by-n
    diag_matrix,    ///< n-by-1 to n-by-n
    diag_vector,    ///< n-by-n to n-by-1
    tril,
    triu,
    row_max,     ///< m-by-n to m-by-1: the largest entry of each row
    col_max,     ///< m-by-n to 1-by-n
    is_row_max,  ///< 1 at the first largest entry of each row, else 0
    is_col_max,
    cholesky,  ///< lower L with L*L' = S, of a symmetric S
// entrywise functions: exp, ..., by their rows
#define MATGRAD_ROW(name, ...) name,
    MATGRAD_ENTRYWISE_FUNCTIONS(MATGRAD_ROW)
#undef MATGRAD_ROW
    // derivations only
    differential,  ///< the atom d(Y)
    // plans only
    adjugate,  ///< det(A)*inv(A), which is the transposed matrix of cofactors and always exists
};

/// The symbols of an expression, in order of first appearance; nullptr if it has none. Expressions over
/// the same symbols share one list as far as that costs nothing.
using SymbolList = std::shared_ptr<const std::vector<Declaration>>;

/// 128 bits that stand for the whole structure below a node.
using Fingerprint = std::array<std::uint64_t, 2>;

struct Node {
    Op op = Op::number;
    Shape shape;
    /// Value of a number, coefficient of a product, exponent of a power, first one of unit_columns.
    double number = 0;
    std::string name;                          ///< of a symbol, of a dimension
    Structure structure = Structure::general;  ///< of a symbol
    std::vector<Expr> children;
    int num_scalars = 0;  ///< of a product: how many leading children are scalar factors

    // Derived when built.
    Fingerprint fingerprint{};
    Fingerprint transposed_fingerprint{};  ///< that of the canonical transpose
    SymbolList symbols;
    bool symmetric = false;     ///< known to equal its transpose
    bool semidefinite = false;  ///< known symmetric positive semidefinite (scalars: known >= 0)
    int depth = 0;              ///< longest path to a leaf
    double written_size = 1;    ///< nodes when written out as text, where shared ones repeat
};

/// What the library sees of an Expr: its node. `e->op` goes through it.
struct NodeAccess {
    [[nodiscard]] static const Node* node(const Expr& e) noexcept {
        return static_cast<const Node*>(e.data_.get());
    }
    [[nodiscard]] static Expr expr(std::shared_ptr<const Node> node) noexcept {
        Expr e;
        e.data_ = std::move(node);
        return e;
    }
};

/// The node of an expression that is not empty.
[[nodiscard]] inline const Node& node_of(const Expr& e) noexcept {
    return *NodeAccess::node(e);
}

/// Error: CallerError naming the call, if the expression is empty.
void require_given(const Expr& e, std::string_view call);

/// The entrywise function that the operation is, if it is one.
[[nodiscard]] constexpr std::optional<Entrywise> entrywise_of(Op op) {
#define MATGRAD_ROW(name, ...)  \
    if (op == Op::name) {       \
        return Entrywise::name; \
    }
    MATGRAD_ENTRYWISE_FUNCTIONS(MATGRAD_ROW)
#undef MATGRAD_ROW
    return std::nullopt;
}

[[nodiscard]] constexpr bool is_entrywise(Op op) {
    return entrywise_of(op).has_value();
}

/// The name of a function in the language (`logdet`, `rowsum`, `diag`, ...); empty for the others.
[[nodiscard]] std::string_view function_name(Op op);

/// All nodes reachable from the roots, each once, children before parents, in a fixed order.
[[nodiscard]] std::vector<Expr> topological_order(std::span<const Expr> roots);

}  // namespace matgrad

template <>
struct std::hash<matgrad::Expr> {
    std::size_t operator()(const matgrad::Expr& e) const noexcept {
        return static_cast<std::size_t>(e->fingerprint[0]);
    }
};
