#pragma once
/// \file What is meant by the notation of other languages and of paper: a row each, with the right form.

#include <cstddef>
#include <string>
#include <string_view>

namespace matgrad::detail {

/// What to write in place of what stands at `at`, where reading stopped: `; the transpose of X is
/// written X'`. Empty if nothing is known of it. `after_operand`: an operator was expected there.
[[nodiscard]] std::string hint_for(std::string_view text, std::size_t at, bool after_operand);

}  // namespace matgrad::detail
