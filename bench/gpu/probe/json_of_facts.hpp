#pragma once
/// \file Facts as JSON, for the few files that write it.

#include <nlohmann/json.hpp>

#include "fact.hpp"

namespace matgrad::probe {

[[nodiscard]] nlohmann::ordered_json to_json(const Fact& fact);

}  // namespace matgrad::probe
