// Any bytes as the beginning of a .npy file: either a header whose numbers agree with each other and
// survive being written again, or a FileError of one line that names the file.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>

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
    require(header.shape.size() <= 3, "the rank is above 3");
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
    require(!__builtin_mul_overflow(header.count, matgrad::size_of(header.type), &end) &&
                !__builtin_add_overflow(end, header.data_offset, &end),
            "the end of the data overflows");
}

void check_round_trip(const matgrad::NpyHeader& header) {
    std::string text;
    try {
        text = matgrad::make_npy_header(matgrad::npy_type(header.type), header.shape, "X.npy");
    } catch (const matgrad::ShapeError&) {
        return;  // padding takes the last bytes that 64 bits can count
    }
    const matgrad::NpyHeader again =
        matgrad::parse_npy_header(std::as_bytes(std::span(text)), "X.npy");
    require(again.type == header.type && again.shape == header.shape && !again.fortran_order,
            "the header does not survive being written again");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    try {
        const matgrad::NpyHeader header =
            matgrad::parse_npy_header(std::as_bytes(std::span(data, size)), "X.npy");
        check_header(header, size);
        check_round_trip(header);
    } catch (const matgrad::FileError& error) {
        check_message(error.what());
    }
    return 0;
}
