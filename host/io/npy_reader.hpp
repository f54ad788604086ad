#pragma once
/// \file Reads a .npy file, or such a member of a .npz file, piece by piece: a file larger than memory can
/// be read, and one that shrinks meanwhile is an exception and not a signal.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "io/byte_source.hpp"
#include "io/npy_header.hpp"

namespace matgrad {

/// An open array of real numbers of any rank. May be read from several threads at once.
class NpyReader {
public:
    /// Opens the file and checks its header and its size.
    ///
    /// Errors   FileError if it is missing, not readable, not a regular file, no .npy file of such
    ///          an array, or holds more or fewer bytes than its header says; MachineError if the
    ///          machine fails.
    explicit NpyReader(std::string path, const FileCalls& calls = system_calls());
    /// Opens a member of a .npz file: `X`, or `X.npy` which is its whole name.
    /// Errors   also those of ZipMember.
    NpyReader(const std::string& archive, const std::string& member,
              const FileCalls& calls = system_calls());

    /// Its name in messages: the path; for a member `archive:member`.
    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    [[nodiscard]] const NpyElement& element() const noexcept { return header_.element; }
    /// The first index runs fastest. False for ranks 0 and 1, where the orders agree.
    [[nodiscard]] bool fortran_order() const noexcept { return header_.fortran_order; }
    [[nodiscard]] const std::vector<std::int64_t>& shape() const noexcept { return header_.shape; }
    /// Number of elements.
    [[nodiscard]] std::int64_t count() const noexcept { return header_.count; }
    /// True if another array follows in the file, as after several calls of numpy.save: the first is read.
    [[nodiscard]] bool has_more() const noexcept { return has_more_; }

    /// Reads elements offset .. offset+count as they lie in the file, in its order, into a buffer of
    /// count * element().bytes bytes.
    ///
    /// Errors   FileError if the file ends early: it was cut since it was opened; MachineError if
    ///          the machine fails; std::out_of_range for elements the array does not have.
    void read(std::int64_t offset, std::int64_t count, void* buffer) const;
    /// The same, converted to `type`; without a copy where that is what lies in the file.
    void read_as(std::int64_t offset, std::int64_t count, ScalarType type, void* buffer) const;

private:
    void read_header();

    std::string path_;
    std::unique_ptr<ByteSource> bytes_;
    NpyHeader header_;
    bool has_more_ = false;
};

}  // namespace matgrad
