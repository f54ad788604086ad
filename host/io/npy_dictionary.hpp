#pragma once
/// \file The dictionary inside a .npy header: a Python literal, of which only what NumPy writes is
/// understood.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace matgrad::detail {

/// An entry is empty if the text does not have it.
struct NpyDictionary {
    std::optional<std::string> descr;
    std::optional<bool> fortran_order;
    std::optional<std::vector<std::int64_t>> shape;
};

/// Errors: FileError, naming `name`, for anything else than one dictionary of distinct known keys.
[[nodiscard]] NpyDictionary parse_npy_dictionary(std::string_view text, std::string_view name);

/// Quotes, escapes and shortens text from a file, so that it fits into a message of one line.
[[nodiscard]] std::string quote_file_text(std::string_view text);

}  // namespace matgrad::detail
