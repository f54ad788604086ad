#pragma once
/// \file The functions of the language: one row each.
///
/// An entrywise function has its row in functions/entrywise.hpp, any other one in functions.cpp.
/// Names in texts, shapes, builders and printers all read these rows.

#include <span>
#include <string_view>

#include "expression/node.hpp"

namespace matgrad::detail {

/// What the arguments must be and what shape comes out.
enum class FunctionKind {
    constant,          ///< the arguments are dimensions
    inverse,           ///< square to the same shape
    factor,            ///< the same, of a symmetric matrix
    scalar_of_square,  ///< square to 1-by-1
    scalar_of_any,     ///< to 1-by-1
    scalar_of_pair,    ///< two of one shape to 1-by-1
    same_shape,
    same_vector,  ///< a column or a row, whose shape comes out
    left_divide,  ///< n-by-n and n-by-k to n-by-k
    row_sums,     ///< m-by-n to m-by-1
    col_sums,     ///< m-by-n to 1-by-n
    diagonal,     ///< n-by-1 to n-by-n, n-by-n to n-by-1
    entrywise,    ///< what comes out has the shape over which the arguments are spread
};

struct Function {
    Op op = Op::number;
    std::string_view name;
    std::size_t arity = 1;
    FunctionKind kind = FunctionKind::entrywise;
    std::string_view latex;  ///< before the bracketed argument; empty: the name in upright letters
    std::string_view
        numpy;  ///< {} is the next argument, {0}, {1} one of two; empty: a case of the printer
    std::string_view also;  ///< names in other languages, a space before and after each
    /// The value at numbers (the second is ignored by a function of one); NaN: is not folded.
    double (*value)(double x, double y) = nullptr;  ///< of entrywise functions alone
    bool is_word = true;                            ///< false: written otherwise, as A < B
    /// What a word stands for that is made of other functions, as where(C, A, B); `op` means nothing then.
    Expr (*made_of)(std::span<const Expr> arguments) = nullptr;
};

/// The words of the language. Two have the name `diag`: Op::diag_matrix comes first, and stands for both until the
/// shape of the argument is known.
[[nodiscard]] std::span<const Function> functions();

/// The first row of that name, or nullptr.
[[nodiscard]] const Function* find_function(std::string_view name);

/// The row of an operation, also of one that is no word, or nullptr: sums, products, powers, transposes, symbols and
/// numbers are no functions. Words that stand for others are no operations.
[[nodiscard]] const Function* function_of(Op op);

}  // namespace matgrad::detail
