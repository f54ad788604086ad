#pragma once
/// \file A second stack of the thread that runs it: a simulated GPU thread that may stop at a barrier.

#include <cstddef>

#if !defined(__x86_64__)
#include <ucontext.h>
#endif

namespace matgrad::simulated {

class Fiber {
public:
    /// `entry(argument)` runs each time a fiber that is not in the middle of it is resumed.
    Fiber(void (*entry)(void*), void* argument);
    ~Fiber();
    Fiber(const Fiber&) = delete;
    Fiber& operator=(const Fiber&) = delete;

    /// Runs it until it pauses or its entry returns. True: it is in the middle of its entry.
    bool resume();
    /// Called on the fiber: goes back to who resumed it.
    void pause();

private:
    static void run(Fiber* self);
    void switch_to_fiber();
    void switch_back();

    void (*entry_)(void*);
    void* argument_;
    std::byte* stack_ = nullptr;
    std::size_t stack_bytes_ = 0;  ///< with the guard page
    bool in_entry_ = false;
#if defined(__x86_64__)
    void* pointer_ = nullptr;  ///< the fiber's stack pointer while it is paused
    void* caller_pointer_ = nullptr;
#else
    ucontext_t context_{}, caller_context_{};
    friend void start_fiber(unsigned high, unsigned low);
#endif
    // What AddressSanitizer wants to know of each switch.
    void* fake_stack_ = nullptr;
    void* caller_fake_stack_ = nullptr;
    const void* caller_bottom_ = nullptr;
    std::size_t caller_bytes_ = 0;
};

}  // namespace matgrad::simulated
