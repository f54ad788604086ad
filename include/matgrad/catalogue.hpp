#pragma once
/// \file Functions that have a name: `@log_det_gram` stands for `logdet(X'*X)`.

#include <span>
#include <string_view>
#include <vector>

#include "matgrad/expression.hpp"

namespace matgrad {

struct MATGRAD_API CatalogueEntry {
    std::string_view name;
    std::string_view text;          ///< the expression
    std::string_view wrt;           ///< the usual variable
    std::string_view declarations;  ///< separated by blanks, may be empty
    std::string_view description;
    std::string_view source;
};

[[nodiscard]] MATGRAD_API std::span<const CatalogueEntry> catalogue();
/// The entry of that name (without `@`), or nullptr.
[[nodiscard]] MATGRAD_API const CatalogueEntry* find_in_catalogue(std::string_view name);

}  // namespace matgrad
