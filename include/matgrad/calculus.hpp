#pragma once
/// \file Gradients in closed form, with their derivation.
///
/// The gradient G of a scalar f with respect to X is the matrix of X's shape for which
/// df = tr(G' dX). Real entries; no hidden scaling by sizes or batch.

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "matgrad/expression.hpp"

namespace matgrad {

/// What the gradient of a variable declared `sym` or `spd` is.
enum class Convention {
    projected,     ///< (G + G')/2, the gradient within the symmetric matrices
    free_entries,  ///< G + G' - diag(G), the derivative by the free entries (Matrix Cookbook 138)
};

/// One line of a derivation: `df = <statement>`, reached by `rule`, found in `source`.
/// The statement is a scalar expression linear in atoms d(Y), which `to_text` prints.
struct MATGRAD_API DerivationLine {
    Expr statement;
    std::string rule;
    std::string source;
};

struct MATGRAD_API Gradient {
    Expr variable;
    Expr form;
};

struct MATGRAD_API Derivation {
    Expr function;
    std::vector<Gradient> gradients;  ///< in the order the variables were asked for
    std::vector<DerivationLine> lines;
};

/// Whether the statements that lead to a gradient are kept. Without them the cost is linear in the
/// nodes of f; each of them is as long as the frontier it describes.
enum class Lines { keep, omit };

/// Gradients of a scalar expression with respect to one or more of its symbols, and the chain of
/// statements that leads to them.
///
/// Shapes   f 1x1; each gradient has the shape of its variable.
/// Errors   ShapeError if f is not 1x1; NameError if a variable does not occur in f;
///          UnsupportedError names the node that has no rule.
/// Cost     linear in the nodes of f (without lines); the variables share all work.
/// Source   Magnus & Neudecker, Matrix Differential Calculus (3rd ed. 2019), ch. 8-9.
[[nodiscard]] MATGRAD_API Derivation derive(const Expr& f, std::span<const std::string> variables,
                                            Convention convention = Convention::projected,
                                            Lines lines = Lines::keep);
/// `derive(f, {"X", "Y"})`
[[nodiscard]] MATGRAD_API Derivation derive(const Expr& f,
                                            std::initializer_list<std::string> variables,
                                            Convention convention = Convention::projected,
                                            Lines lines = Lines::keep);
/// `derive(f, "X")`
[[nodiscard]] MATGRAD_API Derivation derive(const Expr& f, std::string_view variable,
                                            Convention convention = Convention::projected,
                                            Lines lines = Lines::keep);

/// The gradient alone, for one variable.
[[nodiscard]] MATGRAD_API Expr differentiate(const Expr& f, const std::string& variable,
                                             Convention convention = Convention::projected);

/// The gradient of <grad f, V> with respect to `variable`: the Hessian applied to V.
/// `direction` names the symbol V, which has the variable's shape and must not occur in f. Where the variable is
/// symmetric, diagonal or triangular, V is taken to be so too.
[[nodiscard]] MATGRAD_API Expr
hessian_vector_product(const Expr& f, const std::string& variable, const std::string& direction,
                       Convention convention = Convention::projected);

/// The Hessian over several variables applied to one direction for each: the gradients of the sum of all
/// <grad_X f, V>, cross terms included, in the order of the variables.
///
/// directions   one name for each variable, of a symbol of its shape that does not occur in f
/// Errors       those of `derive`; NameError for a direction that occurs in f or is given twice;
///              CallerError for numbers of variables and directions that differ.
[[nodiscard]] MATGRAD_API std::vector<Gradient> hessian_vector_product(
    const Expr& f, std::span<const std::string> variables, std::span<const std::string> directions,
    Convention convention = Convention::projected);

/// Whether parts that gradients repeat or have in common are written once, under a name.
enum class PartNames {
    automatic,  ///< where the text of a gradient is longer than a line, 100 characters; always in LaTeX
                ///< and under the steps
    always,
    never,
};

/// The gradients of a derivation, in order, with their parts named as `name_repeated_parts` does;
/// without parts where `names` says so. `known` are parts that have names, of `read_text` or
/// `named_part`.
[[nodiscard]] MATGRAD_API NamedForms named_gradients(const Derivation& derivation,
                                                     PartNames names = PartNames::automatic,
                                                     std::span<const NamedPart> known = {});

/// The derivation as text: `Y = ...;` for each part with a name, then the function and one `df = ...` line per statement
/// with its rule and source, ending in `gradient = FORM` (`gradient X = FORM` for several variables).
/// The lines of the parts with a FORM behind them are a text that `parse` reads.
[[nodiscard]] MATGRAD_API std::string to_text(const Derivation& derivation, bool with_steps,
                                              PartNames names = PartNames::automatic,
                                              std::span<const NamedPart> known = {});

/// The derivation in LaTeX, math mode, without delimiters: `\nabla_{X} f = FORM`, with `where Y = ...`
/// behind it for a part with a name; several lines or the steps are an `aligned` environment, f = ...
/// behind a line for each part, rules at the ends.
[[nodiscard]] MATGRAD_API std::string to_latex(const Derivation& derivation, bool with_steps,
                                               PartNames names = PartNames::automatic,
                                               std::span<const NamedPart> known = {});

}  // namespace matgrad
