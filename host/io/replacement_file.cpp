#include "io/replacement_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <stdexcept>

#include "matgrad/error.hpp"

namespace matgrad {
namespace {

constexpr const char* kCannotBeWritten = "cannot be written";
constexpr int kAttempts = 100;
constexpr mode_t kMode = 0666;  // less what the umask takes

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

/// The name by which the system lets a file without a name be linked.
std::string link_of(int fd) {
    return fmt::format("/proc/self/fd/{}", fd);
}

bool is_directory(const std::string& path) {
    struct stat status {};
    return ::lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

/// An error that says that the file system cannot exchange two names.
bool lacks_exchange(int error) {
    return error == EINVAL || error == ENOSYS || error == EOPNOTSUPP;
}

}  // namespace

ReplacementFile::ReplacementFile(std::string path, const FileCalls& calls)
    : path_(std::move(path)), calls_(&calls), file_(calls) {
    choose_target();
    open();
    struct stat status {};
    if (::fstat(file_.get(), &status) == 0) {
        device_ = status.st_dev;
        inode_ = status.st_ino;
    }
}

ReplacementFile::~ReplacementFile() {
    discard();
}

void ReplacementFile::choose_target() {
    target_ = path_;
    if (path_.empty() || path_.back() == '/') {
        throw FileError(fmt::format("'{}': {}: not the name of a file", path_, kCannotBeWritten));
    }
    struct stat status {};
    if (::lstat(path_.c_str(), &status) != 0) {
        if (errno == ENOENT) {
            return;  // if it is the directory that is missing, making the temporary will say so
        }
        fail(errno);
    }
    if (S_ISLNK(status.st_mode)) {
        target_ = real_path(path_);
        if (::stat(target_.c_str(), &status) != 0) {
            fail(errno);
        }
    }
    if (S_ISDIR(status.st_mode)) {
        fail(EISDIR);
    }
    if (!S_ISREG(status.st_mode)) {
        throw FileError(fmt::format("{}: {}: is no regular file", path_, kCannotBeWritten));
    }
    if (::faccessat(AT_FDCWD, target_.c_str(), W_OK, AT_EACCESS) != 0) {
        fail(errno);
    }
}

// The name is short whatever the target's is, hidden, and that of no other process.
std::string ReplacementFile::new_name() const {
    std::random_device random;
    std::string name =
        fmt::format("{}.matgrad-{:08x}{:08x}.tmp", directory_of(target_), random(), random());
    if (name.size() >= PATH_MAX) {
        fail(ENAMETOOLONG);
    }
    return name;
}

bool ReplacementFile::open_unnamed() {
    const std::string folder = directory_of(target_);
    file_.reset(calls_->open_unnamed(folder.empty() ? "." : folder.c_str()));
    if (file_.get() < 0) {
        return false;
    }
    if (::access(link_of(file_.get()).c_str(), F_OK) != 0) {
        (void)file_.close();  // there would be no way to give it a name
        return false;
    }
    return true;
}

void ReplacementFile::open() {
    if (open_unnamed()) {
        return;
    }
    for (int attempt = 1;; ++attempt) {
        temporary_ = new_name();
        // Registered before it exists: an interrupt between the two leaves nothing behind.
        pending_ = detail::add_pending_file(temporary_.c_str());
        file_.reset(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kMode));
        if (file_.get() >= 0) {
            return;
        }
        const int error = errno;
        forget_names();
        if (error != EEXIST || attempt == kAttempts) {
            fail(error);
        }
    }
}

void ReplacementFile::fail(int error) const {
    detail::throw_file_error(path_, kCannotBeWritten, error);
}

void ReplacementFile::finish() {
    int result = 0;
    do {
        result = calls_->fsync(file_.get());
    } while (result != 0 && errno == EINTR);
    // Some file systems know no fsync; close has the last word on them.
    if (result != 0 && errno != EINVAL && errno != ENOSYS) {
        detail::throw_machine_error(path_, errno);
    }
    // A file without a name would end here: it is closed once it has one. After EINTR Linux has closed
    // the descriptor all the same, and the data is safe by then.
    if (pending_ != nullptr && file_.close() != 0 && errno != EINTR) {
        detail::throw_machine_error(path_, errno);
    }
}

void ReplacementFile::give_name() {
    for (int attempt = 1; pending_ == nullptr; ++attempt) {
        temporary_ = new_name();
        pending_ = detail::add_pending_file(temporary_.c_str());
        if (::linkat(AT_FDCWD, link_of(file_.get()).c_str(), AT_FDCWD, temporary_.c_str(),
                     AT_SYMLINK_FOLLOW) != 0) {
            const int error = errno;
            forget_names();
            if (error != EEXIST || attempt == kAttempts) {
                fail(error);
            }
        }
    }
    if (file_.close() != 0 && errno != EINTR) {
        detail::throw_machine_error(path_, errno);
    }
}

// Under its temporary name there is then the old file, until all files of the set are in their places.
void ReplacementFile::put_in_place() {
    if (calls_->rename(temporary_.c_str(), target_.c_str(), RENAME_EXCHANGE) == 0) {
        old_ = Target::exchanged;
        if (is_directory(temporary_)) {
            take_back();
            fail(EISDIR);
        }
    } else if (errno == ENOENT) {
        put_in_free_place();
    } else if (lacks_exchange(errno)) {
        set_aside();
    } else {
        fail(errno);
    }
}

void ReplacementFile::put_in_free_place() {
    if (calls_->rename(temporary_.c_str(), target_.c_str(), 0) != 0) {
        fail(errno);
    }
    old_ = Target::fresh;
}

void ReplacementFile::set_aside() {
    if (is_directory(target_)) {
        fail(EISDIR);
    }
    aside_ = new_name();
    if (calls_->rename(target_.c_str(), aside_.c_str(), 0) != 0) {
        return errno == ENOENT ? put_in_free_place() : fail(errno);
    }
    if (calls_->rename(temporary_.c_str(), target_.c_str(), 0) != 0) {
        const int error = errno;
        (void)calls_->rename(aside_.c_str(), target_.c_str(), 0);
        fail(error);
    }
    old_ = Target::set_aside;
    // Only now may it be removed: before, it was all there is of the old file.
    pending_aside_ = detail::add_pending_file(aside_.c_str());
}

/// Paths that look different may be one file: what was in this file's place is no other one of the set.
void ReplacementFile::check_place(std::span<ReplacementFile* const> before) const {
    struct stat status {};
    const std::string& old = old_ == Target::exchanged ? temporary_ : aside_;
    if (old_ == Target::fresh || ::lstat(old.c_str(), &status) != 0) {
        return;
    }
    for (const ReplacementFile* other : before) {
        if (other->device_ == status.st_dev && other->inode_ == status.st_ino) {
            throw FileError(
                fmt::format("{}: two results go to this file, expected one each", path_));
        }
    }
}

void ReplacementFile::take_back() noexcept {
    switch (old_) {
        case Target::untouched:
            return;
        case Target::fresh:
            (void)calls_->rename(target_.c_str(), temporary_.c_str(), 0);
            break;
        case Target::exchanged:
            (void)calls_->rename(temporary_.c_str(), target_.c_str(), RENAME_EXCHANGE);
            break;
        case Target::set_aside:
            (void)calls_->rename(target_.c_str(), temporary_.c_str(), 0);
            (void)calls_->rename(aside_.c_str(), target_.c_str(), 0);
            detail::forget_pending_file(pending_aside_);
            pending_aside_ = nullptr;
            break;
    }
    old_ = Target::untouched;
}

void ReplacementFile::settle() noexcept {
    if (old_ == Target::exchanged) {
        (void)::unlink(temporary_.c_str());
    } else if (old_ == Target::set_aside) {
        (void)::unlink(aside_.c_str());
    }
    forget_names();
    is_committed_ = true;
}

void ReplacementFile::forget_names() noexcept {
    detail::forget_pending_file(pending_);
    detail::forget_pending_file(pending_aside_);
    pending_ = nullptr;
    pending_aside_ = nullptr;
}

void ReplacementFile::discard() noexcept {
    (void)file_.close();
    if (pending_ != nullptr) {
        (void)::unlink(temporary_.c_str());
        forget_names();
    }
}

void ReplacementFile::commit_together(std::span<ReplacementFile* const> files) {
    for (ReplacementFile* file : files) {
        if (file->is_committed_) {
            throw std::logic_error(fmt::format("{}: committed twice", file->path_));
        }
    }
    const detail::CommitSection section;
    for (ReplacementFile* file : files) {
        file->give_name();
    }
    std::size_t placed = 0;
    try {
        for (; placed < files.size(); ++placed) {
            files[placed]->put_in_place();
            files[placed]->check_place(files.first(placed));
        }
    } catch (...) {
        for (std::size_t i = std::min(placed + 1, files.size()); i-- > 0;) {
            files[i]->take_back();
        }
        throw;
    }
    for (ReplacementFile* file : files) {
        file->settle();
    }
}

}  // namespace matgrad
