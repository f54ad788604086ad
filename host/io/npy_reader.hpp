#pragma once
/// \file Reads a .npy file piece by piece, by pread: a file larger than memory can be read, and one
/// that shrinks meanwhile is an exception and not a signal.

#include <cstdint>
#include <string>
#include <vector>

#include "io/file_calls.hpp"
#include "io/npy_header.hpp"

namespace matgrad {

/// An open .npy file of float32 or float64, little endian, of rank 0 to 3. May be read from several
/// threads at once.
class NpyReader {
public:
    /// Opens the file and checks its header and its size.
    ///
    /// Errors   FileError if it is missing, not readable, not a regular file, no .npy file of such
    ///          an array, or holds more or fewer bytes than its header says; MachineError if the
    ///          machine fails.
    explicit NpyReader(std::string path, const FileCalls& calls = system_calls());

    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    [[nodiscard]] ScalarType type() const noexcept { return header_.type; }
    /// The first index runs fastest. False for ranks 0 and 1, where the orders agree.
    [[nodiscard]] bool fortran_order() const noexcept { return header_.fortran_order; }
    [[nodiscard]] const std::vector<std::int64_t>& shape() const noexcept { return header_.shape; }
    /// Number of elements.
    [[nodiscard]] std::int64_t count() const noexcept { return header_.count; }

    /// Reads elements offset .. offset+count, in the order of the file, into a buffer of
    /// count * size_of(type()) bytes.
    ///
    /// Errors   FileError if the file ends early: it was cut since it was opened; MachineError if
    ///          the machine fails; std::out_of_range for elements the array does not have.
    void read(std::int64_t offset, std::int64_t count, void* buffer) const;

private:
    std::int64_t read_bytes(std::int64_t at, std::int64_t size, void* buffer) const;

    std::string path_;
    const FileCalls* calls_;
    detail::FileDescriptor file_;
    NpyHeader header_;
};

}  // namespace matgrad
