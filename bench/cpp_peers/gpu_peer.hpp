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

}  // namespace matgrad::bench

extern "C" {
/// cuBLAS and cuSOLVER.
__attribute__((visibility("default"))) matgrad::bench::GpuPeer* matgrad_cublas_peer(
    const matgrad::bench::PeerTask& task, const matgrad::bench::PeerPlace& place);
}
