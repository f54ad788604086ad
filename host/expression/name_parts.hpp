#pragma once
/// \file Names for what expressions repeat, for readers and for code made of them.

#include <span>
#include <unordered_set>
#include <vector>

#include "expression/node.hpp"

namespace matgrad::detail {

/// What names are for: a text that is shorter, or code that computes nothing twice.
enum class NamesFor { readers, code };

/// The roots, then those of `also`, which are written with the same names: what has one is chosen by the roots, and
/// by `known`.
[[nodiscard]] NamedForms named_parts(std::span<const Expr> roots, std::span<const Expr> also,
                                     std::span<const Declaration> taken,
                                     std::span<const NamedPart> known, NamesFor purpose);

/// The nodes of which a name makes the texts of the roots together shorter, and those of `known` that
/// occur. `order` has all nodes, children first.
[[nodiscard]] std::unordered_set<Expr> shortening_parts(std::span<const Expr> roots,
                                                        const std::vector<Expr>& order,
                                                        std::span<const NamedPart> known);

/// True for what reads as well as a name: symbols, numbers, and their transposes and multiples.
[[nodiscard]] bool is_leaf_like(const Expr& e);

}  // namespace matgrad::detail
