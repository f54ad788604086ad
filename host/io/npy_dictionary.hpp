#pragma once
/// \file The dictionary inside a .npy header: a Python literal, of which only what NumPy writes is
/// understood.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace matgrad::detail {

/// An entry that the text does not have is empty.
struct NpyDictionary {
    std::optional<std::string> descr;
    std::optional<bool> fortran_order;
    std::optional<std::vector<std::int64_t>> shape;
};

/// Errors: FileError, naming `name`, for anything else than one dictionary of distinct known keys.
[[nodiscard]] NpyDictionary parse_npy_dictionary(std::string_view text, std::string_view name);

/// Text from a file made fit for a message of one line: quoted, escaped, shortened.
[[nodiscard]] std::string quote_file_text(std::string_view text);

}  // namespace matgrad::detail
