#pragma once
/// \file Variables of the environment for the length of a test.

#include <cstdlib>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace matgrad::test {

/// Variables of the environment, as they were when it goes.
class Environment {
public:
    Environment(std::initializer_list<std::pair<const char*, const char*>> values) {
        for (const auto& [name, value] : values) {
            const char* before = std::getenv(name);
            before_.emplace_back(name, before == nullptr ? std::optional<std::string>() : before);
            set(name, value);
        }
    }
    Environment(const Environment&) = delete;
    Environment& operator=(const Environment&) = delete;
    ~Environment() {
        for (const auto& [name, value] : before_) {
            set(name, value ? value->c_str() : nullptr);
        }
    }

private:
    static void set(const std::string& name, const char* value) {
        (void)(value == nullptr ? ::unsetenv(name.c_str()) : ::setenv(name.c_str(), value, 1));
    }
    std::vector<std::pair<std::string, std::optional<std::string>>> before_;
};

}  // namespace matgrad::test
