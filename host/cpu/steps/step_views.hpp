#pragma once
/// \file One run of a step in any layout: its values as they lie.

#include "cpu/map.hpp"
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

}  // namespace matgrad::detail
