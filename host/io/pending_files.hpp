#pragma once
/// \file The temporary files that exist right now, so that an interrupted run can remove them.

namespace matgrad {

/// Removes every temporary file of a writer that is neither committed nor destroyed yet.
///
/// Async-signal-safe: may be called from a signal handler, in any thread, more than once. A writer
/// that goes on afterwards fails when it commits; its target stays as it was.
void remove_pending_files() noexcept;

/// Waits until results that are being put in their places are all there, and lets no others be put there
/// any more: who tries waits for the end of the process. To be called before the process is ended from
/// outside; not from a signal handler.
void hold_commits();

namespace detail {

/// While one lives, results are being put in their places.
class CommitSection {
public:
    CommitSection();
    ~CommitSection();
    CommitSection(const CommitSection&) = delete;
    CommitSection& operator=(const CommitSection&) = delete;
};

struct PendingFile;

/// Registers a path, before the file is made. Never returns nullptr; throws std::length_error for a
/// path longer than the system allows.
[[nodiscard]] PendingFile* add_pending_file(const char* path);
/// Forgets the path, after the file was renamed or removed. nullptr is ignored.
void forget_pending_file(PendingFile* file) noexcept;

}  // namespace detail
}  // namespace matgrad
