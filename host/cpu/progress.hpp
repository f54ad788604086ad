#pragma once
/// \file How far a run is, told to its hook now and then, and how it is told to stop.

#include <atomic>
#include <chrono>
#include <exception>
#include <mutex>

#include "matgrad/plan.hpp"

namespace matgrad::detail {

class Progress {
public:
    /// Asks the hook once, so that a run that is not wanted never starts.
    explicit Progress(const RunHooks& hooks);

    /// `problems` more are done. Cheap; calls the hook from one thread at a time, at most every
    /// kPause.
    void add(std::int64_t problems) noexcept;
    [[nodiscard]] bool stopped() const noexcept { return stop_.load(std::memory_order_relaxed); }
    /// Throws what the hook threw, or Interrupted, if the run was stopped.
    void throw_if_stopped(std::int64_t batch) const;

private:
    static constexpr std::chrono::milliseconds kPause{80};
    void ask() noexcept;

    const RunHooks& hooks_;
    std::atomic<std::int64_t> done_{0};
    std::atomic<bool> stop_{false};
    std::mutex mutex_;
    std::chrono::steady_clock::time_point last_;
    std::exception_ptr error_;
};

}  // namespace matgrad::detail
