#pragma once
/// \file The peers in C++ as contenders of the benchmark.

#include <optional>
#include <string>
#include <vector>

#include "bench/cpp_peers/gpu_peer.hpp"
#include "bench/gpu_contender.hpp"
#include "bench/runner.hpp"

namespace matgrad::bench {

/// True if a peer has a closed form of the case's function.
[[nodiscard]] bool is_offered(const Case& c, const std::string& executor);

/// The sizes of the case as a peer is asked for it, without operands: results that are asked for are not
/// null, but lie nowhere. Empty if it is none of the four functions.
[[nodiscard]] std::optional<PeerTask> peer_task(const Case& c);

/// Eigen, and libxsmm where this was built with it. They compute in the type of the case.
[[nodiscard]] std::vector<Contender> cpp_peers();

/// The functions of the peer by MKL's compact functions.
struct MklEntries {
    bool (*run)(const PeerTask* task) = nullptr;
    const char* (*version)() = nullptr;
};

/// MKL's compact functions, for batches of small matrices, in the type of the case.
[[nodiscard]] Contender mkl_peer(const MklEntries& entries);

/// Opens the library of that peer. Errors: MachineError that says why it is absent.
[[nodiscard]] MklEntries open_mkl_peer();

/// cuBLAS and cuSOLVER, called call by call, in the type of the case. `make` is what
/// open_cublas_peer gives, or matgrad_cublas_peer where that is linked.
[[nodiscard]] GpuContender cublas_peer(GpuPeerEntry make);

/// Opens the library of the peer, which loads cuBLAS and cuSOLVER. Errors: MachineError that says what
/// is missing.
[[nodiscard]] GpuPeerEntry open_cublas_peer();

/// Kernels by hand with cuBLASDx, in the type of the case, on a device of this compute capability (9.0: 90).
[[nodiscard]] GpuContender mathdx_peer(const MathdxEntries& entries, int capability);

/// Opens the library of that peer. Errors: MachineError that says why it is absent.
[[nodiscard]] MathdxEntries open_mathdx_peer();

}  // namespace matgrad::bench
