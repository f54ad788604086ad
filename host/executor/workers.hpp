#pragma once
/// \file The threads of the process: started at the first run that wants them, kept for the next.

#include <atomic>
#include <cstdint>
#include <functional>

#include "executor/executor.hpp"

namespace matgrad::detail {

/// Calls work(0), ..., work(count - 1), each once, and returns when all have returned. The calling
/// thread takes part: it calls whatever no other thread has begun, so that nobody waits for a thread
/// to wake up, and a call from within a call cannot deadlock. Where the system gives no thread, the
/// caller does all of it. Nothing is allocated but threads, at the first call that wants them. What `work` throws
/// first leaves this call when all the others have returned.
void run_workers(int count, const std::function<void(int)>& work);
/// As run_workers, on the caller's threads, which see no exception.
void run_on(const Parallel& threads, int count, const std::function<void(int)>& work);

/// Threads that may share a piece of work.
struct Threads {
    int count = 1;
    const Parallel* pool = nullptr;  ///< the caller's; null: those of the process

    /// As run_workers, on these threads.
    void run(int workers, const std::function<void(int)>& work) const {
        pool == nullptr ? run_workers(workers, work) : run_on(*pool, workers, work);
    }
};

/// work(i) for every i below `count`, on at most `threads` of them. Allocates nothing.
template <typename Work>
void for_each_index(const Threads& threads, std::int64_t count, Work work) {
    if (threads.count <= 1 || count <= 1) {
        for (std::int64_t i = 0; i < count; ++i) {
            work(i);
        }
        return;
    }
    std::atomic<std::int64_t> next{0};
    const auto take = [&](int /*worker*/) {
        for (std::int64_t i = next.fetch_add(1); i < count; i = next.fetch_add(1)) {
            work(i);
        }
    };
    // A std::function holds a reference without memory of its own.
    threads.run(count < threads.count ? static_cast<int>(count) : threads.count, std::cref(take));
}

}  // namespace matgrad::detail
