#pragma once
/// \file Entrywise expressions and reductions, in either layout.
///
/// An expression is interpreted instruction by instruction over strips of a few hundred numbers, so
/// that the cost of interpretation vanishes. A strip is a run of elements along a row (or the
/// diagonal), each element being one number (plain) or kLanes (compact).

#include <cstdint>
#include <vector>

#include "cpu/scratch.hpp"
#include "cpu/view.hpp"

namespace matgrad::detail {

/// Bytes of scratch that `run_map` and `run_reduce` take for this body.
[[nodiscard]] std::int64_t map_scratch_bytes(const MapBody& body);

/// out = body over out's shape. `operands` are the views of the body's operands, in order; they may
/// have one lane where out has kLanes. Operands may be out itself where program.hpp allows it.
void run_map(const MapBody& body, const std::vector<View>& operands, ScalarType type,
             const View& out, Scratch& scratch);

/// out = scale * reduction over `step`'s domain, all but the sign of signed_product.
void run_reduce(const Reduce& step, const std::vector<View>& operands, ScalarType type,
                const View& out, Scratch& scratch);

}  // namespace matgrad::detail
