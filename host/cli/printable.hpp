#pragma once
/// \file Names of files and words of a command line may hold any byte: what a terminal may be shown of them.

#include <string>
#include <string_view>

namespace matgrad {

/// The text with its control characters, C1 among them, and whatever is no UTF-8 written out: `\n`,
/// `\x1b`. The result has no line break.
[[nodiscard]] std::string printable(std::string_view text);

/// The same for lines whose columns matter: each such character becomes `?`, line breaks stay.
[[nodiscard]] std::string printable_lines(std::string_view text);

}  // namespace matgrad
