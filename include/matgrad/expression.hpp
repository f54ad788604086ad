#pragma once
/// \file Expressions: scalar- and matrix-valued functions of real matrices.
///
/// All entries are real. A shape is a pair of dimensions, each a name (`m`) or a number; a column
/// vector is m-by-1 and a scalar 1-by-1. What is a scalar is decided on the symbols, never on a
/// size that happens to be 1 when run. An `Expr` is an immutable value: copying it is cheap, and it
/// may be used from several threads. An expression is read from text (`parse`) or built with the
/// operators and functions of build.hpp. A function that is given an empty Expr throws CallerError.

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "matgrad/error.hpp"
#include "matgrad/export.hpp"
#include "matgrad/types.hpp"

namespace matgrad {

/// One dimension: named (`size` is 0) or a literal size of at least 1 (`name` is empty). Made of
/// either where one is expected: `eye("n")`, `ones("m", 3)`.
struct MATGRAD_API Dim {
    std::string name;
    std::int64_t size = 0;

    Dim() = default;
    Dim(std::string the_name, std::int64_t the_size) : name(std::move(the_name)), size(the_size) {}
    template <std::convertible_to<std::string_view> Text>
    Dim(const Text& text) : name(std::string_view(text)) {}  // on purpose not explicit
    template <std::integral Size>
    Dim(Size literal_size)  // on purpose not explicit
        : size(static_cast<std::int64_t>(literal_size)) {}

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

/// `X=m,n`, `x=n`, `t=1`, `s=1:pos`, `S=n,n:spd`. A text stands for one where one is expected.
struct MATGRAD_API Declaration {
    std::string name;
    Shape shape;
    Structure structure = Structure::general;

    Declaration() = default;
    Declaration(std::string the_name, Shape the_shape, Structure the_structure = Structure::general)
        : name(std::move(the_name)), shape(std::move(the_shape)), structure(the_structure) {}
    /// What `parse_declaration` reads.
    template <std::convertible_to<std::string_view> Text>
    Declaration(const Text& text);  // on purpose not explicit

    friend bool operator==(const Declaration&, const Declaration&) = default;
};

/// Reads one declaration. Errors: ParseError, NameError (reserved or malformed name), ShapeError (a
/// structure that needs a square matrix).
[[nodiscard]] MATGRAD_API Declaration parse_declaration(std::string_view text);
/// `X=m,n:spd`, which `parse_declaration` reads again.
[[nodiscard]] MATGRAD_API std::string to_text(const Declaration& declaration);

template <std::convertible_to<std::string_view> Text>
Declaration::Declaration(const Text& text) : Declaration(parse_declaration(text)) {}

struct NodeAccess;  // what the library itself sees of an Expr; defined inside it

/// A handle on one expression. A default-constructed Expr is empty.
class MATGRAD_API Expr {
public:
    Expr() = default;

    [[nodiscard]] explicit operator bool() const noexcept { return data_ != nullptr; }
    /// Error: CallerError if it is empty.
    [[nodiscard]] const Shape& shape() const;
    /// Structural equality, constant time (128-bit fingerprints are compared). Terms of a sum and
    /// factors of an entrywise or scalar product are equal in any order.
    friend MATGRAD_API bool operator==(const Expr& a, const Expr& b) noexcept;

    /// For the library itself: does not compile where NodeAccess is not defined.
    template <typename Access = NodeAccess>
    [[nodiscard]] auto operator->() const noexcept {
        return Access::node(*this);
    }

private:
    friend struct NodeAccess;
    std::shared_ptr<const void> data_;
};

/// `name = value`, a part of an expression.
struct MATGRAD_API NamedPart {
    Expr name;  ///< a symbol
    Expr value;
};

/// A name for a part that a program builds: `named_part("K", exp(-D/l) + t*eye("n"))`. The name is a
/// symbol of the value's shape, a symmetric one if the value is symmetric. Error: NameError.
[[nodiscard]] MATGRAD_API NamedPart named_part(std::string_view name, const Expr& value);

/// What a text says: `K = exp(-D/l) + t*eye(n); y'*inv(K)*y + logdet(K)`.
struct MATGRAD_API Reading {
    Expr expression;                 ///< the parts that have names written out
    std::vector<NamedPart> parts;    ///< in order, each written out
    std::vector<std::string> notes;  ///< what is legal and was probably not meant, a line each
};

/// Reads an expression of the language (docs/language.md), with the names that it gives to parts.
///
/// Shapes, errors   as those of `parse`.
[[nodiscard]] MATGRAD_API Reading read_text(std::string_view text,
                                            std::span<const Declaration> declarations = {});

/// Reads an expression of the language (docs/language.md). Parts that its text names are written out.
///
/// Shapes   inferred by unification; dimensions nobody named become m, n, p, q, ...
/// Errors   ParseError with the place; ShapeError with both operands, both shapes and the
///          sub-expression; NameError; UnsupportedError past a limit (64 KiB, nesting 128).
[[nodiscard]] MATGRAD_API Expr parse(std::string_view text,
                                     std::span<const Declaration> declarations = {});
/// `parse("logdet(P)", {"P=n,n:spd"})`: declarations, or their texts.
[[nodiscard]] MATGRAD_API Expr parse(std::string_view text,
                                     std::initializer_list<Declaration> declarations);
[[nodiscard]] MATGRAD_API Expr parse(std::string_view text,
                                     std::span<const std::string> declarations);

/// The symbols of an expression with their shapes, in order of first appearance.
[[nodiscard]] MATGRAD_API std::vector<Declaration> symbols(const Expr& expr);

/// The language's own text; `parse` with `symbols(expr)` as declarations gives an equal expression.
[[nodiscard]] MATGRAD_API std::string to_text(const Expr& expr);
/// Writes `to_text`.
MATGRAD_API std::ostream& operator<<(std::ostream& out, const Expr& expr);
/// LaTeX, math mode, without delimiters.
[[nodiscard]] MATGRAD_API std::string to_latex(const Expr& expr);
/// A NumPy expression over arrays of the symbols' names (vectors are 1-D, scalars 0-D): `np`, SciPy for erf.
/// A dimension that no symbol of the expression has is read off one of `at_hand`, other arrays that are
/// there where the text is evaluated; where none has it either, its name must be a number there.
[[nodiscard]] MATGRAD_API std::string to_numpy(const Expr& expr,
                                               std::span<const Declaration> at_hand = {});

/// An expression with its repeated parts named: the value of each part may have the names of those
/// before it.
struct MATGRAD_API NamedParts {
    std::vector<NamedPart> parts;
    Expr rest;
};

/// Expressions with the parts named that they repeat or have in common.
struct MATGRAD_API NamedForms {
    std::vector<NamedPart> parts;  ///< the value of each may have the names of those before it
    std::vector<Expr> forms;
};

/// Names the parts that the text of an expression repeats, where that makes it shorter: of
/// inv(A)*y*y'*inv(A) it makes Y*y*y'*Y, where Y = inv(A). The names are letters that nothing in the
/// expression has, nor any of `taken`; those of `known` parts are used where the expression has such
/// a part, written out. The name of a symmetric part is a symmetric symbol.
/// Error    NameError for a known part whose name the expression has otherwise.
[[nodiscard]] MATGRAD_API NamedParts name_repeated_parts(const Expr& expr,
                                                         std::span<const Declaration> taken = {},
                                                         std::span<const NamedPart> known = {});
/// The same for several expressions at once.
[[nodiscard]] MATGRAD_API NamedForms name_repeated_parts(std::span<const Expr> expressions,
                                                         std::span<const Declaration> taken = {},
                                                         std::span<const NamedPart> known = {});

/// `K = exp(-D/l)`, one definition of the language, in LaTeX, and as a statement of NumPy.
[[nodiscard]] MATGRAD_API std::string to_text(const NamedPart& part);
[[nodiscard]] MATGRAD_API std::string to_latex(const NamedPart& part);
[[nodiscard]] MATGRAD_API std::string to_numpy(const NamedPart& part,
                                               std::span<const Declaration> at_hand = {});
/// A line for each part, then the expression: `parse` reads it, and gives the expression written out.
[[nodiscard]] MATGRAD_API std::string to_text(const NamedParts& expression);

/// A Python function of the symbols' arrays that returns the expression, with repeated parts named:
/// `def NAME(A, x): ...`. Its parameters are `parameters`, or the symbols of the expression.
[[nodiscard]] MATGRAD_API std::string to_numpy_function(
    const Expr& expr, std::string_view name, std::span<const Declaration> parameters = {});

}  // namespace matgrad
