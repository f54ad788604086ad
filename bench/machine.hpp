#pragma once
/// \file What the results are of: the machine, and the build of matgrad.

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace matgrad::bench {

[[nodiscard]] std::size_t physical_memory_bytes();

/// The processor, its cores and vector instructions.
[[nodiscard]] std::string cpu_text();

/// Of matgrad, the compiler, the libraries it is built with.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> build_versions();

/// The commit this was built from, `-dirty` if files had changed; empty outside a repository.
[[nodiscard]] std::string build_commit();

/// UTC, as in 2026-01-31T12:00:00Z.
[[nodiscard]] std::string now_text();

}  // namespace matgrad::bench
