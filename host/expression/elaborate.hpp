#pragma once
/// \file From a tree with known shapes to an expression in canonical form.

#include <string_view>

#include "expression/names.hpp"

namespace matgrad::detail {

inline constexpr int kMaxMatrixExponent = 64;
inline constexpr std::size_t kMaxProductFactors = 512;
inline constexpr int kMaxDepth = 1000;
/// Nodes of the tree once every matrix power is written out.
inline constexpr double kMaxExpandedNodes = 1 << 18;

/// Builds the expression of a text, and the parts that it names, written out, after infer_shapes has
/// accepted the tree. What is the name of a part in the text is the node of the part.
///
/// Errors   UnsupportedError past one of the limits above or for a constant that overflows.
[[nodiscard]] Reading elaborate(const TextAst& ast, std::string_view text,
                                const SymbolTable& symbols, Dimensions& dimensions);

}  // namespace matgrad::detail
