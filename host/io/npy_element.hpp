#pragma once
/// \file The numbers of a .npy file: of which type they are, and what they are in the type of a run.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "matgrad/types.hpp"

namespace matgrad {

enum class NpyKind { boolean, signed_integer, unsigned_integer, floating, bfloat16 };

/// One number as it lies in a file.
struct NpyElement {
    NpyKind kind = NpyKind::floating;
    int bytes = 8;            ///< 1, 2, 4 or 8
    bool big_endian = false;  ///< false for one byte

    friend bool operator==(const NpyElement&, const NpyElement&) = default;
};

/// float32 or float64 if the number is one of these, in either byte order.
[[nodiscard]] std::optional<ScalarType> scalar_type(const NpyElement& element);
/// True for floats of any length.
[[nodiscard]] constexpr bool is_floating(const NpyElement& element) {
    return element.kind == NpyKind::floating || element.kind == NpyKind::bfloat16;
}
/// True if the bytes of the file are those of the type on this machine.
[[nodiscard]] bool lies_as(const NpyElement& element, ScalarType type);
/// NumPy's name: `float16`, `int64`, `bool`.
[[nodiscard]] std::string to_text(const NpyElement& element);

/// Reads a `descr`, which is all that NumPy makes a type of: `<f8`, `=f8`, `float64`, `d`.
///
/// bfloat16 is `V2`, without a name, as ml_dtypes and NumPy write it.
/// Errors   FileError, naming `name`, for what is no real number of at most 64 bits; it says what to save
///          in its place.
[[nodiscard]] NpyElement parse_npy_descr(std::string_view descr, std::string_view name);

/// Converts `count` numbers as a C cast does, which is NumPy's `astype`: rounded to the nearest number of the
/// type; true is 1.
void convert_elements(const NpyElement& element, const std::byte* from, std::int64_t count,
                      ScalarType type, std::byte* to);

}  // namespace matgrad
