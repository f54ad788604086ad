#pragma once
/// \file The peers in C++ as contenders of the benchmark.

#include <string>
#include <vector>

#include "bench/runner.hpp"

namespace matgrad::bench {

/// True if a peer has a closed form of the case's function.
[[nodiscard]] bool is_offered(const Case& c, const std::string& executor);

/// Eigen, and libxsmm where this was built with it. They compute in the type of the case.
[[nodiscard]] std::vector<Contender> cpp_peers();

}  // namespace matgrad::bench
