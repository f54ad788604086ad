#include "simulated_gpu/block_runner.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "simulated_gpu/fiber.hpp"
#include "simulated_gpu/machine.hpp"

namespace matgrad::simulated {
namespace {

/// NaN, be it float or double.
constexpr unsigned char kPoison = 0xFF;
constexpr unsigned char kSharedGuardByte = 0xF7;

struct SharedArrayUse {
    std::byte* data;
    std::size_t bytes;
    const char* name;
};

/// One launch. Fibers are kept from launch to launch.
class Runner {
public:
    void start(KernelFunction function, const void* arguments, unsigned block, int device) {
        function_ = function;
        arguments_ = arguments;
        device_ = device;
        threads_ = static_cast<int>(block);
        order_.resize(block);
        std::iota(order_.begin(), order_.end(), 0);
        std::shuffle(order_.begin(), order_.end(), simulation().random);
        barriers_ = 0;
        largest_shared_ = 0;
        complained_ = false;
        KernelState& state = *kernel_state();
        const unsigned long serial = state.block_serial;
        state = {};
        state.block_serial = serial;
        state.block_size = threads_;
        state.miss = [](const void* address, unsigned long bytes, bool is_store) {
            return the().find_range(address, bytes, is_store);
        };
        state.barrier = [](const char* file, int line) { the().arrive(file, line); };
        state.enter_shared = [](void* data, unsigned long bytes, const char* name) {
            the().enter(data, bytes, name);
        };
    }

    void run_block(long long index) {
        KernelState& state = *kernel_state();
        state.block = index;
        ++state.block_serial;
        shared_.clear();
        turn(order_);
        // A kernel without barriers needs no second stack: the first thread tells.
        direct_ = false;
        if (resume(order_[0])) {
            run_with_barriers();
        } else {
            direct_ = true;
            for (std::size_t i = 1; i < order_.size(); ++i) {
                state.thread = order_[i];
                function_(arguments_);
            }
        }
        check_shared();
    }

    [[nodiscard]] std::int64_t barriers() const { return barriers_; }
    [[nodiscard]] std::int64_t shared_bytes() const { return largest_shared_; }

    static Runner& the() {
        static auto& only = *new Runner;
        return only;
    }

private:
    struct Thread {
        std::unique_ptr<Fiber> fiber;
        bool waits = false;  ///< at a barrier
        const char* file = nullptr;
        int line = 0;
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
                    runner->function_(runner->arguments_);
                },
                this);
        }
        return thread;
    }

    /// True if the thread stopped at a barrier.
    bool resume(int index) {
        Thread& self = thread(index);
        kernel_state()->thread = index;
        self.waits = self.fiber->resume();
        return self.waits;
    }

    /// The first thread of the order waits at its first barrier.
    void run_with_barriers() {
        bool first = true;
        std::vector<int> running = order_;
        const int first_thread = order_[0];
        while (!running.empty()) {
            std::vector<int> waiting;
            for (const int index : running) {
                if ((first && index == first_thread) || resume(index)) {
                    waiting.push_back(index);
                }
            }
            first = false;
            check_barrier(running, waiting);
            barriers_ += waiting.empty() ? 0 : 1;
            running = std::move(waiting);
            turn(running);
        }
    }

    /// Another order, found faster than by a shuffle.
    static void turn(std::vector<int>& order) {
        if (order.empty()) {
            return;
        }
        const std::uint64_t bits = simulation().random();
        std::rotate(order.begin(),
                    order.begin() + static_cast<std::ptrdiff_t>((bits >> 1) % order.size()),
                    order.end());
        if ((bits & 1) != 0) {
            std::reverse(order.begin(), order.end());
        }
    }

    void check_barrier(const std::vector<int>& running, const std::vector<int>& waiting) {
        if (waiting.empty()) {
            return;
        }
        const Thread& one = thread(waiting[0]);
        if (waiting.size() < running.size()) {
            complain("threads " + std::to_string(running.size() - waiting.size()) + " of " +
                     std::to_string(running.size()) + " of block " +
                     std::to_string(kernel_state()->block) +
                     " ended while the others wait at the barrier of line " +
                     std::to_string(one.line));
        }
        for (const int index : waiting) {
            const Thread& other = thread(index);
            if (other.line != one.line || std::strcmp(other.file, one.file) != 0) {
                complain("threads of a block wait at different barriers, of lines " +
                         std::to_string(one.line) + " and " + std::to_string(other.line));
                return;
            }
        }
    }

    void arrive(const char* file, int line) {
        if (direct_) {
            complain("thread " + std::to_string(kernel_state()->thread) + " of block " +
                     std::to_string(kernel_state()->block) + " waits at the barrier of line " +
                     std::to_string(line) + ", which another thread ended without");
            return;
        }
        Thread& self = thread(kernel_state()->thread);
        self.file = file;
        self.line = line;
        self.fiber->pause();
    }

    bool find_range(const void* address, std::size_t bytes, bool is_store) {
        const char* verb = is_store ? "stores" : "loads";
        if (reinterpret_cast<std::uintptr_t>(address) % bytes != 0) {
            complain_of(verb, bytes, "misaligned");
            return false;
        }
        const Simulation& s = simulation();
        const Block* block = s.memory.find(address);
        if (block == nullptr) {
            complain_of(verb, bytes,
                        s.memory.was_freed(address) ? "in freed memory" : "outside all memory");
            return false;
        }
        if (block->device != device_) {
            complain_of(
                verb, bytes,
                block->device == Block::kPinned ? "in host memory" : "in memory of another device");
            return false;
        }
        if (!block->contains(address, bytes)) {
            complain_of(verb, bytes, "past the end of its memory");
            return false;
        }
        MemoryRange* const ranges = kernel_state()->ranges;
        std::rotate(ranges, ranges + KernelState::kRanges - 1, ranges + KernelState::kRanges);
        ranges[0] = {reinterpret_cast<const char*>(block->data), block->bytes};
        return true;
    }

    void complain_of(const char* verb, std::size_t bytes, const char* where) {
        complain("thread " + std::to_string(kernel_state()->thread) + " of block " +
                 std::to_string(kernel_state()->block) + " " + verb + " " + std::to_string(bytes) +
                 " bytes " + where);
    }

    /// The first trouble of a launch is enough.
    void complain(const std::string& text) {
        if (!complained_) {
            report(text);
            complained_ = true;
        }
    }

    void enter(void* data, std::size_t bytes, const char* name) {
        auto* const begin = static_cast<std::byte*>(data);
        std::memset(begin, kPoison, bytes);
        std::memset(begin + bytes, kSharedGuardByte, KernelState::kSharedGuard);
        shared_.push_back({begin, bytes, name});
    }

    void check_shared() {
        constexpr std::int64_t kMost = 48 << 10;
        std::int64_t sum = 0;
        for (const SharedArrayUse& array : shared_) {
            sum += static_cast<std::int64_t>(array.bytes);
            const std::byte* const guard = array.data + array.bytes;
            if (std::any_of(guard, guard + KernelState::kSharedGuard,
                            [](std::byte b) { return b != std::byte{kSharedGuardByte}; })) {
                complain(std::string("written past the end of the shared array ") + array.name);
            }
        }
        if (sum > kMost) {
            complain("a block's shared arrays have " + std::to_string(sum) +
                     " bytes: expected at most " + std::to_string(kMost));
        }
        largest_shared_ = std::max(largest_shared_, sum);
    }

    KernelFunction function_ = nullptr;
    const void* arguments_ = nullptr;
    int device_ = 0;
    int threads_ = 0;
    bool direct_ = false;
    bool complained_ = false;
    std::int64_t barriers_ = 0, largest_shared_ = 0;
    std::vector<int> order_;
    std::vector<Thread> fibers_;
    std::vector<SharedArrayUse> shared_;
};

}  // namespace

KernelState* kernel_state() {
    static KernelState state;
    return &state;
}

Launch run_kernel(const std::string& name, KernelFunction function, const void* arguments,
                  unsigned grid, unsigned block, int device) {
    Runner& runner = Runner::the();
    runner.start(function, arguments, block, device);
    // Blocks in the order of an arithmetic progression modulo their number.
    const std::uint64_t first = simulation().random() % grid;
    std::uint64_t stride = 1 + simulation().random() % grid;
    while (std::gcd(stride, std::uint64_t{grid}) != 1) {
        ++stride;
    }
    std::uint64_t index = first;
    for (unsigned i = 0; i < grid; ++i) {
        runner.run_block(static_cast<long long>(index));
        index = (index + stride) % grid;
    }
    const KernelState& state = *kernel_state();
    return {name,
            grid,
            block,
            state.loads,
            state.stores,
            state.load_bytes,
            state.store_bytes,
            runner.barriers(),
            runner.shared_bytes()};
}

}  // namespace matgrad::simulated
