#include "simulated_gpu/fiber.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <new>

#if defined(MATGRAD_SANITIZE)
#include <sanitizer/common_interface_defs.h>
#endif

#if defined(__x86_64__)
// void matgrad_switch_stack(void** save, void* load): keeps what a called function must keep, and
// nothing else; device code leaves rounding modes alone.
asm(R"(
.text
.p2align 4
.hidden matgrad_switch_stack
.globl matgrad_switch_stack
.type matgrad_switch_stack, @function
matgrad_switch_stack:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
.size matgrad_switch_stack, .-matgrad_switch_stack

.p2align 4
.type matgrad_start_fiber, @function
.hidden matgrad_start_fiber
.globl matgrad_start_fiber
matgrad_start_fiber:
    movq %rbx, %rdi
    call *%r12
    ud2
.size matgrad_start_fiber, .-matgrad_start_fiber
)");
extern "C" void matgrad_switch_stack(void** save, void* load);
extern "C" void matgrad_start_fiber();
#endif

namespace matgrad::simulated {
namespace {

constexpr std::size_t kStackBytes = std::size_t{64} << 10;

}  // namespace

#if !defined(__x86_64__)
/// makecontext passes int arguments only.
void start_fiber(unsigned high, unsigned low) {
    Fiber::run(reinterpret_cast<Fiber*>((std::uintptr_t{high} << 32) | low));
}
#endif

Fiber::Fiber(void (*entry)(void*), void* argument) : entry_(entry), argument_(argument) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    stack_bytes_ = kStackBytes + page;
    void* memory =
        mmap(nullptr, stack_bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED || mprotect(memory, page, PROT_NONE) != 0) {
        throw std::bad_alloc();
    }
    stack_ = static_cast<std::byte*>(memory);
#if defined(__x86_64__)
    // As matgrad_switch_stack leaves a stack: six registers, then where to go on.
    auto** top = reinterpret_cast<void**>(stack_ + stack_bytes_) - 2;
    *--top = reinterpret_cast<void*>(&matgrad_start_fiber);
    *--top = nullptr;                               // rbp
    *--top = this;                                  // rbx
    *--top = reinterpret_cast<void*>(&Fiber::run);  // r12
    for (int i = 0; i < 3; ++i) {
        *--top = nullptr;
    }
    pointer_ = top;
#else
    getcontext(&context_);
    context_.uc_stack.ss_sp = stack_ + page;
    context_.uc_stack.ss_size = kStackBytes;
    context_.uc_link = nullptr;
    const auto self = reinterpret_cast<std::uintptr_t>(this);
    makecontext(&context_, reinterpret_cast<void (*)()>(&start_fiber), 2,
                static_cast<unsigned>(self >> 32), static_cast<unsigned>(self));
#endif
}

Fiber::~Fiber() {
    (void)munmap(stack_, stack_bytes_);
}

bool Fiber::resume() {
    in_entry_ = true;
    switch_to_fiber();
    return in_entry_;
}

void Fiber::pause() {
    switch_back();
}

void Fiber::run(Fiber* self) {
#if defined(MATGRAD_SANITIZE)
    __sanitizer_finish_switch_fiber(nullptr, &self->caller_bottom_, &self->caller_bytes_);
#endif
    for (;;) {
        self->entry_(self->argument_);
        self->in_entry_ = false;
        self->switch_back();
    }
}

void Fiber::switch_to_fiber() {
#if defined(MATGRAD_SANITIZE)
    __sanitizer_start_switch_fiber(&caller_fake_stack_, stack_ + (stack_bytes_ - kStackBytes),
                                   kStackBytes);
#endif
#if defined(__x86_64__)
    matgrad_switch_stack(&caller_pointer_, pointer_);
#else
    swapcontext(&caller_context_, &context_);
#endif
#if defined(MATGRAD_SANITIZE)
    __sanitizer_finish_switch_fiber(caller_fake_stack_, nullptr, nullptr);
#endif
}

void Fiber::switch_back() {
#if defined(MATGRAD_SANITIZE)
    __sanitizer_start_switch_fiber(&fake_stack_, caller_bottom_, caller_bytes_);
#endif
#if defined(__x86_64__)
    matgrad_switch_stack(&pointer_, caller_pointer_);
#else
    swapcontext(&context_, &caller_context_);
#endif
#if defined(MATGRAD_SANITIZE)
    __sanitizer_finish_switch_fiber(fake_stack_, &caller_bottom_, &caller_bytes_);
#endif
}

}  // namespace matgrad::simulated
