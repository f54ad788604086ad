#pragma once
/// \file Names for what an expression repeats, for readers and for code made of it.

#include <span>

#include "matgrad/expression.hpp"

namespace matgrad::detail {

/// How large a repeated part is that gets a name, in operations when written out.
struct NamedFrom {
    double inverse = 0;
    double other = 0;
};
/// inv(S) of a symbol reads as well as a name; code computes it once.
inline constexpr NamedFrom kForReaders{3, 10};
inline constexpr NamedFrom kForCode{2, 5};

[[nodiscard]] NamedParts named_parts(const Expr& expr, std::span<const Declaration> taken,
                                     const NamedFrom& least);

}  // namespace matgrad::detail
