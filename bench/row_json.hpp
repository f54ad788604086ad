#pragma once
/// \file Rows and ceilings as JSON. Numbers that are not there are null.

#include "bench/row.hpp"
#include "bench/suite_fields.hpp"

namespace matgrad::bench {

[[nodiscard]] Json to_json(const Row& row);
[[nodiscard]] Json to_json(const Ceilings& ceilings);

}  // namespace matgrad::bench
