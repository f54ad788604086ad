#include "io/npy_header.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "io/npy_dictionary.hpp"

namespace matgrad {

namespace {

constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();

/// The product of the sizes, or nothing where it exceeds `limit`. A zero among them does not excuse
/// the others: strides are products of some of them.
std::optional<std::int64_t> count_of(std::span<const std::int64_t> shape, std::int64_t limit) {
    std::int64_t product = 1;
    bool is_empty = false;
    for (const std::int64_t size : shape) {
        if (size == 0) {
            is_empty = true;
            continue;
        }
        if (size < 0 || product > limit / size) {
            return std::nullopt;
        }
        product *= size;
    }
    return is_empty ? 0 : product;
}

/// The dictionary's text, and where the data begins.
struct Located {
    std::string_view dictionary;
    std::size_t data_offset = 0;
};

Located locate(std::span<const std::byte> bytes, std::string_view name) {
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (text.empty()) {
        throw FileError(fmt::format("{}: is empty, expected a .npy file", name));
    }
    const std::string_view beginning = text.substr(0, kNpyMagic.size());
    if (beginning != kNpyMagic.substr(0, beginning.size())) {
        throw FileError(fmt::format("{}: is no .npy file: it begins with {}", name,
                                    detail::quote_file_text(beginning)));
    }
    const auto require = [&](std::size_t size) {
        if (bytes.size() < size) {
            throw FileError(
                fmt::format("{}: is truncated within its header: holds {} bytes, the "
                            "header needs {}",
                            name, bytes.size(), size));
        }
    };
    const auto byte_at = [&](std::size_t at) { return std::to_integer<std::size_t>(bytes[at]); };
    require(10);
    const std::size_t major = byte_at(6);
    const std::size_t minor = byte_at(7);
    if (major < 1 || major > 3 || minor != 0) {
        throw FileError(fmt::format("{}: is of .npy format {}.{}, expected 1.0, 2.0 or 3.0", name,
                                    major, minor));
    }
    std::size_t begin = 10;
    std::size_t length = byte_at(8) | byte_at(9) << 8;
    if (major > 1) {
        begin = 12;
        require(begin);
        length |= byte_at(10) << 16 | byte_at(11) << 24;
    }
    if (length > kMaxNpyHeaderBytes - begin) {
        throw FileError(
            fmt::format("{}: its header claims a length of {} bytes, expected at most "
                        "{}",
                        name, length, kMaxNpyHeaderBytes - begin));
    }
    require(begin + length);
    return {text.substr(begin, length), begin + length};
}

}  // namespace

std::string npy_shape_text(std::span<const std::int64_t> shape) {
    std::string result = "(";
    for (std::size_t i = 0; i < shape.size(); ++i) {
        result += fmt::format("{}{}", i == 0 ? "" : ", ", shape[i]);
    }
    return result + (shape.size() == 1 ? ",)" : ")");
}

NpyHeader parse_npy_header(std::span<const std::byte> bytes, std::string_view name) {
    const Located located = locate(bytes, name);
    const detail::NpyDictionary dictionary = detail::parse_npy_dictionary(located.dictionary, name);
    const auto require = [&](bool is_there, const char* key) {
        if (!is_there) {
            throw FileError(fmt::format("{}: malformed header: it has no '{}'", name, key));
        }
    };
    require(dictionary.descr.has_value(), "descr");
    require(dictionary.fortran_order.has_value(), "fortran_order");
    require(dictionary.shape.has_value(), "shape");

    NpyHeader header;
    header.element = parse_npy_descr(*dictionary.descr, name);
    header.fortran_order = *dictionary.fortran_order;
    header.shape = *dictionary.shape;
    header.data_offset = static_cast<std::int64_t>(located.data_offset);
    // A run makes at least float32 of each number.
    const std::int64_t limit =
        (kLargest - header.data_offset) / std::max<std::int64_t>(header.element.bytes, 4);
    const std::optional<std::int64_t> count = count_of(header.shape, limit);
    if (!count) {
        throw FileError(fmt::format("{}: an array of shape {} exceeds what 64 bits can count", name,
                                    npy_shape_text(header.shape)));
    }
    header.count = *count;
    return header;
}

std::string make_npy_header(NpyType type, std::span<const std::int64_t> shape,
                            std::string_view name) {
    constexpr std::size_t kAlignment = 64;
    const char* const descr = type == NpyType::float32   ? "<f4"
                              : type == NpyType::float64 ? "<f8"
                                                         : "<i4";
    std::string dictionary = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': {}, }}",
                                         descr, npy_shape_text(shape));
    const std::size_t unpadded = kNpyMagic.size() + 4 + dictionary.size() + 1;
    const std::size_t total = (unpadded + kAlignment - 1) / kAlignment * kAlignment;
    dictionary.append(total - unpadded, ' ');
    dictionary += '\n';
    const std::int64_t limit = (kLargest - static_cast<std::int64_t>(total)) / size_of(type);
    if (!count_of(shape, limit)) {
        throw ShapeError(fmt::format("{}: an array of shape {} exceeds what 64 bits can count",
                                     name, npy_shape_text(shape)));
    }
    std::string header(kNpyMagic);
    header += '\x01';
    header += '\x00';
    header += static_cast<char>(dictionary.size() & 0xff);
    header += static_cast<char>(dictionary.size() >> 8);
    return header + dictionary;
}

}  // namespace matgrad
