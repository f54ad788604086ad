#pragma once
/// \file Runs the real command as a process of its own.

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace matgrad::cli_test {

struct RunOptions {
    std::string folder = ".";            ///< where it runs
    std::string stdout_path;             ///< where stdout goes instead of into the result
    int stdout_fd = -1;                  ///< the same, of a descriptor that the caller keeps
    std::int64_t file_size_limit = -1;   ///< RLIMIT_FSIZE in bytes
    std::int64_t address_space = -1;     ///< RLIMIT_AS in bytes
    std::int64_t stack = -1;             ///< RLIMIT_STACK in bytes
    bool on_terminal = false;            ///< stderr is a pseudo-terminal
    bool keeps_ignored_signals = false;  ///< what the caller ignores is not set back to the default
};

struct RunResult {
    int status = -1;  ///< exit status; 128 + signal if killed
    std::string out;
    std::string err;
    std::int64_t peak_bytes = 0;  ///< largest resident set
};

/// A process that may still run.
class Command {
public:
    Command(const std::vector<std::string>& arguments, const RunOptions& options = {});
    ~Command();
    Command(const Command&) = delete;
    Command& operator=(const Command&) = delete;

    void send_signal(int signal) const;
    /// True if it ends by itself within so many milliseconds; `wait` is still to be called.
    [[nodiscard]] bool ends_within(int milliseconds) const;
    /// True if it has a file of the folder open to write to that has no name or a temporary one.
    [[nodiscard]] bool writes_in(const std::string& folder) const;
    /// Waits until it does. False if it does not within ten seconds.
    [[nodiscard]] bool has_begun_to_write_in(const std::string& folder) const;
    [[nodiscard]] RunResult wait();

private:
    pid_t pid_ = -1;
    int out_ = -1;  ///< files without a name that collect the two streams
    int err_ = -1;
    int terminal_ = -1;
};

[[nodiscard]] RunResult run(const std::vector<std::string>& arguments,
                            const RunOptions& options = {});

}  // namespace matgrad::cli_test
