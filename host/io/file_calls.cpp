#include "io/file_calls.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "matgrad/error.hpp"

namespace matgrad {

static_assert(sizeof(off_t) == 8, "files beyond 2 GiB need 64-bit offsets");

namespace {

int open_unnamed(const char* folder) {
    constexpr mode_t kMode = 0666;  // less what the umask takes
    return ::open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, kMode);
}

int rename(const char* from, const char* to, unsigned flags) {
    return flags == 0 ? ::rename(from, to) : ::renameat2(AT_FDCWD, from, AT_FDCWD, to, flags);
}

}  // namespace

const FileCalls& system_calls() noexcept {
    static const FileCalls calls{::pread, ::pwrite, ::fsync, ::close, rename, open_unnamed};
    return calls;
}

namespace detail {

void FileDescriptor::reset(int fd) noexcept {
    (void)close();
    fd_ = fd;
}

int FileDescriptor::close() noexcept {
    if (fd_ < 0) {
        return 0;
    }
    const int fd = fd_;
    fd_ = -1;  // whatever close says, the descriptor is gone
    return calls_->close(fd);
}

namespace {

bool is_machine_failure(int error) {
    switch (error) {
        case ENOSPC:
        case EDQUOT:
        case EFBIG:
        case EIO:
        case ENOMEM:
        case EMFILE:
        case ENFILE:
            return true;
        default:
            return false;
    }
}

}  // namespace

void throw_file_error(std::string_view path, std::string_view what, int error) {
    if (is_machine_failure(error)) {
        throw_machine_error(path, error);
    }
    throw FileError(fmt::format("{}: {}{}{}", path, what, what.empty() ? "" : ": ",
                                std::generic_category().message(error)));
}

void throw_machine_error(std::string_view path, int error) {
    throw MachineError(fmt::format("{}: {}", path, std::generic_category().message(error)));
}

}  // namespace detail
}  // namespace matgrad
