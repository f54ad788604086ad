#pragma once
/// \file The calls of the operating system that reading and writing go through, so that a test can
/// make them fail.

#include <sys/types.h>

#include <cstddef>
#include <string_view>

namespace matgrad {

/// Each member is the POSIX function of its name, but for the last two.
struct FileCalls {
    ssize_t (*pread)(int fd, void* buffer, std::size_t size, off_t offset);
    ssize_t (*pwrite)(int fd, const void* buffer, std::size_t size, off_t offset);
    int (*fsync)(int fd);
    int (*close)(int fd);
    /// renameat2 without folders: `flags` may ask to exchange the two.
    int (*rename)(const char* from, const char* to, unsigned flags);
    /// Opens a new file in the folder, to write to, that has no name yet (O_TMPFILE).
    int (*open_unnamed)(const char* folder);
};

/// The real ones.
[[nodiscard]] const FileCalls& system_calls() noexcept;

namespace detail {

/// Owns a file descriptor; -1 is none.
class FileDescriptor {
public:
    explicit FileDescriptor(const FileCalls& calls) noexcept : calls_(&calls) {}
    FileDescriptor(const FileDescriptor&) = delete;
    FileDescriptor& operator=(const FileDescriptor&) = delete;
    ~FileDescriptor() { (void)close(); }

    [[nodiscard]] int get() const noexcept { return fd_; }
    void reset(int fd) noexcept;
    /// What close returned; 0 if there was nothing to close.
    int close() noexcept;

private:
    int fd_ = -1;
    const FileCalls* calls_;
};

/// Throws a FileError `path: what: reason` (`path: reason` if `what` is empty); but a MachineError
/// `path: reason` where the fault is the machine's: full disk, quota, input/output, no memory, too
/// many open files.
[[noreturn]] void throw_file_error(std::string_view path, std::string_view what, int error);
/// Throws a MachineError `path: reason` whatever the error is.
[[noreturn]] void throw_machine_error(std::string_view path, int error);

}  // namespace detail
}  // namespace matgrad
