#pragma once
/// \file One run of a step in any layout: its values as they lie.

#include "cpu/map.hpp"
#include "cpu/plain/copy.hpp"
#include "cpu/steps/step.hpp"

namespace matgrad::detail {

class StepViews {
public:
    StepViews(const Step& step, const StepRun& run) : step_(step), run_(run) {}

    [[nodiscard]] Scratch& scratch() const { return *run_.scratch; }
    [[nodiscard]] View out() const { return run_.values[step_.out]; }
    [[nodiscard]] View out2() const { return run_.values[step_.out2]; }
    [[nodiscard]] View view(const Use& use) const { return use_of(use, run_.values[use.value]); }
    [[nodiscard]] const View* operands(const MapBody& body) const {
        return operand_views(body, scratch(), [this](const Use& use) { return view(use); });
    }

protected:
    const Step& step_;
    const StepRun& run_;
};

/// The entries that a window takes of a matrix.
[[nodiscard]] inline View taken(const View& a, const WindowBlock& block_of_a) {
    return block(a, block_of_a.from_row, block_of_a.from_col, block_of_a.rows, block_of_a.cols);
}
/// Where they go in the result; the rest of it is 0 then.
[[nodiscard]] inline View filled(const View& out, const WindowBlock& in_out) {
    if (in_out.rows != out.rows || in_out.cols != out.cols) {
        fill_zeros(out);
    }
    return block(out, in_out.to_row, in_out.to_col, in_out.rows, in_out.cols);
}

}  // namespace matgrad::detail
