#pragma once
/// \file What a GPU and the simulated one of the tests do in different ways.

#include <cuda_runtime_api.h>

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

namespace matgrad::probe {

[[nodiscard]] bool on_simulated_gpu();

/// Holds streams: what is enqueued on them after this does not run before release().
///
/// On a GPU a kernel on each reads a word of the host's memory again and again. A call that waits for such
/// a stream would never return, so after `seconds` (below 3) they are let go; is_held() says that this has
/// happened.
class HeldStreams {
public:
    using Clock = std::chrono::steady_clock;

    HeldStreams(const std::vector<cudaStream_t>& streams, double seconds);
    HeldStreams(const HeldStreams&) = delete;
    HeldStreams& operator=(const HeldStreams&) = delete;
    /// Lets the streams go and waits for them.
    ~HeldStreams();
    /// Nothing behind a holder can have run.
    [[nodiscard]] bool is_held() const { return !let_go_at(); }
    /// When this ended; empty while it has not.
    [[nodiscard]] std::optional<Clock::time_point> let_go_at() const;
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
