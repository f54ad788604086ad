#include "io/npy_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "io/zip_member.hpp"

namespace matgrad {
namespace {

// Elements that are converted at a time.
constexpr std::int64_t kConverted = std::int64_t{1} << 15;

bool begins_with(std::span<const std::byte> bytes, std::string_view text) {
    return bytes.size() >= text.size() && std::memcmp(bytes.data(), text.data(), text.size()) == 0;
}

}  // namespace

NpyReader::NpyReader(std::string path, const FileCalls& calls)
    : path_(std::move(path)), bytes_(std::make_unique<RegularFile>(path_, calls)) {
    read_header();
}

NpyReader::NpyReader(const std::string& archive, const std::string& member, const FileCalls& calls)
    : path_(archive + ":" + member),
      bytes_(std::make_unique<ZipMember>(archive, member, path_, calls)) {
    read_header();
}

void NpyReader::read_header() {
    const std::int64_t total = bytes_->size();
    std::vector<std::byte> beginning(
        static_cast<std::size_t>(std::min<std::int64_t>(total, kMaxNpyHeaderBytes)));
    const std::int64_t got =
        bytes_->read(0, static_cast<std::int64_t>(beginning.size()), beginning.data());
    beginning.resize(static_cast<std::size_t>(got));
    if (begins_with(beginning, kZipMagic)) {
        const std::string names = zip_member_names(read_zip_directory(*bytes_, path_));
        throw FileError(fmt::format(
            "{}: is an archive (.npz) of {}, expected one array: name it as in FILE.npz:NAME",
            path_, names));
    }
    header_ = parse_npy_header(beginning, path_);
    if (header_.shape.size() <= 1) {
        header_.fortran_order = false;
    }
    const std::int64_t data_bytes = total - header_.data_offset;
    if (data_bytes > header_.data_bytes()) {
        std::byte next[kNpyMagic.size()] = {};
        has_more_ = bytes_->read(header_.data_offset + header_.data_bytes(), sizeof next, next) ==
                        std::int64_t{sizeof next} &&
                    begins_with(next, kNpyMagic);
    }
    if (data_bytes != header_.data_bytes() && !has_more_) {
        throw FileError(fmt::format("{}: holds {} bytes of data, its header says {}", path_,
                                    data_bytes, header_.data_bytes()));
    }
}

void NpyReader::read(std::int64_t offset, std::int64_t count, void* buffer) const {
    if (offset < 0 || count < 0 || offset > header_.count || count > header_.count - offset) {
        throw std::out_of_range(fmt::format("{}: {} elements from element {} of {}", path_, count,
                                            offset, header_.count));
    }
    const std::int64_t at = header_.data_offset + offset * header_.element.bytes;
    const std::int64_t size = count * header_.element.bytes;
    const std::int64_t got = bytes_->read(at, size, buffer);
    if (got == size) {
        return;
    }
    throw FileError(fmt::format(
        "{}: shrank while it was read: holds {} bytes of data, its header says {}", path_,
        std::max<std::int64_t>(bytes_->size() - header_.data_offset, 0), header_.data_bytes()));
}

void NpyReader::read_as(std::int64_t offset, std::int64_t count, ScalarType type,
                        void* buffer) const {
    if (lies_as(header_.element, type)) {
        read(offset, count, buffer);
        return;
    }
    auto* const to = static_cast<std::byte*>(buffer);
    std::vector<std::byte> raw(
        static_cast<std::size_t>(std::min(count, kConverted) * header_.element.bytes));
    for (std::int64_t done = 0; done < count;) {
        const std::int64_t length = std::min(kConverted, count - done);
        read(offset + done, length, raw.data());
        convert_elements(header_.element, raw.data(), length, type, to + done * size_of(type));
        done += length;
    }
}

}  // namespace matgrad
