#include "executor/workers.hpp"

#include <hwy/cache_control.h>
#include <pthread.h>

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <new>
#include <thread>
#include <vector>

namespace matgrad::detail {
namespace {

/// Rounds that an idle thread looks for work, and a caller for the end of it, before they sleep: some
/// tens of microseconds, about what waking up takes.
constexpr int kRounds = 1000;

/// Work that throws nothing: the first exception is kept for who waits for the end of it.
class GuardedWork {
public:
    explicit GuardedWork(const std::function<void(int)>& work) : work_(work) {}
    void operator()(int index) noexcept {
        try {
            work_(index);
        } catch (...) {
            if (!has_thrown_.exchange(true)) {
                error_ = std::current_exception();
            }
        }
    }
    /// Once all calls have returned.
    void rethrow() const {
        if (error_) {
            std::rethrow_exception(error_);
        }
    }

private:
    const std::function<void(int)>& work_;
    std::atomic<bool> has_thrown_{false};
    std::exception_ptr error_;
};

/// One call of run_workers. Lives on the stack of its caller, who leaves only after a look under the
/// mutex of the pool that `running` is 0.
struct Job {
    const std::function<void(int)>& work;
    const int count;
    int next = 0;                 ///< the first index that nobody has begun
    std::atomic<int> running{0};  ///< begun by threads of the pool and not done
    Job* after = nullptr;         ///< in the queue
};

/// Jobs with an index that nobody has begun, the oldest first. They are linked through themselves.
class JobQueue {
public:
    [[nodiscard]] bool empty() const { return first_ == nullptr; }
    [[nodiscard]] Job& first() const { return *first_; }
    void append(Job& job) {
        Job** link = &first_;
        while (*link != nullptr) {
            link = &(*link)->after;
        }
        *link = &job;
    }
    void remove(const Job& job) {
        Job** link = &first_;
        while (*link != &job) {
            link = &(*link)->after;
        }
        *link = job.after;
    }

private:
    Job* first_ = nullptr;
};

class Pool {
public:
    void run(int count, const std::function<void(int)>& work) {
        Job job{work, count};
        {
            const std::lock_guard lock(mutex_);
            start_threads(count - 1);
            jobs_.append(job);
            posted_.fetch_add(1, std::memory_order_release);
        }
        wake(count - 1);
        for (int index = claim(job); index >= 0; index = claim(job)) {
            work(index);
        }
        wait_for(job);
    }

    /// Ends the threads. Later calls are worked by their callers alone.
    void stop() {
        {
            const std::lock_guard lock(mutex_);
            stopping_ = true;
            posted_.fetch_add(1, std::memory_order_release);
        }
        posted_condition_.notify_all();
        for (std::thread& thread : threads_) {
            if (thread.get_id() == std::this_thread::get_id()) {
                thread.detach();  // exit() within a run's own hook
            } else {
                thread.join();
            }
        }
    }

private:
    void start_threads(int wanted) {
        try {
            while (!stopping_ && static_cast<int>(threads_.size()) < wanted) {
                threads_.emplace_back([this] { serve(); });
            }
        } catch (const std::exception&) {
            // No more threads to be had, or no memory for one: those that run share the work.
        }
    }

    void wake(int wanted) {
        if (sleeping_.load() == 0) {
            return;
        }
        for (int i = 0; i < wanted; ++i) {
            posted_condition_.notify_one();
        }
    }

    /// The next index of the job for its caller, or -1.
    int claim(Job& job) {
        const std::lock_guard lock(mutex_);
        return take(job);
    }
    int take(Job& job) {
        if (job.next == job.count) {
            return -1;
        }
        const int index = job.next++;
        if (job.next == job.count) {
            jobs_.remove(job);
        }
        return index;
    }

    void wait_for(Job& job) {
        for (int i = 0; i < kRounds && job.running.load(std::memory_order_acquire) > 0; ++i) {
            hwy::Pause();
        }
        std::unique_lock lock(mutex_);
        done_condition_.wait(lock, [&job] { return job.running.load() == 0; });
    }

    void serve() {
        std::unique_lock lock(mutex_);
        while (!stopping_) {
            if (jobs_.empty()) {
                sleep(lock);
                continue;
            }
            Job& job = jobs_.first();
            const int index = take(job);
            job.running.fetch_add(1);
            lock.unlock();
            job.work(index);
            lock.lock();
            if (job.running.fetch_sub(1) == 1) {
                done_condition_.notify_all();
            }
        }
    }

    /// Until something is posted, at first by looking for it. Entered and left with the lock held.
    void sleep(std::unique_lock<std::mutex>& lock) {
        const std::uint64_t seen = posted_.load();
        lock.unlock();
        for (int i = 0; i < kRounds && posted_.load(std::memory_order_acquire) == seen; ++i) {
            hwy::Pause();
        }
        lock.lock();
        sleeping_.fetch_add(1);
        posted_condition_.wait(lock, [&] { return posted_.load() != seen || stopping_; });
        sleeping_.fetch_sub(1);
    }

    std::mutex mutex_;
    std::condition_variable posted_condition_;
    std::condition_variable done_condition_;
    std::atomic<std::uint64_t> posted_{0};
    std::atomic<int> sleeping_{0};
    JobQueue jobs_;
    std::vector<std::thread> threads_;
    bool stopping_ = false;
};

/// Never destroyed: a run may still be under way when the process ends.
std::atomic<Pool*> g_pool{nullptr};
/// Its memory. A child of fork, where nobody could be told that there is none, needs no more.
alignas(Pool) std::byte g_memory[sizeof(Pool)];

/// A child of fork has none of the threads.
void forget_threads() {
    g_pool = new (g_memory) Pool;
}

/// Ends the threads before the code that they run can be unloaded.
struct PoolEnd {
    PoolEnd() {
        g_pool = new (g_memory) Pool;
        (void)pthread_atfork(nullptr, nullptr, forget_threads);
    }
    ~PoolEnd() { g_pool.load()->stop(); }
    PoolEnd(const PoolEnd&) = delete;
    PoolEnd& operator=(const PoolEnd&) = delete;
};

Pool& pool() {
    static const PoolEnd end;
    return *g_pool.load();
}

}  // namespace

void run_workers(int count, const std::function<void(int)>& work) {
    if (count <= 1) {
        if (count == 1) {
            work(0);
        }
        return;
    }
    GuardedWork guarded(work);
    pool().run(count, std::ref(guarded));
    guarded.rethrow();
}

void run_on(const Parallel& threads, int count, const std::function<void(int)>& work) {
    GuardedWork guarded(work);
    threads(count, std::ref(guarded));
    guarded.rethrow();
}

}  // namespace matgrad::detail
