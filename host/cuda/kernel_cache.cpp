#include "cuda/kernel_cache.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <tuple>
#include <utility>

namespace matgrad::gpu {
namespace {

// A temporary file is written in well under a second: an older one was left by a process that died.
constexpr std::time_t kTemporarySeconds = 3600;
constexpr std::string_view kEnding = ".kernels";
constexpr std::string_view kTemporaryEnding = ".tmp";
constexpr std::size_t kHashDigits = 16;

/// A file is this, the key, the code. Read on a machine of the other byte order, the format differs.
struct Header {
    char magic[8] = {'m', 'a', 't', 'g', 'r', 'a', 'd', 'K'};
    std::uint64_t format = 1;
    std::uint64_t key_bytes = 0, code_bytes = 0, code_hash = 0;
    friend bool operator==(const Header& a, const Header& b) {
        return std::memcmp(&a, &b, sizeof(Header)) == 0;
    }
};
static_assert(sizeof(Header) == 40, "no padding");

/// FNV-1a. A change of one byte always changes it: every step is a bijection of the hash.
std::uint64_t hash_of(std::string_view bytes) {
    std::uint64_t hash = 0xcbf29ce484222325u;
    for (const char byte : bytes) {
        hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3u;
    }
    return hash;
}

std::string_view text(std::span<const char> bytes) {
    return {bytes.data(), bytes.size()};
}

Header header_of(std::string_view key, std::span<const char> code) {
    Header header;
    header.key_bytes = key.size();
    header.code_bytes = code.size();
    header.code_hash = hash_of(text(code));
    return header;
}

std::uint64_t file_bytes(std::string_view key, std::uint64_t code_bytes) {
    return sizeof(Header) + key.size() + code_bytes;
}

std::string file_name(std::string_view key) {
    return fmt::format("{:016x}{}", hash_of(key), kEnding);
}

/// A file descriptor, closed when it goes.
class File {
public:
    explicit File(int descriptor) : descriptor_(descriptor) {}
    File(File&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    File& operator=(File&&) = delete;
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File() { (void)close(); }
    [[nodiscard]] bool is_open() const { return descriptor_ >= 0; }
    [[nodiscard]] int get() const { return descriptor_; }
    [[nodiscard]] int release() { return std::exchange(descriptor_, -1); }
    /// False if what was written may not have arrived.
    bool close() { return descriptor_ < 0 || ::close(release()) == 0; }

private:
    int descriptor_;
};

bool is_ours_alone(const struct stat& info) {
    return info.st_uid == ::geteuid() && (info.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/// Everything else happens relative to it: it cannot be exchanged after this look at it.
File open_folder(const std::string& path) {
    File folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    struct stat info {};
    if (folder.is_open() && ::fstat(folder.get(), &info) == 0 && is_ours_alone(info)) {
        return folder;
    }
    return File(-1);
}

void make_folder(const std::string& path) {
    for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
        (void)::mkdir(path.substr(0, end).c_str(), 0700);
        if (end == std::string::npos) {
            return;
        }
    }
}

bool read_all(int file, void* to, std::size_t bytes) {
    auto* at = static_cast<char*>(to);
    while (bytes > 0) {
        const ssize_t got = ::read(file, at, bytes);
        if (got > 0) {
            at += got;
            bytes -= static_cast<std::size_t>(got);
        } else if (got == 0 || errno != EINTR) {
            return false;
        }
    }
    return true;
}

bool write_all(int file, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t put = ::write(file, bytes.data(), bytes.size());
        if (put >= 0) {
            bytes.remove_prefix(static_cast<std::size_t>(put));
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

/// One byte more would end the process with SIGXFSZ.
std::uint64_t largest_file() {
    rlimit limit{};
    return ::getrlimit(RLIMIT_FSIZE, &limit) == 0 ? limit.rlim_cur : RLIM_INFINITY;
}

bool is_named_by_hash(std::string_view name, std::string_view ending) {
    return name.size() >= kHashDigits + ending.size() && name.ends_with(ending) &&
           name.substr(0, kHashDigits).find_first_not_of("0123456789abcdef") ==
               std::string_view::npos;
}

/// Removes what dead processes left, and the entries not used for longest until the rest takes at
/// most `most_bytes`. Several processes may do so at once: they choose alike.
void tidy(int folder, std::uint64_t most_bytes) {
    struct Entry {
        timespec used;
        std::uint64_t bytes;
        std::string name;
    };
    File again(::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const std::unique_ptr<DIR, int (*)(DIR*)> list(::fdopendir(again.get()), ::closedir);
    if (list == nullptr) {
        return;
    }
    (void)again.release();  // it is the list's now
    std::vector<Entry> entries;
    std::uint64_t total = 0;
    const std::time_t now = std::time(nullptr);
    while (const dirent* found = ::readdir(list.get())) {
        const std::string_view name = found->d_name;
        const bool is_entry = is_named_by_hash(name, kEnding);
        struct stat info {};
        if ((!is_entry && !is_named_by_hash(name, kTemporaryEnding)) ||
            ::fstatat(folder, found->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0 ||
            !S_ISREG(info.st_mode)) {
            continue;
        }
        if (is_entry) {
            total += static_cast<std::uint64_t>(info.st_size);
            entries.push_back(
                {info.st_mtim, static_cast<std::uint64_t>(info.st_size), found->d_name});
        } else if (now - info.st_mtim.tv_sec > kTemporarySeconds) {
            (void)::unlinkat(folder, found->d_name, 0);
        }
    }
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
        return std::tie(a.used.tv_sec, a.used.tv_nsec, a.name) <
               std::tie(b.used.tv_sec, b.used.tv_nsec, b.name);
    });
    for (auto oldest = entries.begin(); total > most_bytes; ++oldest) {
        (void)::unlinkat(folder, oldest->name.c_str(), 0);
        total -= oldest->bytes;
    }
}

/// A folder named by the environment, as a path that does not depend on where the process runs.
std::string absolute_path(const char* variable) {
    const char* value = std::getenv(variable);
    return value != nullptr && value[0] == '/' ? value : "";
}

}  // namespace

std::optional<std::vector<char>> KernelCache::find(std::string_view key) const {
    const File folder = open_folder(folder_);
    if (!folder.is_open()) {
        return std::nullopt;
    }
    // Not blocking: it may be a pipe.
    const File file(::openat(folder.get(), file_name(key).c_str(),
                             O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    struct stat info {};
    if (!file.is_open() || ::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode) ||
        !is_ours_alone(info)) {
        return std::nullopt;
    }
    // The sizes are compared before memory is taken for them.
    const auto bytes = static_cast<std::uint64_t>(info.st_size);
    Header header;
    if (!read_all(file.get(), &header, sizeof(header)) || header.code_bytes == 0 ||
        header.code_bytes > most_bytes_ || bytes != file_bytes(key, header.code_bytes)) {
        return std::nullopt;
    }
    std::string stored(key.size(), '\0');
    std::vector<char> code(header.code_bytes);
    if (!read_all(file.get(), stored.data(), stored.size()) || stored != key ||
        !read_all(file.get(), code.data(), code.size()) || !(header == header_of(key, code))) {
        return std::nullopt;
    }
    (void)::futimens(file.get(), nullptr);  // used now
    return code;
}

void KernelCache::keep(std::string_view key, std::span<const char> code) const {
    const std::uint64_t bytes = file_bytes(key, code.size());
    if (folder_.empty() || code.empty() || bytes > std::min(most_bytes_, largest_file())) {
        return;
    }
    make_folder(folder_);
    const File folder = open_folder(folder_);
    if (!folder.is_open()) {
        return;
    }
    static std::atomic<unsigned> serial{0};
    const std::string name = file_name(key);
    const std::string temporary =
        fmt::format("{}.{}.{}{}", name, ::getpid(), serial++, kTemporaryEnding);
    File file(::openat(folder.get(), temporary.c_str(),
                       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file.is_open()) {
        return;
    }
    const Header header = header_of(key, code);
    const bool written =
        write_all(file.get(), {reinterpret_cast<const char*>(&header), sizeof(header)}) &&
        write_all(file.get(), key) && write_all(file.get(), text(code));
    if (!file.close() || !written ||
        ::renameat(folder.get(), temporary.c_str(), folder.get(), name.c_str()) != 0) {
        (void)::unlinkat(folder.get(), temporary.c_str(), 0);
    }
    tidy(folder.get(), most_bytes_);
}

std::string kernel_cache_folder() {
    if (const char* folder = std::getenv("MATGRAD_CACHE")) {
        return folder;
    }
    if (const std::string caches = absolute_path("XDG_CACHE_HOME"); !caches.empty()) {
        return caches + "/matgrad";
    }
    const std::string home = absolute_path("HOME");
    return home.empty() ? "" : home + "/.cache/matgrad";
}

}  // namespace matgrad::gpu
