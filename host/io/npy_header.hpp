#pragma once
/// \file The header of a .npy file: pure functions between bytes and plain data.
///
/// Format versions 1.0, 2.0 and 3.0 are read, 1.0 is written. Sizes and offsets are 64 bit.
/// Source: NumPy Enhancement Proposal 1, "A Simple File Format for NumPy Arrays", and the
/// documentation of numpy.lib.format.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/npy_element.hpp"
#include "matgrad/error.hpp"
#include "matgrad/types.hpp"

namespace matgrad {

/// What matgrad writes: its results, and the status of each problem. All little endian.
enum class NpyType { float32, float64, int32 };

[[nodiscard]] constexpr NpyType npy_type(ScalarType type) {
    return type == ScalarType::float32 ? NpyType::float32 : NpyType::float64;
}
[[nodiscard]] constexpr std::int64_t size_of(NpyType type) {
    return type == NpyType::float64 ? 8 : 4;
}

/// The header of a file matgrad can read.
struct NpyHeader {
    NpyElement element;
    bool fortran_order = false;
    std::vector<std::int64_t> shape;  ///< rank 0 to 64
    std::int64_t count = 1;           ///< number of elements: the product of the shape
    std::int64_t data_offset = 0;     ///< byte at which the data begins

    [[nodiscard]] std::int64_t data_bytes() const { return count * element.bytes; }
};

/// The first bytes of every .npy file.
inline constexpr std::string_view kNpyMagic = "\x93NUMPY";

/// The longest header that is read, from the first byte of the file to its data. More would be no
/// header of an array of numbers: NumPy itself refuses to read beyond 10000 unless told otherwise.
inline constexpr std::size_t kMaxNpyHeaderBytes = 12 + 65535;

/// Reads a header. `bytes` is the beginning of the file: all of it, or at least
/// kMaxNpyHeaderBytes. `name` is what messages call the file.
///
/// Errors   FileError for anything that is not the header of an array of floats, integers or bools of at
///          most 64 bits whose size in bytes fits 63 bits.
[[nodiscard]] NpyHeader parse_npy_header(std::span<const std::byte> bytes, std::string_view name);

/// The header, version 1.0 and C order, padded to a multiple of 64 bytes.
/// Errors   ShapeError, naming `name`, where the shape is negative or does not fit 63 bits.
[[nodiscard]] std::string make_npy_header(NpyType type, std::span<const std::int64_t> shape,
                                          std::string_view name);

/// The shape as Python writes it: `()`, `(3,)`, `(3, 4)`.
[[nodiscard]] std::string npy_shape_text(std::span<const std::int64_t> shape);

}  // namespace matgrad
