// Any bytes as the beginning of a .npy file: either a header whose numbers agree with each other and
// survive being written again, or a FileError of one line that names the file.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "io/npy_header.hpp"

namespace {

void require(bool holds, const char* what) {
    if (!holds) {
        std::fprintf(stderr, "npy_fuzz: %s\n", what);
        std::abort();
    }
}

void check_message(const std::string& message) {
    require(message.rfind("X.npy: ", 0) == 0, "the message does not name the file");
    require(message.size() < 1000, "the message is too long");
    for (const char c : message) {
        require(c >= ' ' && c <= '~', "the message holds what a terminal may not print");
    }
}

void check_header(const matgrad::NpyHeader& header, std::size_t size) {
    require(header.shape.size() <= 64, "the rank is above 64");
    require(header.data_offset > 0 && static_cast<std::size_t>(header.data_offset) <= size,
            "the data begins beyond the bytes that were read");
    bool is_empty = false;
    std::int64_t count = 1;
    for (const std::int64_t dim : header.shape) {
        require(dim >= 0, "a size is negative");
        is_empty = is_empty || dim == 0;
        require(!__builtin_mul_overflow(count, dim == 0 ? 1 : dim, &count), "the count overflows");
    }
    require(header.count == (is_empty ? 0 : count), "the count is not the product of the shape");
    std::int64_t end = 0;
    require(!__builtin_mul_overflow(header.count, header.element.bytes, &end) &&
                !__builtin_add_overflow(end, header.data_offset, &end),
            "the end of the data overflows");
}

void check_round_trip(const matgrad::NpyHeader& header) {
    const std::optional<matgrad::ScalarType> type = matgrad::scalar_type(header.element);
    std::string text;
    try {
        text = matgrad::make_npy_header(
            matgrad::npy_type(type.value_or(matgrad::ScalarType::float32)), header.shape, "X.npy");
    } catch (const matgrad::ShapeError&) {
        return;  // padding takes the last bytes that 64 bits can count
    }
    const matgrad::NpyHeader again =
        matgrad::parse_npy_header(std::as_bytes(std::span(text)), "X.npy");
    require((!type || matgrad::scalar_type(again.element) == type) && again.shape == header.shape &&
                !again.fortran_order,
            "the header does not survive being written again");
}

/// Converts the elements that the input has whole: reading beyond them shows under the sanitizers.
void check_conversion(const matgrad::NpyHeader& header, std::span<const std::byte> bytes) {
    const matgrad::NpyElement& element = header.element;
    require(element.bytes == 1 || element.bytes == 2 || element.bytes == 4 || element.bytes == 8,
            "an element has no length of a number");
    require(!matgrad::to_text(element).empty(), "the type has no name");
    const auto rest = static_cast<std::int64_t>(bytes.size()) - header.data_offset;
    const std::int64_t count = std::min(header.count, rest / element.bytes);
    const std::vector<std::byte> raw(bytes.begin() + header.data_offset,
                                     bytes.begin() + header.data_offset + count * element.bytes);
    std::vector<double> both(static_cast<std::size_t>(count));
    std::vector<float> single(static_cast<std::size_t>(count));
    matgrad::convert_elements(element, raw.data(), count, matgrad::ScalarType::float64,
                              reinterpret_cast<std::byte*>(both.data()));
    matgrad::convert_elements(element, raw.data(), count, matgrad::ScalarType::float32,
                              reinterpret_cast<std::byte*>(single.data()));
    for (std::size_t i = 0; i < both.size(); ++i) {
        // Every type is exact in double or, being an integer of 64 bits, rounded once more or less.
        const bool is_near = std::isnan(both[i])        ? std::isnan(single[i])
                             : std::abs(both[i]) > 3e38 ? std::abs(single[i]) > 3e38F
                                                        : std::abs(single[i] - both[i]) <=
                                                              1.3e-7 * std::abs(both[i]) + 1e-44;
        require(is_near, "the two types are no roundings of one number");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    try {
        const matgrad::NpyHeader header =
            matgrad::parse_npy_header(std::as_bytes(std::span(data, size)), "X.npy");
        check_header(header, size);
        check_round_trip(header);
        check_conversion(header, std::as_bytes(std::span(data, size)));
    } catch (const matgrad::FileError& error) {
        check_message(error.what());
    }
    return 0;
}
