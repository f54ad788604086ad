#pragma once
/// \file A case as it is written in a suite: fields of JSON, read one by one.

#include <nlohmann/json.hpp>
#include <string>

#include "bench/case.hpp"

namespace matgrad::bench {

using Json = nlohmann::ordered_json;

/// A case from fields without `for`. `where` opens every message.
/// Errors: CallerError; those of `parse`.
[[nodiscard]] Case case_of_fields(const Json& fields, const std::string& where);

/// All combinations of the lists in `for`, the last of them varying fastest; the fields alone
/// without it. Errors: CallerError.
[[nodiscard]] std::vector<Json> combinations(const Json& fields, const std::string& where);

/// The expanded form.
[[nodiscard]] Json to_json(const Case& c);

/// Errors: CallerError that names a key of `object` that is not among `known`.
void check_keys(const Json& object, std::initializer_list<const char*> known,
                const std::string& where);

/// A field that must be there and text. Errors: CallerError.
[[nodiscard]] std::string text_field(const Json& object, const char* key, const std::string& where);

}  // namespace matgrad::bench
