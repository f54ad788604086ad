#pragma once
/// \file Ctrl-C: a long run ends at its next chance, or soon without one, and leaves no file.

namespace matgrad {

/// From now on SIGINT and SIGTERM set the flag of `interrupted`. If the command has not ended within
/// a short grace (one problem may take minutes), or at a second signal, unfinished result files
/// are removed and the process exits with status 130. May be called once.
void watch_for_interrupts();

/// True once the user has asked to stop. From any thread.
[[nodiscard]] bool interrupted() noexcept;

/// Throws Interrupted if the user has asked to stop.
void stop_if_interrupted();

}  // namespace matgrad
