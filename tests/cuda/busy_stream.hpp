#pragma once
/// \file A stream that is kept busy: whoever waits for it is found out. In the program of the simulated
/// GPU a task that must not run yet, in that of a real one a kernel that spins.

#include <cuda_runtime_api.h>

#include <memory>

namespace matgrad::test {

/// Nothing behind it on the stream runs until it is released. It gives up after half a second, so that
/// a call that waits for the stream fails its test in place of hanging it.
class BusyStream {
public:
    explicit BusyStream(cudaStream_t stream);
    BusyStream(const BusyStream&) = delete;
    BusyStream& operator=(const BusyStream&) = delete;
    /// Waits for the stream.
    ~BusyStream();

    void release();
    /// After the stream was waited for: something waited for the stream before it was released.
    [[nodiscard]] bool gave_up() const;

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace matgrad::test
