#include "cli/interrupt.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <system_error>
#include <thread>

#include "cli/command.hpp"
#include "io/pending_files.hpp"

namespace matgrad {
namespace {

constexpr int kGraceMs = 500;

/// Signals that ask a process to end, by a user, by the system, or by whoever read its output and left.
constexpr int kAskToStop[] = {SIGINT,  SIGTERM, SIGHUP,  SIGPIPE,   SIGXCPU,
                              SIGALRM, SIGUSR1, SIGUSR2, SIGVTALRM, SIGPROF};
/// Signals that end it on the spot, by a fault of its own or for a core file.
constexpr int kEndAtOnce[] = {SIGQUIT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

std::atomic<int> stop_signal{0};  ///< the first one, 0 before
int pipe_ends[2] = {-1, -1};

// The handler may run on any thread, a BLAS thread for one, so it only writes to a pipe; a thread
// of our own does what a handler may not.
extern "C" void on_signal(int signal) {
    const int saved = errno;
    int none = 0;
    (void)stop_signal.compare_exchange_strong(none, signal);
    const char byte = 1;
    [[maybe_unused]] const auto written = ::write(pipe_ends[1], &byte, 1);
    errno = saved;
}

// Its action is the default again by the time it runs.
extern "C" void on_fault(int signal) {
    remove_pending_files();
    (void)::raise(signal);
}

void wait_for_signal(int timeout_ms) {
    pollfd descriptor{pipe_ends[0], POLLIN, 0};
    while (::poll(&descriptor, 1, timeout_ms) < 0 && errno == EINTR) {
    }
    if ((descriptor.revents & POLLIN) != 0) {
        char byte = 0;
        [[maybe_unused]] const auto count = ::read(pipe_ends[0], &byte, 1);
    }
}

void end_after_signal() {
    wait_for_signal(-1);
    wait_for_signal(kGraceMs);
    hold_commits();
    remove_pending_files();
    if (!reader_is_gone()) {
        constexpr char kMessage[] = "matgrad: interrupted\n";
        [[maybe_unused]] const auto written =
            ::write(STDERR_FILENO, kMessage, sizeof(kMessage) - 1);
    }
    ::_exit(interrupt_status());
}

void handle(int signal, void (*handler)(int), int flags) {
    struct sigaction old = {};
    if (::sigaction(signal, nullptr, &old) == 0 && old.sa_handler != SIG_DFL) {
        return;  // started with nohup or in the background: it stays ignored; or a debugging tool's
    }
    struct sigaction action = {};
    action.sa_handler = handler;
    action.sa_flags = flags;
    (void)::sigaction(signal, &action, nullptr);
}

/// A handler of a stack that is full needs another one. It serves this thread alone.
void make_signal_stack() {
    constexpr std::size_t kBytes = 64 << 10;
    static std::array<char, kBytes> memory;
    stack_t stack = {};
    stack.ss_sp = memory.data();
    stack.ss_size = memory.size();
    (void)::sigaltstack(&stack, nullptr);
}

}  // namespace

void watch_for_interrupts() {
    if (::pipe2(pipe_ends, O_CLOEXEC) != 0) {
        throw std::system_error(errno, std::generic_category(), "pipe2");
    }
    try {
        std::thread(end_after_signal).detach();
    } catch (const std::system_error&) {
        // No thread to be had: the run still ends at its next look at the flag.
    }
    for (const int signal : kAskToStop) {
        handle(signal, on_signal, SA_RESTART);
    }
    make_signal_stack();
    for (const int signal : kEndAtOnce) {
        handle(signal, on_fault, static_cast<int>(SA_RESETHAND | SA_NODEFER | SA_ONSTACK));
    }
}

bool interrupted() noexcept {
    return stop_signal.load(std::memory_order_relaxed) != 0;
}

bool reader_is_gone() noexcept {
    return stop_signal.load(std::memory_order_relaxed) == SIGPIPE;
}

int interrupt_status() noexcept {
    return reader_is_gone() ? kReaderGone : kInterrupted;
}

void stop_if_interrupted() {
    if (interrupted()) {
        throw Interrupted("interrupted");
    }
}

}  // namespace matgrad
