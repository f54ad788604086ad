#pragma once
/// \file Writes a .npy file that appears complete or not at all.

#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "io/file_calls.hpp"
#include "io/npy_header.hpp"
#include "io/replacement_file.hpp"

namespace matgrad {

/// A .npy file in the making, in C order. The target is not touched until `commit`, which puts the new
/// file in its place in one step. Without a commit nothing is left of it (ReplacementFile).
class NpyWriter {
public:
    /// Makes the file and writes the header. A target that is a symbolic link is followed.
    ///
    /// Errors   FileError if the target is a directory or no regular file, may not be written, or
    ///          its directory is missing or may not be written; ShapeError if the array exceeds 64
    ///          bits; MachineError if the machine fails (full disk).
    NpyWriter(std::string path, NpyType type, std::vector<std::int64_t> shape,
              const FileCalls& calls = system_calls());
    NpyWriter(const NpyWriter&) = delete;
    NpyWriter& operator=(const NpyWriter&) = delete;

    [[nodiscard]] const std::string& path() const noexcept { return file_.path(); }
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

    /// Flushes the data to the disk.
    /// Errors   MachineError; std::logic_error if not every element was written.
    void finish();
    /// Finishes if that is not done, and replaces the target.
    /// Errors   also FileError if the target's place may not be written any more.
    void commit();
    /// The same for several results: all of them appear, or none.
    static void commit_together(std::span<NpyWriter* const> writers);

private:
    void write_bytes(std::int64_t at, const void* data, std::int64_t size);

    NpyType type_;
    std::vector<std::int64_t> shape_;
    std::int64_t count_ = 1;
    std::int64_t data_offset_ = 0;
    std::int64_t next_ = 0;                 ///< first element of the next append
    std::atomic<std::int64_t> written_{0};  ///< elements
    const FileCalls* calls_;
    ReplacementFile file_;
    bool is_finished_ = false;
};

}  // namespace matgrad
