#pragma once
/// \file The temporary files that exist right now, so that an interrupted run can remove them.

namespace matgrad {

/// Removes every temporary file of a writer that is neither committed nor destroyed yet.
///
/// Async-signal-safe: may be called from a signal handler, in any thread, more than once. A writer
/// that goes on afterwards fails when it commits; its target stays as it was.
void remove_pending_files() noexcept;

namespace detail {

struct PendingFile;

/// Registers a path, before the file is made. Never returns nullptr; throws std::length_error for a
/// path longer than the system allows.
[[nodiscard]] PendingFile* add_pending_file(const char* path);
/// Forgets the path, after the file was renamed or removed. nullptr is ignored.
void forget_pending_file(PendingFile* file) noexcept;

}  // namespace detail
}  // namespace matgrad
