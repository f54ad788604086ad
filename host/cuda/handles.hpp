#pragma once
/// \file Handles of cuBLAS and cuSOLVER: made when first needed, kept by stream, lent to calls.
///
/// What cuBLAS needs on the device is in the workspace of each call, so its handle may serve any stream.
/// No document says the same of cuSOLVER's batched routines, which take no workspace: its handle goes to
/// another stream only behind the work that it was used for last.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "cuda/owners.hpp"

namespace matgrad::gpu {

struct BlasHandles {
    BlasHandle blas;
};
struct SolverHandles {
    SolverHandle solver;
    SolverParameters parameters;
    Event done;  ///< what they were used for last
    bool has_work = false;
};

inline constexpr unsigned long long kNoStream = ~0ULL;

/// The stream of a call. Numbers of streams are never used again, as their addresses are.
struct CallStream {
    cudaStream_t stream = nullptr;
    unsigned long long number = kNoStream;
};

/// Handles of one kind, each with the stream that it is bound to.
template <typename Handles>
class StreamPool {
public:
    struct Entry {
        Handles handles;
        unsigned long long stream = kNoStream;  ///< whoever binds them says so
        std::uint64_t returned = 0;
    };

    /// The stream's own handles, else idle ones, else new ones; where kKept are made, those of a busy
    /// stream that were free longest. Never waits. The device is current.
    [[nodiscard]] Entry& take(const CallStream& stream);
    /// Any, for a question that enqueues nothing.
    [[nodiscard]] Entry& take_for_question();
    void give_back(Entry& entry) noexcept;
    /// Makes handles if there are none, so that a first call finds some.
    void prepare();
    /// What was made, lent or not.
    [[nodiscard]] std::size_t count() const;

private:
    /// More are made only where so many calls enqueue at once.
    static constexpr std::size_t kKept = 4;

    Entry* best_free(const CallStream& stream);
    Entry& remove_free(Entry* entry);
    Entry& make();

    mutable std::mutex mutex_;
    std::vector<std::unique_ptr<Entry>> entries_;
    std::vector<Entry*> free_;
    std::uint64_t returns_ = 0;
};

struct HandlePools {
    StreamPool<BlasHandles> blas;
    StreamPool<SolverHandles> solver;
};

/// Handles of one call: taken and bound to its stream when it first asks for them.
class Lease {
public:
    /// Workspace that cuBLAS is given on each call: what it asks for on Hopper.
    static constexpr std::size_t kBlasWorkspaceBytes = std::size_t{32} << 20;

    /// `workspace` has kBlasWorkspaceBytes, 256-byte aligned, if cuBLAS is asked for. The math mode is the
    /// default one: TF32 is asked for call by call, since the mode would let it into triangular solves too.
    Lease(HandlePools& pools, const CallStream& stream, void* workspace)
        : pools_(pools), stream_(stream), workspace_(workspace) {}
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease();

    [[nodiscard]] cublasHandle_t blas();
    /// Not while the stream is captured: a graph holds none of cuSOLVER's routines.
    [[nodiscard]] cusolverDnHandle_t solver();
    [[nodiscard]] cusolverDnParams_t solver_parameters();

private:
    HandlePools& pools_;
    CallStream stream_;
    void* workspace_;
    StreamPool<BlasHandles>::Entry* blas_ = nullptr;
    StreamPool<SolverHandles>::Entry* solver_ = nullptr;
};

}  // namespace matgrad::gpu
