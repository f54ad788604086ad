#pragma once
/// \file Answers as JSON: what peers in other processes are held to.

#include "bench/answers.hpp"
#include "bench/suite_fields.hpp"

namespace matgrad::bench {

/// A list of {"problem", "f", "value_bound", "df", "bound"}; numbers that are not finite are null.
[[nodiscard]] Json to_json(const std::vector<Answer>& answers);

/// The answers of a case from such a list. Errors: CallerError.
[[nodiscard]] std::vector<Answer> answers_of_json(const Case& c, const Json& list);

}  // namespace matgrad::bench
