#include "io/zip_directory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <span>

#include "io/npy_dictionary.hpp"
#include "matgrad/error.hpp"

namespace matgrad {
namespace {

constexpr std::int64_t kEndBytes = 22;      // of the end of the directory
constexpr std::int64_t kEnd64Bytes = 56;    // of the same with 64 bits
constexpr std::int64_t kLocatorBytes = 20;  // says where that is
constexpr std::int64_t kLongestComment = 65535;
constexpr std::int64_t kMostDirectoryBytes = std::int64_t{64} << 20;
constexpr std::size_t kEntryBytes = 46;
constexpr std::int64_t kLocalBytes = 30;
constexpr std::uint32_t kEnd = 0x06054b50, kEnd64 = 0x06064b50, kLocator = 0x07064b50;
constexpr std::uint32_t kEntry = 0x02014b50, kLocal = 0x04034b50;
constexpr std::uint64_t kIn64Bits = 0xffffffff;  // the number is too long for its field
constexpr std::uint16_t kExtra64 = 1;

[[noreturn]] void malformed(std::string_view name, const std::string& what) {
    throw FileError(fmt::format("{}: is no intact .npz archive: {}", name, what));
}

/// Little-endian numbers within bytes; what is not there is malformed.
class Fields {
public:
    Fields(std::span<const std::byte> bytes, std::string_view name) : bytes_(bytes), name_(name) {}

    [[nodiscard]] std::uint64_t number(std::size_t at, std::size_t bytes) const {
        require(at, bytes);
        std::uint64_t value = 0;
        for (std::size_t i = 0; i < bytes; ++i) {
            value |= std::to_integer<std::uint64_t>(bytes_[at + i]) << (8 * i);
        }
        return value;
    }
    [[nodiscard]] std::uint16_t number16(std::size_t at) const {
        return static_cast<std::uint16_t>(number(at, 2));
    }
    [[nodiscard]] std::uint32_t number32(std::size_t at) const {
        return static_cast<std::uint32_t>(number(at, 4));
    }
    [[nodiscard]] std::string text(std::size_t at, std::size_t bytes) const {
        require(at, bytes);
        return {reinterpret_cast<const char*>(bytes_.data()) + at, bytes};
    }
    [[nodiscard]] Fields part(std::size_t at, std::size_t bytes) const {
        require(at, bytes);
        return {bytes_.subspan(at, bytes), name_};
    }
    [[nodiscard]] std::size_t size() const { return bytes_.size(); }

private:
    void require(std::size_t at, std::size_t bytes) const {
        if (at > bytes_.size() || bytes > bytes_.size() - at) {
            malformed(name_, "its directory is cut short");
        }
    }

    std::span<const std::byte> bytes_;
    std::string_view name_;
};

std::vector<std::byte> read_bytes(const ByteSource& archive, std::int64_t at, std::int64_t size,
                                  std::string_view name) {
    std::vector<std::byte> bytes(static_cast<std::size_t>(size));
    if (archive.read(at, size, bytes.data()) != size) {
        malformed(name, "it ends early");
    }
    return bytes;
}

struct Place {
    std::int64_t at = 0;
    std::int64_t bytes = 0;
};

/// A place within the archive before `end`.
Place place_before(std::uint64_t at, std::uint64_t bytes, std::int64_t end, std::string_view name) {
    const auto limit = static_cast<std::uint64_t>(end);
    if (at > limit || bytes > limit - at) {
        malformed(name, "its directory points outside of it");
    }
    return {static_cast<std::int64_t>(at), static_cast<std::int64_t>(bytes)};
}

/// Where the directory lies, from the record at the end of the archive.
Place find_directory(const ByteSource& archive, std::int64_t archive_bytes, std::string_view name) {
    const std::int64_t tail_bytes = std::min(archive_bytes, kEndBytes + kLongestComment);
    const std::vector<std::byte> bytes =
        read_bytes(archive, archive_bytes - tail_bytes, tail_bytes, name);
    const Fields tail(bytes, name);
    for (std::int64_t at = tail_bytes - kEndBytes; at >= 0; --at) {
        const auto begin = static_cast<std::size_t>(at);
        if (tail.number32(begin) != kEnd ||
            at + kEndBytes + std::int64_t{tail.number16(begin + 20)} != tail_bytes) {
            continue;
        }
        const std::int64_t end_at = archive_bytes - tail_bytes + at;
        const std::uint32_t directory_bytes = tail.number32(begin + 12);
        const std::uint32_t directory_at = tail.number32(begin + 16);
        const bool in_64_bits = directory_at == kIn64Bits || directory_bytes == kIn64Bits ||
                                tail.number16(begin + 10) == 0xffff;
        if (!in_64_bits || end_at < kLocatorBytes) {
            return place_before(directory_at, directory_bytes, end_at, name);
        }
        const std::vector<std::byte> locator_bytes =
            read_bytes(archive, end_at - kLocatorBytes, kLocatorBytes, name);
        const Fields locator(locator_bytes, name);
        if (locator.number32(0) != kLocator) {
            return place_before(directory_at, directory_bytes, end_at, name);
        }
        const Place record = place_before(locator.number(8, 8), kEnd64Bytes, end_at, name);
        const std::vector<std::byte> record_bytes =
            read_bytes(archive, record.at, record.bytes, name);
        const Fields end64(record_bytes, name);
        if (end64.number32(0) != kEnd64) {
            malformed(name, "its directory points nowhere");
        }
        return place_before(end64.number(48, 8), end64.number(40, 8), record.at, name);
    }
    malformed(name, "it has no directory at its end");
}

/// Replaces the numbers that the extra field has in 64 bits; they stand there in this order.
void read_extra(const Fields& extra, std::uint64_t& bytes, std::uint64_t& compressed_bytes,
                std::uint64_t& header_at) {
    for (std::size_t at = 0; at + 4 <= extra.size();) {
        const std::size_t length = extra.number16(at + 2);
        if (extra.number16(at) == kExtra64) {
            const Fields numbers = extra.part(at + 4, length);
            std::size_t next = 0;
            for (std::uint64_t* number : {&bytes, &compressed_bytes, &header_at}) {
                if (*number == kIn64Bits) {
                    *number = numbers.number(next, 8);
                    next += 8;
                }
            }
            return;
        }
        at += 4 + length;
    }
}

std::string_view numpy_name(const ZipEntry& entry) {
    constexpr std::string_view kSuffix = ".npy";
    const std::string_view name = entry.name;
    return name.size() > kSuffix.size() && name.substr(name.size() - kSuffix.size()) == kSuffix
               ? name.substr(0, name.size() - kSuffix.size())
               : name;
}

}  // namespace

std::vector<ZipEntry> read_zip_directory(const ByteSource& archive, std::string_view name) {
    const std::int64_t archive_bytes = archive.size();
    if (archive_bytes < kEndBytes) {
        malformed(name, "it is too short");
    }
    const Place directory = find_directory(archive, archive_bytes, name);
    if (directory.bytes > kMostDirectoryBytes) {
        malformed(name, fmt::format("its directory has {} bytes, expected at most {}",
                                    directory.bytes, kMostDirectoryBytes));
    }
    const std::vector<std::byte> bytes = read_bytes(archive, directory.at, directory.bytes, name);
    const Fields fields(bytes, name);
    std::vector<ZipEntry> entries;
    for (std::size_t at = 0; at < fields.size();) {
        if (fields.number32(at) != kEntry) {
            malformed(name, "its directory is damaged");
        }
        const std::size_t name_bytes = fields.number16(at + 28);
        const std::size_t extra_bytes = fields.number16(at + 30);
        std::uint64_t compressed_bytes = fields.number32(at + 20);
        std::uint64_t entry_bytes = fields.number32(at + 24);
        std::uint64_t header_at = fields.number32(at + 42);
        read_extra(fields.part(at + kEntryBytes + name_bytes, extra_bytes), entry_bytes,
                   compressed_bytes, header_at);
        if (entry_bytes > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) {
            malformed(name, "a size in its directory exceeds 63 bits");
        }
        const Place data = place_before(header_at, compressed_bytes, directory.at, name);
        entries.push_back({fields.text(at + kEntryBytes, name_bytes), fields.number16(at + 8),
                           fields.number16(at + 10), fields.number32(at + 16), data.bytes,
                           static_cast<std::int64_t>(entry_bytes), data.at});
        at += kEntryBytes + name_bytes + extra_bytes + fields.number16(at + 32);
    }
    return entries;
}

std::int64_t zip_data_offset(const ByteSource& archive, const ZipEntry& entry,
                             std::string_view name) {
    const std::vector<std::byte> bytes = read_bytes(archive, entry.header_at, kLocalBytes, name);
    const Fields local(bytes, name);
    if (local.number32(0) != kLocal) {
        malformed(name, "its directory points at no member");
    }
    const std::uint64_t offset = static_cast<std::uint64_t>(entry.header_at + kLocalBytes) +
                                 local.number16(26) + local.number16(28);
    return place_before(offset, static_cast<std::uint64_t>(entry.compressed_bytes), archive.size(),
                        name)
        .at;
}

const ZipEntry& find_zip_entry(const std::vector<ZipEntry>& entries, std::string_view member,
                               std::string_view name) {
    const auto find = [&](auto name_of) {  // of two with one name the last counts, as in Python
        return std::find_if(entries.rbegin(), entries.rend(),
                            [&](const ZipEntry& entry) { return name_of(entry) == member; });
    };
    auto at = find([](const ZipEntry& entry) { return std::string_view(entry.name); });
    if (at == entries.rend()) {
        at = find(numpy_name);
    }
    if (at == entries.rend()) {
        throw FileError(fmt::format("{}: has no member {}, expected one of {}", name,
                                    detail::quote_file_text(member), zip_member_names(entries)));
    }
    return *at;
}

std::string zip_member_names(const std::vector<ZipEntry>& entries) {
    constexpr std::size_t kMost = 10;
    std::string names;
    for (std::size_t i = 0; i < std::min(entries.size(), kMost); ++i) {
        const std::string quoted = detail::quote_file_text(numpy_name(entries[i]));
        names += (i == 0 ? "" : ", ") + quoted.substr(1, quoted.size() - 2);
    }
    return names + (entries.size() > kMost ? ", ..." : entries.empty() ? "none" : "");
}

}  // namespace matgrad
