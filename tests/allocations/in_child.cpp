#include "allocations/in_child.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <new>

#if defined(MATGRAD_SANITIZE)
#include <sanitizer/lsan_interface.h>
#endif

namespace matgrad::test {
namespace {

/// What the child tells, in memory that both see.
struct Told {
    bool has_failed = false;
    bool leaks = false;
    std::int64_t allocations = 0;
};

bool leaks_now() {
#if defined(MATGRAD_SANITIZE)
    return __lsan_do_recoverable_leak_check() != 0;
#else
    return false;
#endif
}

/// What the call throws ends the process.
[[noreturn]] void be_child(Told& told, int out, int err, std::int64_t after,
                           FailingAllocations::How how, const std::function<int()>& call,
                           const std::function<int(int)>& judge) noexcept {
    int status = -1;
    ::dup2(out, STDOUT_FILENO);
    ::dup2(err, STDERR_FILENO);
    {
        const std::int64_t before = allocation_count();
        const FailingAllocations failing(after, how);
        status = call();
        told.has_failed = FailingAllocations::has_failed();
        told.allocations = allocation_count() - before;
    }
    status = judge(status);
    (void)std::fflush(nullptr);
    told.leaks = leaks_now();
    ::_exit(status);
}

std::string text_of(int file) {
    std::string text(static_cast<std::size_t>(::lseek(file, 0, SEEK_END)), '\0');
    EXPECT_EQ(::pread(file, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    ::close(file);
    return text;
}

}  // namespace

ChildResult call_in_child(std::int64_t after, FailingAllocations::How how,
                          const std::function<int()>& call, const std::function<int(int)>& judge) {
    static auto* const told = new (::mmap(nullptr, sizeof(Told), PROT_READ | PROT_WRITE,
                                          MAP_SHARED | MAP_ANONYMOUS, -1, 0)) Told;
    *told = Told();
    const int out = ::memfd_create("out", 0);
    const int err = ::memfd_create("err", 0);
    (void)std::fflush(nullptr);
    const pid_t child = ::fork();
    if (child == 0) {
        be_child(*told, out, err, after, how, call, judge);
    }
    int status = -1;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    ChildResult result;
    result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    result.has_failed = told->has_failed;
    result.leaks = told->leaks;
    result.allocations = told->allocations;
    result.out = text_of(out);
    result.err = text_of(err);
    return result;
}

}  // namespace matgrad::test
