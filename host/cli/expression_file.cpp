#include "cli/expression_file.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "expression/ast.hpp"
#include "expression/names.hpp"
#include "matgrad/error.hpp"

namespace matgrad {

bool names_expression_file(const std::string& argument) {
    return argument.size() > 1 && argument[0] == '@' && !detail::is_name(argument.substr(1));
}

std::string read_expression_file(const std::string& path) {
    struct Close {
        void operator()(std::FILE* file) const noexcept { (void)std::fclose(file); }
    };
    const std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "rb"));
    if (file == nullptr) {
        throw FileError(fmt::format("@{}: cannot be opened: {}", path, std::strerror(errno)));
    }
    std::string text(detail::kMaxTextBytes + 1, '\0');
    text.resize(std::fread(text.data(), 1, text.size(), file.get()));
    if (std::ferror(file.get()) != 0) {
        throw FileError(fmt::format("@{}: cannot be read: {}", path, std::strerror(errno)));
    }
    if (text.size() > detail::kMaxTextBytes) {
        throw FileError(fmt::format("@{}: is longer than an expression may be, {} bytes", path,
                                    detail::kMaxTextBytes));
    }
    return text;
}

}  // namespace matgrad
