#include "child.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <thread>
#include <utility>

extern char** environ;

namespace matgrad::probe {
namespace {

using Time = std::chrono::steady_clock;
/// A process that the driver holds may outlive its kill for so long; then it is left behind.
constexpr auto kGrace = std::chrono::seconds(3);
constexpr std::size_t kLongestLine = 200;

std::string shortened(const std::string& line) {
    return line.substr(0, kLongestLine);
}

std::string signal_name(int number) {
    const char* const name = strsignal(number);
    return name != nullptr ? name : "signal " + std::to_string(number);
}

struct Ends {
    int from = -1, to = -1;
};

Ends make_pipe() {
    int ends[2] = {-1, -1};
    if (pipe2(ends, O_CLOEXEC) != 0) {
        throw std::runtime_error(std::string("pipe2: ") + std::strerror(errno));
    }
    (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
    return {ends[0], ends[1]};
}

pid_t spawn(const std::vector<std::string>& arguments, int out, int err) {
    std::vector<char*> argv;
    for (const std::string& argument : arguments) {
        argv.push_back(const_cast<char*>(argument.c_str()));  // NOLINT: as posix_spawn takes it
    }
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    (void)posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
    pid_t process = -1;
    const int code =
        posix_spawn(&process, "/proc/self/exe", &actions, nullptr, argv.data(), environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    if (code != 0) {
        throw std::runtime_error(std::string("posix_spawn: ") + std::strerror(code));
    }
    return process;
}

}  // namespace

Child::Child(const std::vector<std::string>& arguments, double seconds) {
    const Ends out = make_pipe();
    const Ends err = make_pipe();
    out_.from = out.from;
    err_.from = err.from;
    begin_ = Time::now();
    kill_at_ =
        begin_ + std::chrono::duration_cast<Time::duration>(std::chrono::duration<double>(seconds));
    try {
        process_ = spawn(arguments, out.to, err.to);
    } catch (...) {
        for (const int end : {out.from, out.to, err.from, err.to}) {
            (void)close(end);
        }
        throw;
    }
    (void)close(out.to);
    (void)close(err.to);
}

Child::~Child() {
    if (!ended_) {
        (void)kill(process_, SIGKILL);
        (void)waitpid(process_, nullptr, WNOHANG);
    }
    (void)close(out_.from);
    (void)close(err_.from);
}

bool Child::poll() {
    if (ended_) {
        return true;
    }
    int status = 0;
    const bool has_ended = waitpid(process_, &status, WNOHANG) == process_;
    read(out_, true);
    read(err_, false);
    if (has_ended) {
        finish(status);
    } else if (!killed_ && Time::now() >= kill_at_) {
        killed_ = true;
        give_up_at_ = Time::now() + kGrace;
        (void)kill(process_, SIGKILL);
    } else if (killed_ && Time::now() >= give_up_at_) {
        ended_ = true;
        end_ = Time::now();
        failure_ = "out of time, and did not end when it was killed";
    }
    return ended_;
}

std::vector<Fact> Child::take_facts() {
    return std::exchange(facts_, {});
}

double Child::seconds() const {
    return std::chrono::duration<double>((ended_ ? end_ : Time::now()) - begin_).count();
}

void Child::read(Pipe& pipe, bool facts) {
    char buffer[4096];
    for (;;) {
        const ssize_t bytes = ::read(pipe.from, buffer, sizeof buffer);
        if (bytes <= 0) {
            return;
        }
        pipe.rest.append(buffer, static_cast<std::size_t>(bytes));
        for (std::size_t end = pipe.rest.find('\n'); end != std::string::npos;
             end = pipe.rest.find('\n')) {
            take_line(pipe.rest.substr(0, end), facts);
            pipe.rest.erase(0, end + 1);
        }
        if (pipe.rest.size() > (std::size_t{1} << 20)) {
            take_line(std::exchange(pipe.rest, {}), facts);
        }
    }
}

void Child::take_line(const std::string& line, bool facts) {
    if (line.empty()) {
        return;
    }
    if (!facts) {
        complaint_ = shortened(line);
        return;
    }
    if (auto fact = read_line(line)) {
        facts_.push_back(*std::move(fact));
    } else if (garbage_.empty()) {
        garbage_ = shortened(line);
    }
}

void Child::finish(int status) {
    ended_ = true;
    end_ = Time::now();
    for (Pipe* pipe : {&out_, &err_}) {
        take_line(std::exchange(pipe->rest, {}), pipe == &out_);
    }
    const std::string because = complaint_.empty() ? "" : ": " + complaint_;
    if (killed_) {
        failure_ = "out of time";
    } else if (WIFSIGNALED(status)) {
        failure_ = signal_name(WTERMSIG(status)) + because;
    } else if (WEXITSTATUS(status) != 0) {
        failure_ =
            complaint_.empty() ? "exit status " + std::to_string(WEXITSTATUS(status)) : complaint_;
    } else if (!garbage_.empty()) {
        failure_ = "printed what is no fact: " + garbage_;
    }
}

void wait_a_little() {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
}

void end_with_parent() {
    const rlimit none{0, 0};
    (void)setrlimit(RLIMIT_CORE, &none);  // a crash is an answer, its memory is not wanted
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
}

}  // namespace matgrad::probe
