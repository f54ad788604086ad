#include "cpu/progress.hpp"

#include <fmt/format.h>

namespace matgrad::detail {

Progress::Progress(const RunHooks& hooks) : hooks_(hooks) {
    if (hooks_.advance) {
        last_ = std::chrono::steady_clock::now();
        ask();
    }
}

void Progress::ask() noexcept {
    try {
        if (!hooks_.advance(done_.load(std::memory_order_relaxed))) {
            stop_.store(true, std::memory_order_relaxed);
        }
    } catch (...) {
        error_ = std::current_exception();
        stop_.store(true, std::memory_order_relaxed);
    }
}

void Progress::add(std::int64_t problems) noexcept {
    done_.fetch_add(problems, std::memory_order_relaxed);
    if (!hooks_.advance) {
        return;
    }
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock.owns_lock() || stopped()) {
        return;
    }
    const auto now = std::chrono::steady_clock::now();
    if (now - last_ >= kPause) {
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
