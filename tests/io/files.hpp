#pragma once
/// \file Temporary folders, whole files as text, and the message of an exception.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace matgrad::io_test {

/// A folder of its own, removed at the end.
class TemporaryFolder {
public:
    TemporaryFolder() {
        std::string pattern =
            (std::filesystem::temp_directory_path() / "matgrad-io-XXXXXX").string();
        if (!::mkdtemp(pattern.data())) {
            throw std::runtime_error("no temporary folder can be made");
        }
        path_ = pattern;
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    ~TemporaryFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    [[nodiscard]] std::string path(const std::string& name) const {
        return (path_ / name).string();
    }
    [[nodiscard]] std::size_t num_entries() const {
        return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path_),
                                                      std::filesystem::directory_iterator()));
    }

private:
    std::filesystem::path path_;
};

/// Nobody's rights while it lives, if the test runs as root, whom no permission stops.
class WithoutPrivileges {
public:
    explicit WithoutPrivileges(const TemporaryFolder& folder) {
        constexpr uid_t kNobody = 65534;
        if (::geteuid() == 0) {
            is_changed_ = ::chmod(folder.path("").c_str(), 0777) == 0 && ::seteuid(kNobody) == 0;
        }
    }
    WithoutPrivileges(const WithoutPrivileges&) = delete;
    WithoutPrivileges& operator=(const WithoutPrivileges&) = delete;
    ~WithoutPrivileges() {
        if (is_changed_) {
            EXPECT_EQ(::seteuid(0), 0);
        }
    }

    /// False only in a container whose root may become nobody else.
    [[nodiscard]] bool hold() const { return ::geteuid() != 0; }

private:
    bool is_changed_ = false;
};

inline void write_text(const std::string& path, const std::string& text) {
    std::ofstream file(path, std::ios::binary);
    file << text;
    ASSERT_TRUE(file.flush()) << path;
}

inline std::string read_text(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// The message, which has to be one line, of the Thrown that `function` throws.
template <typename Thrown, typename Function>
std::string message_of(Function&& function) {
    try {
        function();
    } catch (const Thrown& error) {
        const std::string message = error.what();
        EXPECT_EQ(message.find('\n'), std::string::npos) << message;
        return message;
    } catch (const std::exception& error) {
        ADD_FAILURE() << "another type was thrown: " << error.what();
        return {};
    }
    ADD_FAILURE() << "nothing was thrown";
    return {};
}

/// A .npy header of the given version around any dictionary text, not padded.
inline std::string header_around(const std::string& dictionary, int major = 1) {
    std::string result = "\x93NUMPY";
    result += static_cast<char>(major);
    result += '\0';
    const int length_bytes = major == 1 ? 2 : 4;
    for (int i = 0; i < length_bytes; ++i) {
        result += static_cast<char>(dictionary.size() >> (8 * i) & 0xff);
    }
    return result + dictionary;
}

}  // namespace matgrad::io_test
