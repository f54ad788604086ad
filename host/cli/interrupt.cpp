#include "cli/interrupt.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

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

std::atomic<bool> stop_asked{false};
int pipe_ends[2] = {-1, -1};

// The handler may run on any thread, a BLAS thread for one, so it only writes to a pipe; a thread
// of our own does what a handler may not.
extern "C" void on_signal(int) {
    const int saved = errno;
    stop_asked.store(true);
    const char byte = 1;
    [[maybe_unused]] const auto written = ::write(pipe_ends[1], &byte, 1);
    errno = saved;
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
    remove_pending_files();
    constexpr char kMessage[] = "matgrad: interrupted\n";
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, kMessage, sizeof(kMessage) - 1);
    ::_exit(kInterrupted);
}

void handle(int signal) {
    struct sigaction old = {};
    if (::sigaction(signal, nullptr, &old) == 0 && old.sa_handler == SIG_IGN) {
        return;  // started with nohup or in the background: it stays ignored
    }
    struct sigaction action = {};
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    (void)::sigaction(signal, &action, nullptr);
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
    handle(SIGINT);
    handle(SIGTERM);
}

bool interrupted() noexcept {
    return stop_asked.load(std::memory_order_relaxed);
}

void stop_if_interrupted() {
    if (interrupted()) {
        throw Interrupted("interrupted");
    }
}

}  // namespace matgrad
