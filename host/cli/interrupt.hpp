#pragma once
/// \file Ctrl-C and its like: a long run ends at its next chance, or soon without one, and leaves no file.

namespace matgrad {

/// From now on a signal that asks the process to end (SIGINT, SIGTERM, SIGHUP, SIGPIPE and others) sets
/// the flag of `interrupted`. If the command has not ended within a short grace (one problem may take
/// minutes), or at a second signal, unfinished result files are removed and the process exits with
/// `interrupt_status`; results that are being put in their places are all put there first. A signal
/// that ends it on the spot, such as SIGSEGV, removes unfinished files too. What was ignored when the
/// command was started stays ignored. May be called once.
void watch_for_interrupts();

/// True once the process was asked to end. From any thread.
[[nodiscard]] bool interrupted() noexcept;

/// True once it was asked to by SIGPIPE: whoever read its output has left, and no message is due.
[[nodiscard]] bool reader_is_gone() noexcept;

/// The exit status of a run that was interrupted.
[[nodiscard]] int interrupt_status() noexcept;

/// Throws Interrupted if the process was asked to end.
void stop_if_interrupted();

}  // namespace matgrad
