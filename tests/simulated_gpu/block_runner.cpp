#include "simulated_gpu/block_runner.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <numeric>
#include <vector>

#include "simulated_gpu/fiber.hpp"
#include "simulated_gpu/machine.hpp"
#include "simulated_gpu/profiler.hpp"

namespace matgrad::simulated {
namespace {

constexpr int kWarp = KernelState::kWarp;

/// One launch. Fibers are kept from launch to launch.
class Runner {
public:
    void start(const KernelRun& run) {
        run_ = run;
        order_.resize(run.block);
        std::iota(order_.begin(), order_.end(), 0);
        std::shuffle(order_.begin(), order_.end(), simulation().random);
        warps_.resize((run.block + kWarp - 1) / kWarp);
        barriers_ = warp_barriers_ = exchanges_ = 0;
        complained_ = false;
        memory_.start_launch(run.memory);
        profiler_.start_launch(simulation().is_profiling, run.grid, run.block);
        KernelState& state = *kernel_state();
        const unsigned long serial = state.block_serial;
        state = {};
        state.block_serial = serial;
        state.block_size = static_cast<int>(run.block);
        state.miss = [](const void* address, unsigned long bytes, bool is_store,
                        const CallSite* site) {
            return the().may_access(address, bytes, is_store, site);
        };
        state.shared_miss = [](const void* address, unsigned long bytes, bool is_store,
                               const CallSite* site) {
            return the().may_shared_access(address, bytes, is_store, site);
        };
        state.barrier = [](Barrier kind, const char* file, int line) {
            the().arrive(kind, file, line);
        };
        state.enter_shared = [](void* data, unsigned long bytes, const char* name) {
            the().memory_.enter(data, bytes, name);
        };
        state.enter_block_memory = [](unsigned long bytes, const char* name) {
            the().complain(the().memory_.enter_dynamic(bytes, name));
        };
    }

    void run_block(long long index) {
        KernelState& state = *kernel_state();
        state.block = index;
        ++state.block_serial;
        memory_.start_block();
        is_profiled_ = profiler_.start_block(index);
        if (is_profiled_) {
            std::fill(std::begin(state.ranges), std::end(state.ranges), MemoryRange{});
        }
        for (Warp& warp : warps_) {
            warp.is_known = warp.is_direct = false;
        }
        running_ = order_;
        do {
            turn(running_);
            run_to_block_barrier();
        } while (!running_.empty());
        profiler_.end_block();
        complain(memory_.check_block());
    }

    Launch finish() {
        complain(memory_.check_launch());
        const KernelState& state = *kernel_state();
        return {run_.name,
                run_.grid,
                run_.block,
                state.loads,
                state.stores,
                state.load_bytes,
                state.store_bytes,
                barriers_,
                memory_.largest(),
                state.shared_loads,
                state.shared_stores,
                state.shared_load_bytes,
                state.shared_store_bytes,
                warp_barriers_,
                exchanges_ / 2,
                profiler_.take()};
    }

    static Runner& the() {
        static auto& only = *new Runner;
        return only;
    }

private:
    struct Thread {
        std::unique_ptr<Fiber> fiber;
        // The barrier at which it waits.
        Barrier kind = Barrier::block;
        const char* file = nullptr;
        int line = 0;

        [[nodiscard]] bool waits_where(const Thread& other) const {
            return kind == other.kind && line == other.line && std::strcmp(file, other.file) == 0;
        }
    };

    struct Warp {
        /// A warp without barriers needs no second stack: its first thread tells.
        bool is_known = false, is_direct = false;
        // Since the last barrier of the block:
        std::vector<int> ready;    ///< to run, in this order
        std::vector<int> waiting;  ///< at a barrier of the warp
        int at_block = 0;          ///< wait at a barrier of the block
        int ended = 0;             ///< since the warp last waited
    };

    Thread& thread(int index) {
        const auto at = static_cast<std::size_t>(index);
        if (at >= fibers_.size()) {
            fibers_.resize(at + 1);
        }
        Thread& thread = fibers_[at];
        if (!thread.fiber) {
            thread.fiber = std::make_unique<Fiber>(
                [](void* self) {
                    const auto* runner = static_cast<const Runner*>(self);
                    runner->run_.function(runner->run_.arguments);
                },
                this);
        }
        return thread;
    }
    Warp& warp_of(int index) { return warps_[static_cast<std::size_t>(index / kWarp)]; }

    /// Runs a thread until it waits or ends.
    void resume(int index) {
        Warp& warp = warp_of(index);
        kernel_state()->thread = index;
        if (warp.is_direct) {
            run_.function(run_.arguments);
            ++warp.ended;
            return;
        }
        Thread& self = thread(index);
        const bool waits = self.fiber->resume();
        warp.is_direct = !warp.is_known && !waits;
        warp.is_known = true;
        if (!waits) {
            ++warp.ended;
        } else if (self.kind == Barrier::block) {
            ++warp.at_block;
            at_block_.push_back(index);
        } else {
            warp.waiting.push_back(index);
        }
    }

    /// Leaves those of the running threads that wait at the next barrier of the block.
    void run_to_block_barrier() {
        at_block_.clear();
        for (Warp& warp : warps_) {
            warp.at_block = warp.ended = 0;
        }
        // Threads of all warps in any order, or warp after warp.
        const bool is_mixed = simulation().random() % 4 == 0;
        for (const int index : running_) {
            if (is_mixed) {
                resume(index);
            } else {
                warp_of(index).ready.push_back(index);
            }
        }
        waiting_.clear();
        for (Warp& warp : warps_) {
            if (!warp.ready.empty() || !warp.waiting.empty()) {
                waiting_.push_back(&warp);
            }
        }
        while (!waiting_.empty()) {
            run_a_warp();
        }
        check_block_barrier();
        running_.swap(at_block_);
    }

    /// One of the warps that are not yet at the barrier of the block goes on for a few barriers, or as far as it can.
    void run_a_warp() {
        const std::uint64_t bits = simulation().random();
        Warp*& chosen = waiting_[(bits >> 8) % waiting_.size()];
        const bool is_far = bits % 4 == 0;
        for (std::uint64_t left = 1 + (bits >> 2) % 8; left > 0; left -= is_far ? 0 : 1) {
            go_on(*chosen);
            if (chosen->waiting.empty()) {
                chosen = waiting_.back();
                waiting_.pop_back();
                return;
            }
        }
    }

    /// Runs the threads of a warp until all wait or have ended.
    void go_on(Warp& warp) {
        if (warp.ready.empty()) {
            check_warp_barrier(warp);
            warp.ended = 0;
            warp.ready.swap(warp.waiting);
            turn(warp.ready);
        }
        for (const int index : warp.ready) {
            resume(index);
        }
        warp.ready.clear();
    }

    /// All threads of the warp have ended or wait, some at a barrier of the warp: those go on.
    void check_warp_barrier(const Warp& warp) {
        const Thread& one = thread(warp.waiting[0]);
        (one.kind == Barrier::warp ? warp_barriers_ : exchanges_) += 1;
        profiler_.pass_barrier(static_cast<std::size_t>(warp.waiting[0] / kWarp), one.kind);
        if (warp.ended > 0 || warp.at_block > 0) {
            const int elsewhere = warp.ended > 0 ? warp.ended : warp.at_block;
            complain(std::to_string(elsewhere) + " threads of warp " +
                     std::to_string(warp.waiting[0] / kWarp) + of_block() +
                     (warp.ended > 0 ? " ended" : " wait for the block") +
                     " while the others wait at the warp's barrier of line " +
                     std::to_string(one.line));
        }
        check_same_barrier(warp.waiting, "threads of a warp");
    }

    void check_block_barrier() {
        if (at_block_.empty()) {
            return;
        }
        ++barriers_;
        profiler_.pass_block_barrier();
        const std::size_t ended = running_.size() - at_block_.size();
        if (ended > 0) {
            complain("threads " + std::to_string(ended) + " of " + std::to_string(running_.size()) +
                     of_block() + " ended while the others wait at the barrier of line " +
                     std::to_string(thread(at_block_[0]).line));
        }
        check_same_barrier(at_block_, "threads of a block");
    }

    void check_same_barrier(const std::vector<int>& waiting, const char* who) {
        const Thread& one = thread(waiting[0]);
        for (const int index : waiting) {
            const Thread& other = thread(index);
            if (!other.waits_where(one)) {
                complain(std::string(who) + " wait at different barriers, of lines " +
                         std::to_string(one.line) + " and " + std::to_string(other.line));
                return;
            }
        }
    }

    /// Another order, found faster than by a shuffle.
    static void turn(std::vector<int>& order) {
        const std::uint64_t bits = simulation().random();
        std::rotate(order.begin(),
                    order.begin() + static_cast<std::ptrdiff_t>((bits >> 1) % order.size()),
                    order.end());
        if ((bits & 1) != 0) {
            std::reverse(order.begin(), order.end());
        }
    }

    void arrive(Barrier kind, const char* file, int line) {
        const int index = kernel_state()->thread;
        if (warp_of(index).is_direct) {
            complain(this_thread() + " waits at the barrier of line " + std::to_string(line) +
                     ", which another thread ended without");
            return;
        }
        Thread& self = thread(index);
        self.kind = kind;
        self.file = file;
        self.line = line;
        self.fiber->pause();
    }

    bool may_access(const void* address, std::size_t bytes, bool is_store, const CallSite* site) {
        const Block* block = nullptr;
        if (const char* where =
                simulation().memory.check_access(address, bytes, run_.device, block)) {
            complain_of(is_store, bytes, where);
            return false;
        }
        if (is_profiled_) {
            profiler_.record(is_store ? AccessKind::store : AccessKind::load, site, address, bytes,
                             kernel_state()->thread);
        } else {
            remember(kernel_state()->ranges,
                     {reinterpret_cast<const char*>(block->data), block->bytes});
        }
        return true;
    }

    bool may_shared_access(const void* address, std::size_t bytes, bool is_store,
                           const CallSite* site) {
        MemoryRange array;
        if (const std::optional<std::string> trouble =
                memory_.check_access(address, bytes, array)) {
            complain_of(is_store, bytes, *trouble);
            return false;
        }
        if (is_profiled_) {
            profiler_.record(is_store ? AccessKind::shared_store : AccessKind::shared_load, site,
                             address, bytes, kernel_state()->thread);
        } else {
            remember(kernel_state()->shared_ranges, array);
        }
        return true;
    }

    /// The range comes first, the one that was last goes.
    static void remember(MemoryRange (&ranges)[KernelState::kRanges], const MemoryRange& range) {
        std::rotate(ranges, ranges + KernelState::kRanges - 1, ranges + KernelState::kRanges);
        ranges[0] = range;
    }

    void complain_of(bool is_store, std::size_t bytes, const std::string& where) {
        complain(this_thread() + (is_store ? " stores " : " loads ") + std::to_string(bytes) +
                 " bytes " + where);
    }

    /// The first trouble of a launch is enough.
    void complain(const std::optional<std::string>& text) {
        if (text && !complained_) {
            report(*text);
            complained_ = true;
        }
    }

    static std::string of_block() { return " of block " + std::to_string(kernel_state()->block); }
    static std::string this_thread() {
        return "thread " + std::to_string(kernel_state()->thread) + of_block();
    }

    KernelRun run_;
    bool complained_ = false;
    std::int64_t barriers_ = 0, warp_barriers_ = 0, exchanges_ = 0;
    std::vector<int> order_;
    std::vector<Warp> warps_;
    std::vector<int> running_, at_block_;
    std::vector<Warp*> waiting_;
    std::vector<Thread> fibers_;
    BlockMemory memory_;
    Profiler profiler_;
    bool is_profiled_ = false;  ///< the block that runs
};

}  // namespace

KernelState* kernel_state() {
    static KernelState state;
    return &state;
}

Launch run_kernel(const KernelRun& run) {
    Runner& runner = Runner::the();
    runner.start(run);
    // Blocks in the order of an arithmetic progression modulo their number.
    const std::uint64_t first = simulation().random() % run.grid;
    std::uint64_t stride = 1 + simulation().random() % run.grid;
    while (std::gcd(stride, std::uint64_t{run.grid}) != 1) {
        ++stride;
    }
    std::uint64_t index = first;
    for (unsigned i = 0; i < run.grid; ++i) {
        runner.run_block(static_cast<long long>(index));
        index = (index + stride) % run.grid;
    }
    return runner.finish();
}

}  // namespace matgrad::simulated
