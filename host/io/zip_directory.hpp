#pragma once
/// \file The directory of a ZIP archive, which is what a .npz file is.
///
/// Source: PKWARE, ".ZIP File Format Specification" 6.3.10, with the 64-bit sizes that NumPy writes.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "io/byte_source.hpp"

namespace matgrad {

struct ZipEntry {
    std::string name;
    std::uint16_t flags = 0;
    std::uint16_t method = 0;  ///< 0: stored, 8: deflated
    std::uint32_t checksum = 0;
    std::int64_t compressed_bytes = 0;
    std::int64_t bytes = 0;
    std::int64_t header_at = 0;  ///< of its own header, before its data
};

/// The first bytes of an archive with members.
inline constexpr std::string_view kZipMagic = "PK\x03\x04";

/// The members, in the order of the directory at the end of the archive.
///
/// Errors   FileError, naming `name`, if it is no archive or its directory contradicts itself.
[[nodiscard]] std::vector<ZipEntry> read_zip_directory(const ByteSource& archive,
                                                       std::string_view name);

/// The byte at which the data of a member begins; all its compressed bytes are within the archive.
/// Errors   FileError, naming `name`.
[[nodiscard]] std::int64_t zip_data_offset(const ByteSource& archive, const ZipEntry& entry,
                                           std::string_view name);

/// The member that NumPy calls `member`: with .npy behind its name or without.
/// Errors   FileError that lists the members, if there is none.
[[nodiscard]] const ZipEntry& find_zip_entry(const std::vector<ZipEntry>& entries,
                                             std::string_view member, std::string_view name);

/// The names as NumPy gives them, a comma between; the first of them if there are many.
[[nodiscard]] std::string zip_member_names(const std::vector<ZipEntry>& entries);

}  // namespace matgrad
