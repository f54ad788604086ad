#pragma once
/// \file A fused kernel of a Program that does not fit on chip whole: its passes over panels as one list of actions, and
/// the matrices on chip that these read and write.

#include <string>
#include <vector>

#include "cuda/fused/configuration.hpp"
#include "program/regions.hpp"

namespace matgrad::gpu {

/// A matrix on chip: a value, or the rows or columns of one panel of it.
struct PanelBuffer {
    ValueId value = kNoValue;
    Cut cut = Cut::whole;
    int pass = -1;  ///< that it is there for alone; -1: for several
    ChipPlace place;
    int first = -1, last = -1;  ///< actions between which it is there
};

enum class ActionKind {
    load,     ///< from device memory
    initial,  ///< what a sum over the panels begins with
    begin_panels,
    end_panels,
    step,    ///< on whole values, or on panels between the two
    finish,  ///< of a sum over the panels
    store,
};

struct PanelAction {
    ActionKind kind = ActionKind::step;
    int pass = 0;
    int step = -1;              ///< of the Program
    int panel_step = -1;        ///< of the pass, where it is one
    ValueId value = kNoValue;   ///< that is loaded or stored
    Cut cut = Cut::whole;       ///< of it
    std::vector<int> reads;     ///< buffers, in the order of for_each_use; -1: in device memory
    int out = -1, out2 = -1;    ///< buffers
    std::int64_t scratch = -1;  ///< its place
    std::int64_t scratch_bytes = 0;
    bool is_view = false;  ///< `out` is all of a value that stays on chip: a panel of it is written
};

struct PanelPlan {
    Regions regions;
    std::vector<PanelBuffer> buffers;
    std::vector<PanelAction> actions;
    std::vector<ValueId> stored;  ///< that later passes read from device memory
    std::int64_t bytes = 0;       ///< of a block
    std::string reason;           ///< why a kernel cannot do this
};

/// `; 2 passes, over 7 panels of m and 7 of m`
[[nodiscard]] std::string panels_text(const PanelPlan& plan);

/// The actions and the buffers, without their places. `stages_shared`: what the batch shares and passes read whole is
/// loaded once by a block.
[[nodiscard]] PanelPlan list_actions(const Program& program, const FusedDescription& what,
                                     Regions regions, bool stages_shared);

/// Gives each buffer its place by lifetime.
void place_buffers(const Program& program, const FusedDescription& what, PanelPlan& plan);

}  // namespace matgrad::gpu
