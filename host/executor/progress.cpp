#include "executor/progress.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "matgrad/error.hpp"

namespace matgrad::detail {

Progress::Progress(const RunHooks& hooks, Pause pause) : hooks_(hooks), pause_(pause) {
    if (hooks_.advance) {
        last_ = std::chrono::steady_clock::now();
        ask();
    }
}

void Progress::ask() noexcept {
    told_ = std::max(told_, done_.load(std::memory_order_relaxed));
    try {
        if (!hooks_.advance(told_)) {
            stop();
        }
    } catch (...) {
        error_ = std::current_exception();
        stop();
    }
}

void Progress::add(std::int64_t problems) noexcept {
    if (!hooks_.advance) {
        return;  // nobody asks, and nobody stops the run
    }
    done_.fetch_add(problems, std::memory_order_relaxed);
    std::unique_lock lock(mutex_, std::defer_lock);
    if (pause_ == kNoPause) {
        lock.lock();
    } else if (!lock.try_lock()) {
        return;
    }
    if (stopped()) {
        return;
    }
    const auto now = std::chrono::steady_clock::now();
    if (now - last_ >= pause_) {
        last_ = now;
        ask();
    }
}

void Progress::throw_if_stopped(std::int64_t batch) const {
    if (!stopped()) {
        return;
    }
    if (error_) {
        std::rethrow_exception(error_);
    }
    throw Interrupted(fmt::format("interrupted after {} of {} problems", done_.load(), batch));
}

}  // namespace matgrad::detail
