#pragma once
/// \file Which values a step may work on in place, since nobody reads them after it.

#include <vector>

#include "program/program.hpp"

namespace matgrad::gpu {

class InPlace {
public:
    explicit InPlace(const Program& program);

    /// The value in whose memory this one is computed: that of the result that it becomes step by step, or
    /// its own. Both have the same type and shape.
    [[nodiscard]] ValueId home(ValueId id) const { return home_[static_cast<std::size_t>(id)]; }

    /// The step alone reads the value, whole and as it is stored: its memory may be the step's.
    [[nodiscard]] bool may_consume(const Step& step, const Use& use) const;

private:
    const Program& program_;
    std::vector<int> uses_;
    std::vector<char> is_factor_;
    std::vector<ValueId> home_;
};

}  // namespace matgrad::gpu
