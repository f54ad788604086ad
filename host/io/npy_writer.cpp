#include "io/npy_writer.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <memory>
#include <random>
#include <stdexcept>

namespace matgrad {

namespace {

constexpr const char* kCannotBeWritten = "cannot be written";

/// The path with every symbolic link followed; nothing of it may be missing.
std::string real_path(const std::string& path) {
    struct Free {
        void operator()(char* text) const noexcept { std::free(text); }
    };
    const std::unique_ptr<char, Free> resolved(::realpath(path.c_str(), nullptr));
    if (!resolved) {
        detail::throw_file_error(path, kCannotBeWritten, errno);
    }
    return resolved.get();
}

std::string directory_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? std::string() : path.substr(0, slash + 1);
}

}  // namespace

NpyWriter::NpyWriter(std::string path, NpyType type, std::vector<std::int64_t> shape,
                     const FileCalls& calls)
    : path_(std::move(path)), type_(type), shape_(std::move(shape)), calls_(&calls), file_(calls) {
    const std::string header = make_npy_header(type_, shape_, path_);
    data_offset_ = static_cast<std::int64_t>(header.size());
    for (const std::int64_t size : shape_) {
        count_ *= size;
    }
    choose_target();
    create_temporary();
    try {
        write_bytes(0, header.data(), data_offset_);
    } catch (...) {
        discard();
        throw;
    }
}

NpyWriter::~NpyWriter() {
    discard();
}

void NpyWriter::choose_target() {
    target_ = path_;
    if (path_.empty() || path_.back() == '/') {
        throw FileError(fmt::format("'{}': {}: not the name of a file", path_, kCannotBeWritten));
    }
    struct stat status {};
    if (::lstat(path_.c_str(), &status) != 0) {
        if (errno == ENOENT) {
            return;  // if it is the directory that is missing, making the temporary will say so
        }
        detail::throw_file_error(path_, kCannotBeWritten, errno);
    }
    if (S_ISLNK(status.st_mode)) {
        target_ = real_path(path_);
        if (::stat(target_.c_str(), &status) != 0) {
            detail::throw_file_error(path_, kCannotBeWritten, errno);
        }
    }
    if (S_ISDIR(status.st_mode)) {
        throw FileError(fmt::format("{}: {}: is a directory", path_, kCannotBeWritten));
    }
    if (!S_ISREG(status.st_mode)) {
        throw FileError(fmt::format("{}: {}: is no regular file", path_, kCannotBeWritten));
    }
    if (::faccessat(AT_FDCWD, target_.c_str(), W_OK, AT_EACCESS) != 0) {
        detail::throw_file_error(path_, kCannotBeWritten, errno);
    }
}

// The name is short whatever the target's is, hidden, and that of no other process.
void NpyWriter::create_temporary() {
    constexpr int kAttempts = 100;
    std::random_device random;
    for (int attempt = 1;; ++attempt) {
        temporary_ =
            fmt::format("{}.matgrad-{:08x}{:08x}.tmp", directory_of(target_), random(), random());
        if (temporary_.size() >= PATH_MAX) {
            detail::throw_file_error(path_, kCannotBeWritten, ENAMETOOLONG);
        }
        // Registered before it exists: an interrupt between the two leaves nothing behind.
        pending_ = detail::add_pending_file(temporary_.c_str());
        const int fd = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0) {
            file_.reset(fd);
            return;
        }
        const int error = errno;
        detail::forget_pending_file(pending_);
        pending_ = nullptr;
        if (error != EEXIST || attempt == kAttempts) {
            detail::throw_file_error(path_, kCannotBeWritten, error);
        }
    }
}

void NpyWriter::append(const void* data, std::int64_t count) {
    write_at(next_, data, count);
    next_ += count;
}

void NpyWriter::write_at(std::int64_t offset, const void* data, std::int64_t count) {
    if (offset < 0 || count < 0 || offset > count_ || count > count_ - offset) {
        throw std::out_of_range(
            fmt::format("{}: {} elements from element {} of {}", path_, count, offset, count_));
    }
    if (is_finished_) {
        throw std::logic_error(fmt::format("{}: written after it was finished", path_));
    }
    write_bytes(data_offset_ + offset * size_of(type_), data, count * size_of(type_));
    written_ += count;
}

void NpyWriter::write_bytes(std::int64_t at, const void* data, std::int64_t size) {
    const auto* const bytes = static_cast<const char*>(data);
    std::int64_t done = 0;
    while (done < size) {
        const ssize_t put = calls_->pwrite(file_.get(), bytes + done,
                                           static_cast<std::size_t>(size - done), at + done);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {  // 0: POSIX leaves the reason open, and to try for ever is no answer
            detail::throw_machine_error(path_, put < 0 ? errno : EIO);
        }
        done += put;
    }
}

void NpyWriter::finish() {
    if (is_finished_) {
        return;
    }
    if (written_ != count_) {
        throw std::logic_error(
            fmt::format("{}: {} of {} elements were written", path_, written_.load(), count_));
    }
    int result = 0;
    do {
        result = calls_->fsync(file_.get());
    } while (result != 0 && errno == EINTR);
    // Some file systems know no fsync; close has the last word on them.
    if (result != 0 && errno != EINVAL && errno != ENOSYS) {
        detail::throw_machine_error(path_, errno);
    }
    // After EINTR Linux has closed the descriptor all the same, and the data is safe by then.
    if (file_.close() != 0 && errno != EINTR) {
        detail::throw_machine_error(path_, errno);
    }
    is_finished_ = true;
}

void NpyWriter::commit() {
    finish();
    if (!pending_) {
        throw std::logic_error(fmt::format("{}: committed twice", path_));
    }
    if (calls_->rename(temporary_.c_str(), target_.c_str()) != 0) {
        detail::throw_file_error(path_, kCannotBeWritten, errno);
    }
    detail::forget_pending_file(pending_);
    pending_ = nullptr;
}

void NpyWriter::discard() noexcept {
    (void)file_.close();
    if (!pending_) {
        return;
    }
    (void)::unlink(temporary_.c_str());
    detail::forget_pending_file(pending_);
    pending_ = nullptr;
}

}  // namespace matgrad
