#include "io/npy_reader.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <stdexcept>

namespace matgrad {

static_assert(std::endian::native == std::endian::little, "elements are read as they lie");

namespace {

std::int64_t size_of_regular_file(int fd, const std::string& path) {
    struct stat status {};
    if (::fstat(fd, &status) != 0) {
        detail::throw_file_error(path, "", errno);
    }
    if (S_ISDIR(status.st_mode)) {
        throw FileError(fmt::format("{}: is a directory, expected a .npy file", path));
    }
    if (!S_ISREG(status.st_mode)) {
        throw FileError(fmt::format("{}: is no regular file, expected a .npy file", path));
    }
    return status.st_size;
}

}  // namespace

NpyReader::NpyReader(std::string path, const FileCalls& calls)
    : path_(std::move(path)), calls_(&calls), file_(calls) {
    // O_NONBLOCK: a pipe without a writer is refused, not waited for.
    file_.reset(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (file_.get() < 0) {
        detail::throw_file_error(path_, "", errno);
    }
    const std::int64_t file_bytes = size_of_regular_file(file_.get(), path_);
    std::vector<std::byte> beginning(
        std::min(static_cast<std::size_t>(file_bytes), kMaxNpyHeaderBytes));
    const std::int64_t got =
        read_bytes(0, static_cast<std::int64_t>(beginning.size()), beginning.data());
    beginning.resize(static_cast<std::size_t>(got));
    header_ = parse_npy_header(beginning, path_);
    if (file_bytes - header_.data_offset != header_.data_bytes()) {
        throw FileError(fmt::format("{}: holds {} bytes of data, its header says {}", path_,
                                    file_bytes - header_.data_offset, header_.data_bytes()));
    }
    header_.fortran_order = header_.fortran_order && header_.shape.size() > 1;
}

void NpyReader::read(std::int64_t offset, std::int64_t count, void* buffer) const {
    if (offset < 0 || count < 0 || offset > header_.count || count > header_.count - offset) {
        throw std::out_of_range(fmt::format("{}: {} elements from element {} of {}", path_, count,
                                            offset, header_.count));
    }
    const std::int64_t at = header_.data_offset + offset * size_of(header_.type);
    const std::int64_t size = count * size_of(header_.type);
    const std::int64_t got = read_bytes(at, size, buffer);
    if (got == size) {
        return;
    }
    struct stat status {};
    const std::int64_t file_bytes = ::fstat(file_.get(), &status) == 0 ? status.st_size : at + got;
    throw FileError(fmt::format(
        "{}: shrank while it was read: holds {} bytes of data, its header says {}", path_,
        std::max<std::int64_t>(file_bytes - header_.data_offset, 0), header_.data_bytes()));
}

// As many bytes as there are, up to `size`.
std::int64_t NpyReader::read_bytes(std::int64_t at, std::int64_t size, void* buffer) const {
    auto* const bytes = static_cast<char*>(buffer);
    std::int64_t done = 0;
    while (done < size) {
        const ssize_t got = calls_->pread(file_.get(), bytes + done,
                                          static_cast<std::size_t>(size - done), at + done);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            detail::throw_machine_error(path_, errno);
        }
        if (got == 0) {
            break;
        }
        done += got;
    }
    return done;
}

}  // namespace matgrad
