#pragma once
/// \file A file in the making that takes the place of another in one step, or leaves no trace.

#include <sys/types.h>

#include <span>
#include <string>

#include "io/file_calls.hpp"
#include "io/pending_files.hpp"

namespace matgrad {

/// What is written goes to a file beside the target, without a name where the system has such files:
/// whatever ends the process, nothing is left. Without one, to a hidden temporary, which is removed on
/// destruction or by `remove_pending_files`. The target is not touched before `commit_together`.
class ReplacementFile {
public:
    /// A target that is a symbolic link is followed.
    ///
    /// Errors   FileError if the target is a directory or no regular file, may not be written, or
    ///          its directory is missing or may not be written; MachineError if the machine fails.
    ReplacementFile(std::string path, const FileCalls& calls);
    ReplacementFile(const ReplacementFile&) = delete;
    ReplacementFile& operator=(const ReplacementFile&) = delete;
    ~ReplacementFile();

    /// As the caller wrote it, for messages.
    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    /// To write to, until it is committed.
    [[nodiscard]] int descriptor() const noexcept { return file_.get(); }
    /// Flushes the data to the disk. Errors: MachineError.
    void finish();
    /// Removes what is there of it.
    void discard() noexcept;

    /// Puts finished files in their places: all of them, or none, where one of them cannot be put there.
    ///
    /// Errors   FileError if a target's place may not be written any more, or two of the files go to one
    ///          place; MachineError if the machine fails.
    static void commit_together(std::span<ReplacementFile* const> files);

private:
    /// What has become of the target.
    enum class Target { untouched, fresh, exchanged, set_aside };

    void choose_target();
    void open();
    [[nodiscard]] bool open_unnamed();
    [[nodiscard]] std::string new_name() const;
    [[noreturn]] void fail(int error) const;

    void give_name();
    void put_in_place();
    void put_in_free_place();
    void set_aside();
    void check_place(std::span<ReplacementFile* const> before) const;
    void take_back() noexcept;
    void settle() noexcept;
    void forget_names() noexcept;

    std::string path_;
    std::string target_;     ///< with symbolic links followed
    std::string temporary_;  ///< empty while the file has no name
    std::string aside_;      ///< where the old file is, if it was set aside
    const FileCalls* calls_;
    detail::FileDescriptor file_;
    detail::PendingFile* pending_ = nullptr;        ///< of temporary_
    detail::PendingFile* pending_aside_ = nullptr;  ///< of aside_
    dev_t device_ = 0;                              ///< with inode_: which file it is
    ino_t inode_ = 0;
    Target old_ = Target::untouched;
    bool is_committed_ = false;
};

}  // namespace matgrad
