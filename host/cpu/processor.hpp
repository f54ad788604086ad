#pragma once
/// \file What the processor of this machine is.

#include <cstddef>
#include <string>

namespace matgrad {

/// Its own name where the system tells it.
[[nodiscard]] std::string processor_name();

/// The best instruction set that this machine has and the executor is compiled for.
[[nodiscard]] std::string vector_instructions();

/// Bytes of the last-level cache; a guess where the system does not tell.
[[nodiscard]] std::size_t last_level_cache_bytes();

}  // namespace matgrad
