#pragma once
/// \file What a GPU and the simulated one of the tests do in different ways.

#include <cuda_runtime_api.h>

#include <memory>

namespace matgrad::probe {

[[nodiscard]] bool on_simulated_gpu();

/// Holds a stream: what is enqueued on it after this does not run before release().
///
/// On a GPU a kernel reads a word of the host's memory again and again. A call that waits for the stream
/// would never return, so after `seconds` the stream is let go; is_held() says that this has happened.
class HeldStream {
public:
    HeldStream(cudaStream_t stream, double seconds);
    HeldStream(const HeldStream&) = delete;
    HeldStream& operator=(const HeldStream&) = delete;
    /// Lets the stream go and waits for it.
    ~HeldStream();
    /// Nothing behind the holder can have run.
    [[nodiscard]] bool is_held() const;
    void release();

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// A kernel of one thread that does nothing.
void launch_empty(cudaStream_t stream);

/// The simulated GPU reports what the executors must not do. Where the probe tries just that, such a
/// report is the answer, not a mistake. On a GPU there is nothing to forget.
void forget_refusals();

}  // namespace matgrad::probe
