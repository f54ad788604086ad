#pragma once
/// \file How far a run is, told to its hook now and then, and how it is told to stop.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <mutex>

#include "matgrad/types.hpp"

namespace matgrad::detail {

class Progress {
public:
    using Pause = std::chrono::milliseconds;
    /// For work in small pieces.
    static constexpr Pause kPause{80};
    /// For work in pieces of some milliseconds each: the hook is told of every one.
    static constexpr Pause kNoPause{0};

    /// Asks the hook once, so that a run that is not wanted never starts.
    explicit Progress(const RunHooks& hooks, Pause pause = kPause);

    /// `problems` more are done. Cheap; calls the hook from one thread at a time, at most every
    /// `pause`.
    void add(std::int64_t problems) noexcept;
    /// All is done again from the start. The hook is never told less than before.
    void restart() noexcept { done_.store(0, std::memory_order_relaxed); }
    void stop() noexcept { stop_.store(true, std::memory_order_relaxed); }
    [[nodiscard]] bool stopped() const noexcept { return stop_.load(std::memory_order_relaxed); }
    /// Throws what the hook threw, or Interrupted, if the run was stopped.
    void throw_if_stopped(std::int64_t batch) const;

private:
    void ask() noexcept;

    const RunHooks& hooks_;
    Pause pause_;
    std::atomic<std::int64_t> done_{0};
    std::atomic<bool> stop_{false};
    std::mutex mutex_;
    std::int64_t told_ = 0;
    std::chrono::steady_clock::time_point last_;
    std::exception_ptr error_;
};

}  // namespace matgrad::detail
