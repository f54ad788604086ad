#pragma once
/// \file Single problems: the care of a Cholesky factor of a Gram matrix whose root is at hand.

#include <cstdint>

#include "cpu/single/step.hpp"

namespace matgrad::detail {

/// Of a factor that single_potrf has made with `status`, and whose cheap bound of the condition is large or that is
/// none: where the condition of its root b asks for it, out and the reciprocals c are made anew from b. All in
/// double. Returns the status.
[[nodiscard]] std::int32_t take_care(const SingleStep& step, std::byte* frame, std::int32_t status);

}  // namespace matgrad::detail
