#pragma once
/// \file Expressions rebuilt from the leaves up: the walk that every rewriting of a whole expression has.

#include <functional>
#include <span>

#include "expression/node.hpp"

namespace matgrad {

/// What takes the place of a node, given what took the place of its children.
using Rebuild = std::function<Expr(const Expr& node, std::span<const Expr> children)>;

/// The image of `root`. `rebuild` is called once for each distinct node, children first.
[[nodiscard]] Expr rebuilt(const Expr& root, const Rebuild& rebuild);

/// The node with these children; itself if they are its own.
[[nodiscard]] Expr with_images(const Expr& node, std::span<const Expr> children);

/// dot(Y,Y)^k for norm2(Y)^(2k), which has a differential where Y is 0; anything else as it is.
[[nodiscard]] Expr without_norm_of_even_power(const Expr& a);

}  // namespace matgrad
