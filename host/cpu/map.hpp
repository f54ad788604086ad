#pragma once
/// \file Entrywise expressions and reductions, in either layout.
///
/// A large domain is split into parts that its shape alone decides, which threads share: so the bits
/// of a result do not depend on how many threads there were.

#include <cstdint>
#include <new>

#include "cpu/scratch.hpp"
#include "cpu/view.hpp"
#include "executor/workers.hpp"

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
             Scratch& scratch, const Threads& threads = {});

/// out = scale * reduction over `step`'s domain, all but the sign of signed_product.
void run_reduce(const Reduce& step, const View* operands, ScalarType type, const View& out,
                Scratch& scratch, const Threads& threads = {});

struct Domain;

// The same over a domain that the caller has made, with rows for many problems.
void map_domain(Domain domain, ScalarType type, const View& out, Scratch& scratch,
                const Threads& threads);
/// `over` in place of what the step says.
void reduce_domain(const Reduce& step, ReduceOver over, const Domain& domain, ScalarType type,
                   const View& out, Scratch& scratch, const Threads& threads);
/// out, a contiguous column = the reduction of each row: a problem's, whose bits depend on nothing
/// beside it.
void reduce_each_row(const Reduce& step, const Domain& domain, ScalarType type, const View& out,
                     Scratch& scratch);

}  // namespace matgrad::detail
