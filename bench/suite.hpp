#pragma once
/// \file Suites as JSON (bench/README.md describes the format).

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bench/case.hpp"

namespace matgrad::bench {

/// Reads a suite and expands it. `source` is what messages call it.
///
/// Errors   CallerError in one line that names the source and the case: not JSON, an unknown key, a
///          missing one, a wrong type, a size that is missing or unknown, an unknown function, two
///          rows of one name; those of `parse`.
[[nodiscard]] Suite parse_suite(std::string_view text, const std::string& source);

/// The suite of a file, or of a name: one of those inside the program. A path has a `/` or ends in `.json`.
/// Errors: FileError, those of parse_suite.
[[nodiscard]] Suite load_suite(const std::string& name_or_path);

/// A suite inside the program.
struct EmbeddedSuite {
    std::string_view name;
    std::string_view text;
};

/// Those of bench/suites, in the order of their names.
[[nodiscard]] std::span<const EmbeddedSuite> embedded_suites();

}  // namespace matgrad::bench
