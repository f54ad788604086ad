#pragma once
/// \file The peers in C++ as contenders of the benchmark.

#include <string>
#include <vector>

#include "bench/cpp_peers/gpu_peer.hpp"
#include "bench/gpu_contender.hpp"
#include "bench/runner.hpp"

namespace matgrad::bench {

/// True if a peer has a closed form of the case's function.
[[nodiscard]] bool is_offered(const Case& c, const std::string& executor);

/// Eigen, and libxsmm where this was built with it. They compute in the type of the case.
[[nodiscard]] std::vector<Contender> cpp_peers();

/// cuBLAS and cuSOLVER, called call by call, in the type of the case. `make` is what
/// open_cublas_peer gives, or matgrad_cublas_peer where that is linked.
[[nodiscard]] GpuContender cublas_peer(GpuPeerEntry make);

/// Opens the library of the peer, which loads cuBLAS and cuSOLVER. Errors: MachineError that says what
/// is missing.
[[nodiscard]] GpuPeerEntry open_cublas_peer();

}  // namespace matgrad::bench
