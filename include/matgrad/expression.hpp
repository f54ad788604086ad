#pragma once
/// \file Expressions: scalar- and matrix-valued functions of real matrices.
///
/// All entries are real. A shape is a pair of dimensions, each a name (`m`) or a number; a column
/// vector is m-by-1 and a scalar 1-by-1. What is a scalar is decided on the symbols, never on a
/// size that happens to be 1 when run. An `Expr` is an immutable value: copying it is cheap, and it
/// may be used from several threads.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "matgrad/error.hpp"
#include "matgrad/export.hpp"
#include "matgrad/types.hpp"

namespace matgrad {

/// One dimension: named (`size` is 0) or a literal size of at least 1 (`name` is empty).
struct MATGRAD_API Dim {
    std::string name;
    std::int64_t size = 0;

    static Dim named(std::string name) { return {std::move(name), 0}; }
    static Dim literal(std::int64_t size) { return {{}, size}; }
    [[nodiscard]] bool is_one() const noexcept { return name.empty() && size == 1; }
    /// The name, or the number.
    [[nodiscard]] std::string text() const { return name.empty() ? std::to_string(size) : name; }
    friend bool operator==(const Dim&, const Dim&) = default;
};

struct MATGRAD_API Shape {
    Dim rows;
    Dim cols;

    static Shape scalar() { return {Dim::literal(1), Dim::literal(1)}; }
    [[nodiscard]] bool is_scalar() const noexcept { return rows.is_one() && cols.is_one(); }
    [[nodiscard]] bool is_column() const noexcept { return cols.is_one(); }
    [[nodiscard]] bool is_square() const noexcept { return rows == cols; }
    /// `m-by-n`.
    [[nodiscard]] std::string text() const { return rows.text() + "-by-" + cols.text(); }
    friend bool operator==(const Shape&, const Shape&) = default;
};

/// `X=m,n`, `x=n`, `t=1`, `S=n,n:spd`.
struct MATGRAD_API Declaration {
    std::string name;
    Shape shape;
    Structure structure = Structure::general;
    friend bool operator==(const Declaration&, const Declaration&) = default;
};

/// Reads one declaration. Errors: ParseError, NameError (reserved or malformed name), ShapeError (a
/// structure that needs a square matrix).
[[nodiscard]] MATGRAD_API Declaration parse_declaration(std::string_view text);
/// `X=m,n:spd`, which `parse_declaration` reads again.
[[nodiscard]] MATGRAD_API std::string to_text(const Declaration& declaration);

struct Node;  // host/expression/node.hpp

/// A handle on one node of an expression DAG. A default-constructed Expr is empty.
class MATGRAD_API Expr {
public:
    Expr() = default;
    explicit Expr(std::shared_ptr<const Node> node) noexcept : node_(std::move(node)) {}

    [[nodiscard]] explicit operator bool() const noexcept { return node_ != nullptr; }
    [[nodiscard]] const Node& node() const noexcept { return *node_; }
    [[nodiscard]] const Node* operator->() const noexcept { return node_.get(); }
    [[nodiscard]] const Shape& shape() const noexcept;
    /// Structural equality, constant time (128-bit fingerprints are compared). Terms of a sum and
    /// factors of an entrywise or scalar product are equal in any order.
    friend MATGRAD_API bool operator==(const Expr& a, const Expr& b) noexcept;

private:
    std::shared_ptr<const Node> node_;
};

/// Reads an expression of the language (docs/language.md).
///
/// Shapes   inferred by unification; dimensions nobody named become m, n, p, q, ...
/// Errors   ParseError with the place; ShapeError with both operands, both shapes and the
///          sub-expression; NameError; UnsupportedError past a limit (64 KiB, nesting 128).
[[nodiscard]] MATGRAD_API Expr parse(std::string_view text,
                                     std::span<const Declaration> declarations = {});

/// The symbols of an expression with their shapes, in order of first appearance.
[[nodiscard]] MATGRAD_API std::vector<Declaration> symbols(const Expr& expr);

/// The language's own text; `parse` with `symbols(expr)` as declarations gives an equal expression.
[[nodiscard]] MATGRAD_API std::string to_text(const Expr& expr);
/// LaTeX, math mode, without delimiters.
[[nodiscard]] MATGRAD_API std::string to_latex(const Expr& expr);
/// A NumPy expression over arrays of the symbols' names (vectors are 1-D, scalars 0-D): `np`, SciPy for erf.
[[nodiscard]] MATGRAD_API std::string to_numpy(const Expr& expr);

}  // namespace matgrad
