#include "cli/result_paths.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include "matgrad/error.hpp"

namespace matgrad {
namespace {

/// A file that is there is known by its number; one that is not, by that of its folder and its name.
struct Identity {
    dev_t device = 0;
    ino_t inode = 0;
    std::string name;

    bool operator==(const Identity&) const = default;
};

/// Nothing where there is not even a folder, and nothing can be written.
std::optional<Identity> identity_of(const std::string& path) {
    struct stat status = {};
    if (::stat(path.c_str(), &status) == 0) {
        return Identity{status.st_dev, status.st_ino, ""};
    }
    const std::size_t slash = path.rfind('/');
    const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    if (::stat(folder.c_str(), &status) != 0) {
        return std::nullopt;
    }
    return Identity{status.st_dev, status.st_ino,
                    slash == std::string::npos ? path : path.substr(slash + 1)};
}

}  // namespace

bool same_file(const std::string& a, const std::string& b) {
    if (a == b) {
        return true;
    }
    const std::optional<Identity> of_a = identity_of(a);
    return of_a && of_a == identity_of(b);
}

void check_distinct(const std::vector<std::string>& paths) {
    for (std::size_t i = 0; i < paths.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            if (same_file(paths[i], paths[j])) {
                throw FileError(
                    fmt::format("{}: two results go to this file{}, expected one each", paths[i],
                                paths[i] == paths[j] ? "" : " (also " + paths[j] + ")"));
            }
        }
    }
}

}  // namespace matgrad
