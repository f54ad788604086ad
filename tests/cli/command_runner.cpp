#include "cli/command_runner.hpp"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
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

void limit(decltype(RLIMIT_AS) resource, std::int64_t bytes) {
    if (bytes >= 0) {
        const rlimit both{static_cast<rlim_t>(bytes), static_cast<rlim_t>(bytes)};
        (void)::setrlimit(resource, &both);
    }
}

/// In the child: only calls that are safe after fork.
[[noreturn]] void become(char* const* arguments, const RunOptions& options, int out, int err) {
    limit(RLIMIT_FSIZE, options.file_size_limit);
    limit(RLIMIT_AS, options.address_space);
    limit(RLIMIT_STACK, options.stack);
    for (const int signal : {SIGINT, SIGHUP, SIGPIPE}) {
        if (!options.keeps_ignored_signals) {
            (void)::signal(signal, SIG_DFL);
        }
    }
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
        become(pointers.data(), options, options.stdout_fd >= 0 ? options.stdout_fd : out_, side);
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

bool Command::ends_within(int milliseconds) const {
    for (int waited = 0; waited < milliseconds; ++waited) {
        siginfo_t info = {};
        if (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
            info.si_pid == pid_) {
            return true;
        }
        ::usleep(1000);
    }
    return false;
}

bool Command::writes_in(const std::string& folder) const {
    namespace fs = std::filesystem;
    std::error_code error;
    const std::string inside = fs::canonical(folder, error).string() + "/";
    const fs::path files = "/proc/" + std::to_string(pid_) + "/fd";
    for (const auto& entry : fs::directory_iterator(files, error)) {
        const std::string target = fs::read_symlink(entry.path(), error).string();
        const bool is_unfinished = target.find(" (deleted)") != std::string::npos ||
                                   target.find(".tmp") != std::string::npos;
        if (target.rfind(inside, 0) == 0 && is_unfinished) {
            return true;
        }
    }
    return false;
}

bool Command::has_begun_to_write_in(const std::string& folder) const {
    for (int i = 0; i < 20000; ++i) {
        if (writes_in(folder)) {
            return true;
        }
        ::usleep(500);
    }
    return false;
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
