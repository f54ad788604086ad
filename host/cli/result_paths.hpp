#pragma once
/// \file Which file a path means, however it is spelled, and whether it is there yet or not.

#include <optional>
#include <string>
#include <vector>

namespace matgrad {

/// True if both name one file, or would when it is made: by links, `./`, or folders of two names.
[[nodiscard]] bool same_file(const std::string& a, const std::string& b);

/// Throws FileError where two of the paths are one file.
void check_distinct(const std::vector<std::string>& paths);

}  // namespace matgrad
