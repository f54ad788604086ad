#pragma once
/// \file What a peer on a GPU is asked for. It is a library of its own, opened when a GPU is asked for.

#include <cstddef>
#include <cstdint>

#include "bench/cpp_peers/task.hpp"
#include "cuda/module.hpp"

namespace matgrad::bench {

/// Where the peer computes. The copies of operands and results that take turns lie `copy_bytes` apart.
struct PeerPlace {
    int device = 0;
    int multiprocessors = 1;
    gpu::Stopwatch* stopwatch = nullptr;  ///< gives memory, and the stream
    const void* gradient = nullptr;       ///< of the first copy; null: not asked for
    std::int64_t copies = 1;
    std::size_t copy_bytes = 0;
};

/// One case, made ready: handles, workspace, pointers.
class GpuPeer {
public:
    virtual ~GpuPeer() = default;
    /// Enqueues the task on one of the copies; allocates nothing and waits for nothing. Errors:
    /// MachineError.
    virtual void enqueue(const PeerTask& task) = 0;
};

/// Makes a case ready from a task that has sizes and strides, and says by null which results are not
/// asked for. The caller owns what is returned. Errors: MachineError.
using GpuPeerEntry = GpuPeer* (*)(const PeerTask& task, const PeerPlace& place);

/// The functions of the peer by cuBLASDx, as below.
struct MathdxEntries {
    GpuPeerEntry make = nullptr;
    bool (*offers)(const PeerTask& task, int capability) = nullptr;
    const char* (*absent)() = nullptr;
    const char* (*version)() = nullptr;
};

}  // namespace matgrad::bench

extern "C" {
/// cuBLAS and cuSOLVER.
__attribute__((visibility("default"))) matgrad::bench::GpuPeer* matgrad_cublas_peer(
    const matgrad::bench::PeerTask& task, const matgrad::bench::PeerPlace& place);
/// Kernels written by hand with cuBLASDx. `offers`: there is one for such a task and code of it for a device
/// of this compute capability (9.0: 90). `absent`: why there is none for any, in one line; or empty.
/// `version`: of cuBLASDx.
__attribute__((visibility("default"))) matgrad::bench::GpuPeer* matgrad_mathdx_peer(
    const matgrad::bench::PeerTask& task, const matgrad::bench::PeerPlace& place);
__attribute__((visibility("default"))) bool matgrad_mathdx_offers(
    const matgrad::bench::PeerTask& task, int capability);
__attribute__((visibility("default"))) const char* matgrad_mathdx_absent();
__attribute__((visibility("default"))) const char* matgrad_mathdx_version();
}
