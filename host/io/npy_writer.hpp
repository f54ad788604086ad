#pragma once
/// \file Writes a .npy file that appears complete or not at all.

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "io/file_calls.hpp"
#include "io/npy_header.hpp"
#include "io/pending_files.hpp"

namespace matgrad {

/// A .npy file in the making, in C order. The data goes to a temporary file beside the target; the
/// target is not touched until `commit`, which puts the new file in its place in one step. Without
/// a commit the temporary is removed on destruction (or by `remove_pending_files`).
///
/// To replace several results together: `finish` all of them, which is where a disk may prove full,
/// then `commit` all of them.
class NpyWriter {
public:
    /// Makes the temporary file and writes the header. A target that is a symbolic link is followed.
    ///
    /// Errors   FileError if the target is a directory or no regular file, may not be written, or
    ///          its directory is missing or may not be written; ShapeError if the array exceeds 64
    ///          bits; MachineError if the machine fails (full disk).
    NpyWriter(std::string path, NpyType type, std::vector<std::int64_t> shape,
              const FileCalls& calls = system_calls());
    NpyWriter(const NpyWriter&) = delete;
    NpyWriter& operator=(const NpyWriter&) = delete;
    ~NpyWriter();

    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    [[nodiscard]] NpyType type() const noexcept { return type_; }
    [[nodiscard]] const std::vector<std::int64_t>& shape() const noexcept { return shape_; }
    /// Number of elements.
    [[nodiscard]] std::int64_t count() const noexcept { return count_; }

    /// Writes the next elements after those of the last `append`. One thread at a time.
    void append(const void* data, std::int64_t count);
    /// Writes elements offset .. offset+count. From several threads at once where they do not
    /// overlap; every element has to be written exactly once.
    ///
    /// Errors (of both)   MachineError, `V.npy: No space left on device`; std::out_of_range for
    ///                    elements the array does not have.
    void write_at(std::int64_t offset, const void* data, std::int64_t count);

    /// Flushes the data to the disk and closes the temporary file.
    /// Errors   MachineError; std::logic_error if not every element was written.
    void finish();
    /// Finishes if that is not done, and replaces the target.
    /// Errors   also FileError if the target's place may not be written any more.
    void commit();

private:
    void choose_target();
    void create_temporary();
    void write_bytes(std::int64_t at, const void* data, std::int64_t size);
    void discard() noexcept;

    std::string path_;    ///< as the caller wrote it, for messages
    std::string target_;  ///< with symbolic links followed
    std::string temporary_;
    NpyType type_;
    std::vector<std::int64_t> shape_;
    std::int64_t count_ = 1;
    std::int64_t data_offset_ = 0;
    std::int64_t next_ = 0;                 ///< first element of the next append
    std::atomic<std::int64_t> written_{0};  ///< elements
    const FileCalls* calls_;
    detail::FileDescriptor file_;
    detail::PendingFile* pending_ = nullptr;
    bool is_finished_ = false;
};

}  // namespace matgrad
