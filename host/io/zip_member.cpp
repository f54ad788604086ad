#include "io/zip_member.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <new>
#include <vector>

#include "matgrad/error.hpp"

namespace matgrad {
namespace {

constexpr std::uint16_t kStored = 0, kDeflated = 8, kEncrypted = 1;
constexpr std::int64_t kChunk = std::int64_t{1} << 16;

}  // namespace

/// A stream of deflated bytes, from its beginning on.
class ZipMember::Inflater {
public:
    explicit Inflater(const ZipMember& member)
        : member_(member), input_(static_cast<std::size_t>(kChunk)) {
        if (inflateInit2(&stream_, -MAX_WBITS) != Z_OK) {  // without the header of zlib
            throw std::bad_alloc();
        }
    }
    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;
    ~Inflater() { (void)inflateEnd(&stream_); }

    [[nodiscard]] std::int64_t position() const noexcept { return position_; }

    void begin_again() {
        (void)inflateReset(&stream_);
        stream_.avail_in = 0;
        taken_ = 0;
        position_ = 0;
    }

    /// The next `size` bytes.
    void read(std::int64_t size, std::byte* buffer) {
        for (std::int64_t done = 0; done < size;) {
            const std::int64_t length = std::min(size - done, std::int64_t{1} << 30);
            stream_.next_out = reinterpret_cast<Bytef*>(buffer + done);
            stream_.avail_out = static_cast<uInt>(length);
            const bool has_ended = step();
            const std::int64_t got = length - std::int64_t{stream_.avail_out};
            done += got;
            position_ += got;
            if (has_ended && done < size) {
                member_.damaged("it ends early");
            }
        }
    }

    /// Nothing may follow.
    void expect_end() {
        std::byte none{};
        stream_.next_out = reinterpret_cast<Bytef*>(&none);
        stream_.avail_out = 1;
        while (!step()) {
            if (stream_.avail_out == 0) {
                member_.damaged("it is longer than the directory says");
            }
        }
        if (stream_.avail_out == 0) {
            member_.damaged("it is longer than the directory says");
        }
    }

private:
    /// Fills what it can of the output; true at the end of the stream.
    bool step() {
        if (stream_.avail_in == 0) {
            const std::int64_t size = std::min(kChunk, member_.entry_.compressed_bytes - taken_);
            member_.read_archive(taken_, size, input_.data());
            stream_.next_in = reinterpret_cast<Bytef*>(input_.data());
            stream_.avail_in = static_cast<uInt>(size);
            taken_ += size;
        }
        switch (inflate(&stream_, Z_NO_FLUSH)) {
            case Z_OK:
                return false;
            case Z_STREAM_END:
                return true;
            case Z_MEM_ERROR:
                throw std::bad_alloc();
            case Z_BUF_ERROR:  // nothing more comes
                member_.damaged("its compressed data ends early");
            default:
                member_.damaged("its compressed data is no deflated stream");
        }
    }

    const ZipMember& member_;
    std::vector<std::byte> input_;
    z_stream stream_{};
    std::int64_t taken_ = 0;     ///< compressed bytes that were read
    std::int64_t position_ = 0;  ///< of the next byte that comes out
};

ZipMember::ZipMember(const std::string& path, std::string_view member, std::string name,
                     const FileCalls& calls)
    : name_(std::move(name)),
      archive_(path, calls),
      entry_(find_zip_entry(read_zip_directory(archive_, path), member, path)) {
    if ((entry_.flags & kEncrypted) != 0) {
        throw FileError(
            fmt::format("{}: is encrypted, expected a member as NumPy saves it", name_));
    }
    if (entry_.method != kStored && entry_.method != kDeflated) {
        throw FileError(
            fmt::format("{}: is compressed by method {}, expected 0 (stored) or 8 (deflated), as "
                        "numpy.savez and savez_compressed write it",
                        name_, entry_.method));
    }
    if (entry_.method == kStored && entry_.bytes != entry_.compressed_bytes) {
        damaged("the directory gives it two sizes");
    }
    data_at_ = zip_data_offset(archive_, entry_, path);
}

ZipMember::~ZipMember() = default;

std::int64_t ZipMember::read(std::int64_t at, std::int64_t size, void* buffer) const {
    const std::int64_t length = std::min(size, std::max<std::int64_t>(entry_.bytes - at, 0));
    const std::lock_guard lock(mutex_);
    if (entry_.method == kStored) {
        read_stored(at, length, buffer);
        return length;
    }
    if (!inflater_) {
        inflater_ = std::make_unique<Inflater>(*this);
    }
    if (at < inflater_->position()) {
        inflater_->begin_again();
    }
    std::vector<std::byte> skipped;
    while (inflater_->position() < at) {
        skipped.resize(static_cast<std::size_t>(kChunk));
        const std::int64_t position = inflater_->position();
        const std::int64_t step = std::min(kChunk, at - position);
        inflater_->read(step, skipped.data());
        count(position, step, skipped.data());
    }
    inflater_->read(length, static_cast<std::byte*>(buffer));
    if (inflater_->position() == entry_.bytes) {
        inflater_->expect_end();
        inflater_.reset();
    }
    count(at, length, buffer);
    return length;
}

void ZipMember::read_stored(std::int64_t at, std::int64_t size, void* buffer) const {
    read_archive(at, size, buffer);
    count(at, size, buffer);
}

/// Bytes of the member as they lie in the archive.
void ZipMember::read_archive(std::int64_t at, std::int64_t size, void* buffer) const {
    if (archive_.read(data_at_ + at, size, buffer) != size) {
        throw FileError(fmt::format("{}: shrank while it was read", name_));
    }
}

/// What follows the bytes counted so far goes into the checksum, which is compared at the end.
void ZipMember::count(std::int64_t at, std::int64_t size, const void* bytes) const {
    if (at > counted_ || at + size <= counted_) {
        return;
    }
    const auto* const next = static_cast<const Bytef*>(bytes) + (counted_ - at);
    const std::int64_t length = at + size - counted_;
    checksum_ = static_cast<std::uint32_t>(crc32_z(checksum_, next, static_cast<z_size_t>(length)));
    counted_ += length;
    if (counted_ == entry_.bytes && checksum_ != entry_.checksum) {
        damaged("its checksum is not that of the directory");
    }
}

void ZipMember::damaged(const char* what) const {
    throw FileError(fmt::format("{}: is damaged: {}", name_, what));
}

}  // namespace matgrad
