#pragma once
/// \file Streams chunks of a host batch through one device.

#include <cstdint>
#include <memory>
#include <vector>

#include "cuda/host_buffers.hpp"
#include "cuda/host_copy.hpp"

namespace matgrad::gpu {

class Finisher;

class HostStream {
public:
    /// `is_first`: the one that takes the results that there is one of. Uploads the shared operands. The executor's device stays current for the calling thread,
    /// which makes all calls. Errors: CudaError.
    HostStream(const DeviceExecutor& executor, const HostCall& call, const Chunking& chunking,
               const Copying& copying, const Finisher& finisher, bool is_first);

    /// Starts problems [first, first + count), at most a chunk. Waits for an earlier chunk if all
    /// slots are taken. Returns the problems that were finished meanwhile; those left to the finisher are not.
    std::int64_t start(std::int64_t first, std::int64_t count);
    /// Waits for the oldest chunk under way; 0 problems if there is none. A chunk of 0 problems
    /// counts as finished all the same.
    std::int64_t finish_oldest();
    [[nodiscard]] bool is_idle() const { return under_way_ == 0; }

    /// Without those that are left to the finisher.
    [[nodiscard]] std::int64_t failed() const { return failed_; }
    /// The problems that the finisher is to run again: they have no part in the sums.
    [[nodiscard]] const std::vector<std::int64_t>& left() const { return left_; }
    /// A factor that all problems share has failed.
    [[nodiscard]] bool lost_single_results() const { return lost_single_results_; }
    /// Of each output that is reduced over the batch, the sum of the chunks so far, in double; empty
    /// for others.
    [[nodiscard]] const std::vector<std::vector<double>>& sums() const { return sums_; }
    /// Leaves the buffers to the executor's next call. Nothing is under way.
    void keep_buffers();

private:
    struct Chunk {
        std::int64_t first = 0, count = 0;
    };
    void upload_shared();
    void upload(HostBuffers::Slot& slot, const Chunk& chunk);
    void compute(HostBuffers::Slot& slot, const Chunk& chunk);
    void download(HostBuffers::Slot& slot, const Chunk& chunk);
    bool leaves_all(const HostBuffers::Slot& slot, const std::int32_t* status, const Chunk& chunk);
    std::int64_t take_status(const std::int32_t* status, const Chunk& chunk);
    void take_results(const HostBuffers::Slot& slot, const Chunk& chunk);

    const DeviceExecutor& executor_;
    const Program& program_;
    const HostCall& call_;
    Copying copying_;
    const Finisher& finisher_;
    bool is_first_;
    CurrentDevice current_;
    std::unique_ptr<HostBuffers> buffers_;
    std::vector<Chunk> chunks_;  ///< by slot
    std::size_t next_ = 0;       ///< slot of the next chunk
    std::size_t under_way_ = 0;
    bool took_single_results_ = false;
    bool lost_single_results_ = false;
    std::int64_t failed_ = 0;
    std::vector<std::int64_t> left_;  ///< nothing is allocated where there are none
    std::vector<std::vector<double>> sums_;
};

}  // namespace matgrad::gpu
