#pragma once
/// \file Runs the real command as a process of its own.

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace matgrad::cli_test {

struct RunOptions {
    std::string folder = ".";           ///< where it runs
    std::string stdout_path;            ///< where stdout goes instead of into the result
    std::int64_t file_size_limit = -1;  ///< RLIMIT_FSIZE in bytes
    bool on_terminal = false;           ///< stderr is a pseudo-terminal
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
