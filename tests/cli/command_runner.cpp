#include "cli/command_runner.hpp"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>

namespace matgrad::cli_test {
namespace {

int anonymous_file(const char* name) {
    const int fd = ::memfd_create(name, MFD_CLOEXEC);
    if (fd < 0) {
        throw std::runtime_error("memfd_create failed");
    }
    return fd;
}

std::string contents(int fd) {
    std::string text;
    char buffer[4096];
    off_t at = 0;
    for (ssize_t got = 0; (got = ::pread(fd, buffer, sizeof buffer, at)) > 0; at += got) {
        text.append(buffer, static_cast<std::size_t>(got));
    }
    return text;
}

/// What the terminal was sent; it ends when the process has closed its side.
std::string drain(int terminal) {
    std::string text;
    char buffer[4096];
    for (ssize_t got = 0; (got = ::read(terminal, buffer, sizeof buffer)) > 0;) {
        text.append(buffer, static_cast<std::size_t>(got));
    }
    return text;
}

/// In the child: only calls that are safe after fork.
[[noreturn]] void become(char* const* arguments, const RunOptions& options, int out, int err) {
    if (options.file_size_limit >= 0) {
        const rlimit limit{static_cast<rlim_t>(options.file_size_limit),
                           static_cast<rlim_t>(options.file_size_limit)};
        (void)::setrlimit(RLIMIT_FSIZE, &limit);
    }
    (void)::signal(SIGINT, SIG_DFL);
    // A test may have given up its rights for a while: the command is that user's altogether.
    const uid_t user = ::geteuid();
    (void)!::setresuid(user, user, user);
    const bool ready = ::chdir(options.folder.c_str()) == 0 && ::dup2(out, STDOUT_FILENO) >= 0 &&
                       ::dup2(err, STDERR_FILENO) >= 0;
    if (ready) {
        ::execv(MATGRAD_COMMAND, arguments);
    }
    ::_exit(127);
}

}  // namespace

Command::Command(const std::vector<std::string>& arguments, const RunOptions& options) {
    std::vector<std::string> words = arguments;
    words.insert(words.begin(), "matgrad");
    std::vector<char*> pointers;
    for (std::string& word : words) {
        pointers.push_back(word.data());
    }
    pointers.push_back(nullptr);
    out_ = options.stdout_path.empty() ? anonymous_file("stdout")
                                       : ::open(options.stdout_path.c_str(), O_WRONLY | O_CLOEXEC);
    err_ = anonymous_file("stderr");
    int side = err_;
    if (options.on_terminal) {
        terminal_ = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (terminal_ < 0 || ::grantpt(terminal_) != 0 || ::unlockpt(terminal_) != 0) {
            throw std::runtime_error("no pseudo-terminal");
        }
        side = ::open(::ptsname(terminal_), O_RDWR | O_NOCTTY | O_CLOEXEC);
    }
    pid_ = ::fork();
    if (pid_ == 0) {
        become(pointers.data(), options, out_, side);
    }
    if (side != err_) {
        ::close(side);
    }
    if (pid_ < 0) {
        throw std::runtime_error("fork failed");
    }
}

Command::~Command() {
    if (pid_ > 0) {
        (void)::kill(pid_, SIGKILL);
        (void)::waitpid(pid_, nullptr, 0);
    }
    for (const int fd : {out_, err_, terminal_}) {
        if (fd >= 0) {
            ::close(fd);
        }
    }
}

void Command::send_signal(int signal) const {
    (void)::kill(pid_, signal);
}

RunResult Command::wait() {
    RunResult result;
    if (terminal_ >= 0) {
        result.err = drain(terminal_);
    }
    int status = 0;
    rusage usage = {};
    if (::wait4(pid_, &status, 0, &usage) != pid_) {
        throw std::runtime_error("wait4 failed");
    }
    pid_ = -1;
    result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    result.out = contents(out_);
    result.err += contents(err_);
    result.peak_bytes = std::int64_t{usage.ru_maxrss} * 1024;
    return result;
}

RunResult run(const std::vector<std::string>& arguments, const RunOptions& options) {
    return Command(arguments, options).wait();
}

}  // namespace matgrad::cli_test
