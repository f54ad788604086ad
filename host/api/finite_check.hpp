#pragma once
/// \file Results that are not finite.

#include <cstdint>
#include <span>

#include "api/binding.hpp"

namespace matgrad::detail {

/// Gives each problem that has succeeded, and of which a result of its own is not finite, the status not_finite
/// without a pivot. Returns how many that are. Without a status, so many as have a result that is not finite.
std::int64_t mark_not_finite(std::span<const OutputInfo> outputs, ScalarType type,
                             const BoundCall& call, std::span<std::int32_t> status);

}  // namespace matgrad::detail
