#pragma once
/// \file Steps of a Program once more, with other roundings.

#include <vector>

#include "program/program.hpp"

namespace matgrad {

/// The steps that the results are made of, once more, with roundings thrown by coins: each step as if it were exact
/// but for a relative change by eps of every number it reads, or in entrywise expressions of every result
/// of an instruction.
class Sample {
public:
    /// Appends them. `wanted`: by value, what the results are made of, by the first `steps` steps; `seed` goes on
    /// from one sample to the next.
    Sample(Program& program, const std::vector<bool>& wanted, std::size_t steps, double& seed);

    /// What the value is in this sample; itself if no step that rounds makes it.
    [[nodiscard]] ValueId twin(ValueId id) const { return twins_[static_cast<std::size_t>(id)]; }

private:
    void repeat(std::size_t at);
    ValueId copy_of(ValueId id);
    /// The value with every entry changed, in the type that it is read in.
    ValueId perturbed(ValueId id, ScalarType type);
    /// After every instruction that rounds; where that is too many, after sums and the last one.
    void perturb(MapBody& body, bool always_last);

    Program& program_;
    std::vector<ValueId> twins_;
    double& seed_;
};

}  // namespace matgrad
