#include "cli/command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <new>

#include "cli/commands.hpp"
#include "cli/completion.hpp"
#include "cli/help.hpp"
#include "cli/interrupt.hpp"
#include "cli/manual.hpp"
#include "cli/printable.hpp"
#include "matgrad/error.hpp"

namespace matgrad {
namespace {

bool asks_for_help(const std::vector<std::string>& words) {
    return std::any_of(words.begin(), words.end(),
                       [](const std::string& w) { return w == "--help" || w == "-h"; });
}

void print(std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
}

const CommandRow& row_of(const std::string& command) {
    const CommandRow* row = find_command(command);
    if (row == nullptr) {
        throw CallerError(
            fmt::format("unknown command '{}': expected {}", command, command_names()));
    }
    return *row;
}

std::string help(const std::vector<std::string>& words) {
    if (words.size() > 1) {
        throw CallerError(fmt::format("help: found '{}', expected one command", words[1]));
    }
    if (words.empty()) {
        return overview();
    }
    return words[0] == "--man" ? manual_page(MATGRAD_VERSION) : help_text(row_of(words[0]));
}

std::string completion(const std::vector<std::string>& words) {
    if (words.size() != 1 || words[0] != "bash") {
        throw CallerError(fmt::format("completion: found {}, expected bash",
                                      words.empty() ? "nothing" : "'" + words.back() + "'"));
    }
    return bash_completion();
}

int dispatch(const std::vector<std::string>& words) {
    if (words.empty()) {
        throw CallerError(fmt::format("the command is missing: expected {} (see matgrad --help)",
                                      command_names()));
    }
    const std::string& command = words[0];
    const std::vector<std::string> rest(words.begin() + 1, words.end());
    if (command == "--help" || command == "-h" || command == "help") {
        print(help(rest));
        return kSuccess;
    }
    if (command == "--version") {
        print("matgrad " MATGRAD_VERSION "\n");
        return kSuccess;
    }
    const CommandRow& row = row_of(command);
    if (asks_for_help(rest)) {
        print(help_text(row));
        return kSuccess;
    }
    if (command == "derive") {
        return derive_command(parse_derive(rest));
    }
    if (command == "eval") {
        return eval_command(parse_eval(rest));
    }
    if (command == "check") {
        return check_command(parse_check(rest));
    }
    if (command == "kernel") {
        return kernel_command(parse_kernel(rest));
    }
    if (command == "bench") {
        return bench_command(parse_bench(rest));
    }
    if (command == "completion") {
        print(completion(rest));
        return kSuccess;
    }
    if (!rest.empty()) {
        throw CallerError(fmt::format("{}: found '{}', expected nothing more", command, rest[0]));
    }
    return command == "list" ? list_command() : devices_command();
}

void print_trouble(const char* lines) {
    if (!reader_is_gone()) {
        (void)std::fputs(lines, stderr);
    }
}

/// Names in the message are the caller's: any byte may be in them. Nothing is written before all of it is there.
void complain(const std::string& message, const std::string& excerpt = "") {
    const std::string lines = "matgrad: " + printable(message) + "\n" +
                              (excerpt.empty() ? "" : printable_lines(excerpt) + "\n");
    print_trouble(lines.c_str());
}

int run_dispatched(const std::vector<std::string>& words) {
    try {
        return dispatch(words);
    } catch (const ParseError& error) {
        complain(error.what(), error.excerpt());
        return kWrongCall;
    } catch (const CallerError& error) {
        complain(error.what());
        return kWrongCall;
    } catch (const Interrupted&) {
        complain("interrupted");
        return interrupt_status();
    } catch (const std::bad_alloc&) {
        throw;
    } catch (const std::exception& error) {
        complain(error.what());
        return kMachineFailed;
    }
}

/// What is printed last, and a status for all of it.
int end_output(int status) {
    errno = 0;
    const bool was_written = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
    if (reader_is_gone()) {
        return kReaderGone;
    }
    if (!was_written && (status == kSuccess || status == kSomeFailed)) {
        complain(fmt::format("standard output: cannot be written: {}",
                             errno == 0 ? "an earlier write failed" : std::strerror(errno)));
        return kMachineFailed;
    }
    return status;
}

/// Only for want of memory for their message does anything leave the handlers.
template <typename Call>
int guarded(Call call) {
    try {
        return call();
    } catch (const std::exception&) {
        print_trouble("matgrad: out of memory\n");
        return kMachineFailed;
    }
}

}  // namespace

int run_command(std::span<const char* const> arguments) {
    // A limit on file sizes shall be a failed write that is reported, not a silent death.
    (void)std::signal(SIGXFSZ, SIG_IGN);
    const int status = guarded([&] {
        return run_dispatched({arguments.begin(), arguments.end()});
    });
    return guarded([status] { return end_output(status); });
}

}  // namespace matgrad
