#pragma once
/// \file Entrywise expressions and reductions, in either layout.
///
/// An expression is interpreted instruction by instruction over strips of a few hundred numbers, so
/// that the cost of interpretation vanishes. A strip is a run of elements along a row (or the
/// diagonal), each element being one number (plain) or kLanes (compact).

#include <cstdint>
#include <new>

#include "cpu/scratch.hpp"
#include "cpu/view.hpp"

namespace matgrad::detail {

/// Bytes of scratch that `operand_views`, `run_map` and `run_reduce` take for this body.
[[nodiscard]] std::int64_t map_scratch_bytes(const MapBody& body);

/// The views of a body's operands, in scratch.
template <typename ViewOf>
const View* operand_views(const MapBody& body, Scratch& scratch, ViewOf view_of) {
    View* views = scratch.array<View>(static_cast<std::int64_t>(body.operands.size()));
    for (std::size_t i = 0; i < body.operands.size(); ++i) {
        new (views + i) View(view_of(body.operands[i].use));
    }
    return views;
}

/// out = body over out's shape. `operands` are the views of the body's operands, in order; they may
/// have one lane where out has kLanes. Operands may be out itself where program.hpp allows it.
void run_map(const MapBody& body, const View* operands, ScalarType type, const View& out,
             Scratch& scratch);

/// out = scale * reduction over `step`'s domain, all but the sign of signed_product.
void run_reduce(const Reduce& step, const View* operands, ScalarType type, const View& out,
                Scratch& scratch);

}  // namespace matgrad::detail
