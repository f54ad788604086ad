#pragma once
/// \file A folder of kernels for one test, the environment that names it, and processes that use it.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "support/environment.hpp"

namespace matgrad::test {

/// An empty folder, removed when it goes.
class CacheFolder {
public:
    CacheFolder() : parent_(testing::TempDir() + "matgrad_cache_XXXXXX") {
        if (::mkdtemp(parent_.data()) == nullptr) {
            throw std::runtime_error("cannot make " + parent_);
        }
        std::filesystem::create_directory(path());
        std::filesystem::permissions(path(), std::filesystem::perms::owner_all);
    }
    CacheFolder(const CacheFolder&) = delete;
    CacheFolder& operator=(const CacheFolder&) = delete;
    ~CacheFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(parent_, ignored);
    }
    [[nodiscard]] const std::string& parent() const { return parent_; }
    [[nodiscard]] std::string path() const { return parent_ + "/kernels"; }
    [[nodiscard]] std::vector<std::filesystem::path> files() const {
        std::vector<std::filesystem::path> result;
        for (const auto& file : std::filesystem::directory_iterator(path())) {
            result.push_back(file.path());
        }
        return result;
    }
    [[nodiscard]] std::filesystem::path only_file() const {
        const std::vector<std::filesystem::path> all = files();
        if (all.size() != 1) {
            throw std::runtime_error(path() + ": " + std::to_string(all.size()) + " files");
        }
        return all.front();
    }

private:
    std::string parent_;
};

/// Bytes that depend on the seed.
[[nodiscard]] inline std::vector<char> some_code(int seed, std::size_t bytes) {
    std::vector<char> code(bytes);
    auto state = static_cast<std::uint32_t>(seed);
    for (char& byte : code) {
        state = state * 1664525 + 1013904223;
        byte = static_cast<char>(state >> 24);
    }
    return code;
}

/// Starts a process that does this and ends with what it returns as its exit status.
[[nodiscard]] inline pid_t start_process(const std::function<int()>& what) {
    const pid_t child = ::fork();
    if (child == 0) {
        int status = 255;
        try {
            status = what();
        } catch (...) {
        }
        ::_exit(status);
    }
    if (child < 0) {
        throw std::runtime_error("fork failed");
    }
    return child;
}

/// Its exit status; -1 if it did not live to the end.
[[nodiscard]] inline int wait_for(pid_t child) {
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/// Whether this held in a process of its own. Expectations inside would be lost.
[[nodiscard]] inline bool holds_in_a_process(const std::function<bool()>& what) {
    return wait_for(start_process([&] { return what() ? 0 : 1; })) == 0;
}

}  // namespace matgrad::test
