#pragma once
/// \file Bytes that can be read at any place: those of a file, or of a member of an archive.

#include <cstdint>
#include <string>

#include "io/file_calls.hpp"

namespace matgrad {

/// May be read from several threads at once.
class ByteSource {
public:
    ByteSource() = default;
    ByteSource(const ByteSource&) = delete;
    ByteSource& operator=(const ByteSource&) = delete;
    virtual ~ByteSource() = default;

    /// Number of bytes, now.
    /// Errors   MachineError if the machine fails.
    [[nodiscard]] virtual std::int64_t size() const = 0;
    /// Reads bytes at .. at+size, as many of them as there are; returns how many that was.
    /// Errors   FileError for an archive that is damaged; MachineError if the machine fails.
    virtual std::int64_t read(std::int64_t at, std::int64_t size, void* buffer) const = 0;
};

/// A file, read by pread: one that shrinks meanwhile is an exception of its reader and no signal.
class RegularFile final : public ByteSource {
public:
    /// Errors   FileError if it is missing, not readable or not a regular file; MachineError.
    explicit RegularFile(std::string path, const FileCalls& calls = system_calls());

    [[nodiscard]] std::int64_t size() const override;
    std::int64_t read(std::int64_t at, std::int64_t size, void* buffer) const override;

private:
    std::string path_;
    const FileCalls* calls_;
    detail::FileDescriptor file_;
};

}  // namespace matgrad
