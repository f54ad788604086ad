#pragma once
/// \file The `matgrad` command: one subcommand per file.

#include <span>

#include "cli/command_line.hpp"

namespace matgrad {

/// Exit statuses of the command.
enum ExitStatus : int {
    kSuccess = 0,
    kSomeFailed = 1,  ///< some problems failed, a check exceeded its bound, or no kernel
    kWrongCall = 2,
    kMachineFailed = 3,
    kInterrupted = 130,
    kReaderGone = 141,  ///< the other end of stdout was closed early
};

/// Runs the command with the arguments after its name and returns the exit status. Results go to
/// stdout and to files, one line of trouble to stderr; nothing is thrown.
int run_command(std::span<const char* const> arguments);

// One function per command, each in its own file. They return kSuccess or kSomeFailed and throw
// the rest.
int derive_command(const DeriveArguments& arguments);
int eval_command(const EvalArguments& arguments);
int check_command(const CheckArguments& arguments);
int kernel_command(const KernelArguments& arguments);
int list_command();
int devices_command();

}  // namespace matgrad
