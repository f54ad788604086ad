#pragma once
/// \file Where the values of a call are: in the workspace, in the caller's operands, or in results
/// that are computed in place.

#include <cstdint>
#include <span>
#include <vector>

#include "cuda/library/in_place.hpp"
#include "cuda/library/results.hpp"
#include "cuda/module.hpp"
#include "cuda/placement.hpp"

namespace matgrad::gpu {

/// An operand of the call, as the caller gave it.
[[nodiscard]] DeviceView operand_view(const Value& value, const DeviceCall& call);

class ValueViews {
public:
    ValueViews(const Program& program, const Placement& placement, const InPlace& in_place,
               const Results& results, const DeviceCall& call);

    /// By value, for the problems of the current slice; at first that of problem 0.
    [[nodiscard]] std::span<const DeviceView> get() const { return views_; }
    /// The slice that begins at problem `first`: operands and results move on, the workspace does not.
    void move_to(std::int64_t first);

private:
    std::vector<DeviceView> start_, views_;
    std::vector<char> moves_;
};

}  // namespace matgrad::gpu
