#pragma once
/// \file The text of an entrywise expression: the members `Type`, `Inputs`, `read` and `value` of the
/// struct that describes a kernel to kernels/map.cuh and kernels/reduce.cuh, and for groups of entries
/// in map.cuh `Packs`, `read_packs` and `of_packs`.

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "program/program.hpp"

namespace matgrad::gpu::detail {

/// CUDA gives a kernel 32764 bytes of arguments; an operand takes 32.
inline constexpr int kMostOperands = 1000;

[[nodiscard]] const char* type_name(ScalarType type);
/// The number rounded to `type`, as an expression of that type.
[[nodiscard]] std::string literal(double number, ScalarType type);
/// `operands` are the types of body.operands. Errors: UnsupportedError for more operands than the
/// arguments of a kernel hold.
[[nodiscard]] std::string body_text(const MapBody& body, ScalarType type,
                                    std::span<const ScalarType> operands);
/// Its instructions, the last a `return`, each on a line that begins with `indent`; load(i) is the text that reads
/// operand i as a number of `type`. What needs a place finds it in `at`.
[[nodiscard]] std::string code_text(const MapBody& body, ScalarType type, const char* indent,
                                    const std::function<std::string(int)>& load);
/// What a body does with each operand.
enum class Reading : char { none, entries, scalar, spread };
[[nodiscard]] std::vector<Reading> readings_of(const MapBody& body);
/// Does the result depend on the place in the matrix?
[[nodiscard]] bool reads_position(const MapBody& body);
/// The members for groups of `group` entries. No operand is spread over rows or columns.
[[nodiscard]] std::string packs_text(const MapBody& body, ScalarType type,
                                     std::span<const ScalarType> operands, int group);
/// Does an entry take so long to compute that it hides the reads of others without help?
[[nodiscard]] bool is_heavy(const MapBody& body);

}  // namespace matgrad::gpu::detail
