#include "io/byte_source.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>

#include "matgrad/error.hpp"

namespace matgrad {

RegularFile::RegularFile(std::string path, const FileCalls& calls)
    : path_(std::move(path)), calls_(&calls), file_(calls) {
    // O_NONBLOCK: a pipe without a writer is refused, not waited for.
    file_.reset(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (file_.get() < 0) {
        detail::throw_file_error(path_, "", errno);
    }
    struct stat status {};
    if (::fstat(file_.get(), &status) != 0) {
        detail::throw_file_error(path_, "", errno);
    }
    if (S_ISDIR(status.st_mode)) {
        throw FileError(fmt::format("{}: is a directory, expected a .npy file", path_));
    }
    if (!S_ISREG(status.st_mode)) {
        throw FileError(fmt::format("{}: is no regular file, expected a .npy file", path_));
    }
}

std::int64_t RegularFile::size() const {
    struct stat status {};
    if (::fstat(file_.get(), &status) != 0) {
        detail::throw_machine_error(path_, errno);
    }
    return status.st_size;
}

std::int64_t RegularFile::read(std::int64_t at, std::int64_t size, void* buffer) const {
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
