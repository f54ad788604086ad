#include "io/npy_element.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "io/npy_dictionary.hpp"
#include "matgrad/error.hpp"

namespace matgrad {

static_assert(std::endian::native == std::endian::little, "numbers are read as they lie");

namespace {

struct NamedElement {
    std::string_view name;
    NpyKind kind;
    int bytes;
};

/// The names and one-letter codes that NumPy knows on a 64-bit machine.
constexpr NamedElement kNames[] = {
    {"float64", NpyKind::floating, 8},
    {"float32", NpyKind::floating, 4},
    {"float16", NpyKind::floating, 2},
    {"double", NpyKind::floating, 8},
    {"single", NpyKind::floating, 4},
    {"half", NpyKind::floating, 2},
    {"float", NpyKind::floating, 8},
    {"float_", NpyKind::floating, 8},
    {"bfloat16", NpyKind::bfloat16, 2},
    {"int8", NpyKind::signed_integer, 1},
    {"int16", NpyKind::signed_integer, 2},
    {"int32", NpyKind::signed_integer, 4},
    {"int64", NpyKind::signed_integer, 8},
    {"int", NpyKind::signed_integer, 8},
    {"int_", NpyKind::signed_integer, 8},
    {"intp", NpyKind::signed_integer, 8},
    {"long", NpyKind::signed_integer, 8},
    {"longlong", NpyKind::signed_integer, 8},
    {"intc", NpyKind::signed_integer, 4},
    {"short", NpyKind::signed_integer, 2},
    {"byte", NpyKind::signed_integer, 1},
    {"uint8", NpyKind::unsigned_integer, 1},
    {"uint16", NpyKind::unsigned_integer, 2},
    {"uint32", NpyKind::unsigned_integer, 4},
    {"uint64", NpyKind::unsigned_integer, 8},
    {"uint", NpyKind::unsigned_integer, 8},
    {"uintp", NpyKind::unsigned_integer, 8},
    {"ulong", NpyKind::unsigned_integer, 8},
    {"uintc", NpyKind::unsigned_integer, 4},
    {"ulonglong", NpyKind::unsigned_integer, 8},
    {"ushort", NpyKind::unsigned_integer, 2},
    {"ubyte", NpyKind::unsigned_integer, 1},
    {"bool", NpyKind::boolean, 1},
    {"bool_", NpyKind::boolean, 1},
    {"bool8", NpyKind::boolean, 1},
};

/// Behind an order of bytes: `<f8`.
constexpr NamedElement kCodes[] = {
    {"f8", NpyKind::floating, 8},         {"f4", NpyKind::floating, 4},
    {"f2", NpyKind::floating, 2},         {"d", NpyKind::floating, 8},
    {"f", NpyKind::floating, 4},          {"e", NpyKind::floating, 2},
    {"V2", NpyKind::bfloat16, 2},         {"i1", NpyKind::signed_integer, 1},
    {"i2", NpyKind::signed_integer, 2},   {"i4", NpyKind::signed_integer, 4},
    {"i8", NpyKind::signed_integer, 8},   {"b", NpyKind::signed_integer, 1},
    {"h", NpyKind::signed_integer, 2},    {"i", NpyKind::signed_integer, 4},
    {"l", NpyKind::signed_integer, 8},    {"q", NpyKind::signed_integer, 8},
    {"p", NpyKind::signed_integer, 8},    {"u1", NpyKind::unsigned_integer, 1},
    {"u2", NpyKind::unsigned_integer, 2}, {"u4", NpyKind::unsigned_integer, 4},
    {"u8", NpyKind::unsigned_integer, 8}, {"B", NpyKind::unsigned_integer, 1},
    {"H", NpyKind::unsigned_integer, 2},  {"I", NpyKind::unsigned_integer, 4},
    {"L", NpyKind::unsigned_integer, 8},  {"Q", NpyKind::unsigned_integer, 8},
    {"P", NpyKind::unsigned_integer, 8},  {"b1", NpyKind::boolean, 1},
    {"?", NpyKind::boolean, 1},
};

template <std::size_t N>
const NamedElement* find(const NamedElement (&table)[N], std::string_view name) {
    const auto* at = std::find_if(std::begin(table), std::end(table),
                                  [name](const NamedElement& row) { return row.name == name; });
    return at == std::end(table) ? nullptr : at;
}

/// What NumPy can save and a run cannot take, and what to save in its place.
struct Refused {
    std::string_view codes;  ///< the letters that begin it
    std::string_view names;  ///< a blank around each
    const char* what;
    const char* advice;
};

constexpr Refused kRefused[] = {
    {"fg", " longdouble float128 float96 longfloat ", "long double numbers",
     "float64 or less: save them with .astype('float64')"},
    {"cFDG", " complex64 complex128 complex256 complex csingle cdouble clongdouble cfloat ",
     "complex numbers", "real ones: save .real and .imag as two files"},
    {"SUa", " str bytes str_ bytes_ unicode string ", "text",
     "numbers: save them with .astype('float64')"},
    {"O", " object object_ ", "Python objects", "numbers: save them with .astype('float64')"},
    {"M", " datetime64 ", "dates", "numbers: save (a - a[0])/np.timedelta64(1, 's')"},
    {"m", " timedelta64 ", "spans of time", "numbers: save a/np.timedelta64(1, 's')"},
    {"V", " void ", "bytes without a type", "numbers: save them with .astype('float32')"},
};

[[noreturn]] void refuse(std::string_view descr, std::string_view code, std::string_view name) {
    const auto holds = [code, descr](const Refused& row) {
        return (!code.empty() && row.codes.find(code[0]) != std::string_view::npos &&
                code.find_first_not_of("0123456789", 1) == std::string_view::npos) ||
               row.names.find(fmt::format(" {} ", descr)) != std::string_view::npos ||
               (code.size() > 2 && row.codes == code.substr(0, 1) && code[1] == '8' &&
                code[2] == '[');  // a date with its unit: M8[ns]
    };
    const auto* row = std::find_if(std::begin(kRefused), std::end(kRefused), holds);
    const std::string found = detail::quote_file_text(descr);
    if (row == std::end(kRefused)) {
        throw FileError(fmt::format(
            "{}: holds data of type {}, expected floats, integers or bool: save it with "
            ".astype('float64')",
            name, found));
    }
    throw FileError(
        fmt::format("{}: holds {} ({}), expected {}", name, row->what, found, row->advice));
}

float half_to_float(std::uint16_t half) {
    const std::uint32_t sign = (half & 0x8000u) << 16;
    const std::uint32_t exponent = half >> 10 & 0x1fu;
    const std::uint32_t mantissa = half & 0x3ffu;
    if (exponent == 0) {  // zero, or below the least normal number
        const float magnitude = static_cast<float>(mantissa) * 0x1p-24F;
        return sign != 0 ? -magnitude : magnitude;
    }
    const std::uint32_t widened = exponent == 0x1f ? 0xffu : exponent + 112;
    return std::bit_cast<float>(sign | widened << 23 | mantissa << 13);
}

float bfloat16_to_float(std::uint16_t upper) {
    return std::bit_cast<float>(std::uint32_t{upper} << 16);
}

/// The bytes of the next number, in the order of this machine.
template <typename Bits, bool kSwapped>
Bits load(const std::byte* from) {
    Bits bits = 0;
    std::memcpy(&bits, from, sizeof bits);
    if constexpr (kSwapped && sizeof bits == 2) {
        bits = __builtin_bswap16(bits);
    } else if constexpr (kSwapped && sizeof bits == 4) {
        bits = __builtin_bswap32(bits);
    } else if constexpr (kSwapped && sizeof bits == 8) {
        bits = __builtin_bswap64(bits);
    }
    return bits;
}

/// `number_of` makes a number of Bits.
template <typename To, typename Bits, bool kSwapped, typename NumberOf>
void convert_run(const std::byte* from, std::int64_t count, std::byte* to, NumberOf number_of) {
    for (std::int64_t i = 0; i < count; ++i) {
        const To value =
            static_cast<To>(number_of(load<Bits, kSwapped>(from + i * std::int64_t{sizeof(Bits)})));
        std::memcpy(to + i * std::int64_t{sizeof(To)}, &value, sizeof value);
    }
}

template <typename To, typename Bits, bool kSwapped>
void convert_bits(NpyKind kind, const std::byte* from, std::int64_t count, std::byte* to) {
    using Signed = std::make_signed_t<Bits>;
    const auto run = [&](auto number_of) {
        convert_run<To, Bits, kSwapped>(from, count, to, number_of);
    };
    switch (kind) {
        case NpyKind::boolean:
            return run([](Bits bits) { return bits == 0 ? 0 : 1; });
        case NpyKind::signed_integer:
            return run([](Bits bits) { return static_cast<Signed>(bits); });
        case NpyKind::unsigned_integer:
            return run([](Bits bits) { return bits; });
        case NpyKind::bfloat16:
            if constexpr (sizeof(Bits) == 2) {
                return run(bfloat16_to_float);
            }
            break;
        case NpyKind::floating:
            if constexpr (sizeof(Bits) == 2) {
                return run(half_to_float);
            } else if constexpr (sizeof(Bits) == 4) {
                return run([](Bits bits) { return std::bit_cast<float>(bits); });
            } else if constexpr (sizeof(Bits) == 8) {
                return run([](Bits bits) { return std::bit_cast<double>(bits); });
            }
            break;
    }
}

template <typename To, bool kSwapped>
void convert_to(const NpyElement& element, const std::byte* from, std::int64_t count,
                std::byte* to) {
    switch (element.bytes) {
        case 1:
            return convert_bits<To, std::uint8_t, false>(element.kind, from, count, to);
        case 2:
            return convert_bits<To, std::uint16_t, kSwapped>(element.kind, from, count, to);
        case 4:
            return convert_bits<To, std::uint32_t, kSwapped>(element.kind, from, count, to);
        default:
            return convert_bits<To, std::uint64_t, kSwapped>(element.kind, from, count, to);
    }
}

}  // namespace

std::optional<ScalarType> scalar_type(const NpyElement& element) {
    if (element.kind != NpyKind::floating || element.bytes < 4) {
        return std::nullopt;
    }
    return element.bytes == 4 ? ScalarType::float32 : ScalarType::float64;
}

bool lies_as(const NpyElement& element, ScalarType type) {
    return !element.big_endian && scalar_type(element) == type;
}

std::string to_text(const NpyElement& element) {
    switch (element.kind) {
        case NpyKind::boolean:
            return "bool";
        case NpyKind::bfloat16:
            return "bfloat16";
        case NpyKind::signed_integer:
            return fmt::format("int{}", 8 * element.bytes);
        case NpyKind::unsigned_integer:
            return fmt::format("uint{}", 8 * element.bytes);
        case NpyKind::floating:
            return fmt::format("float{}", 8 * element.bytes);
    }
    return {};
}

NpyElement parse_npy_descr(std::string_view descr, std::string_view name) {
    if (const NamedElement* row = find(kNames, descr)) {
        return {row->kind, row->bytes, false};
    }
    const bool has_order =
        !descr.empty() && std::string_view("<>=|").find(descr[0]) != std::string_view::npos;
    const std::string_view code = descr.substr(has_order ? 1 : 0);
    if (const NamedElement* row = find(kCodes, code)) {
        return {row->kind, row->bytes, descr[0] == '>' && row->bytes > 1};
    }
    refuse(descr, code, name);
}

void convert_elements(const NpyElement& element, const std::byte* from, std::int64_t count,
                      ScalarType type, std::byte* to) {
    if (type == ScalarType::float32) {
        element.big_endian ? convert_to<float, true>(element, from, count, to)
                           : convert_to<float, false>(element, from, count, to);
    } else {
        element.big_endian ? convert_to<double, true>(element, from, count, to)
                           : convert_to<double, false>(element, from, count, to);
    }
}

}  // namespace matgrad
