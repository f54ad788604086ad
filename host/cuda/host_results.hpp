#pragma once
/// \file The results of a Program in contiguous host memory, and how they are added to those of a call.

#include <cstddef>
#include <vector>

#include "cuda/host_copy.hpp"
#include "matgrad/status.hpp"
#include "program/uses.hpp"

namespace matgrad::gpu {

/// Of a result that there is one of, where the factor that it is made of has failed.
inline constexpr std::int32_t kLost = make_status(StatusKind::not_finite, 1);

/// Of a result: what is there is weighed by it.
[[nodiscard]] double beta_of(const HostCall& call, std::size_t output);

/// One matrix of a result: the shape of its value, transposed if the output is.
[[nodiscard]] HostPart part_of(const Program& program, const ProgramOutput& output);

[[nodiscard]] bool is_all_nan(const std::byte* data, const HostPart& part);
[[nodiscard]] bool is_all_finite(const std::byte* data, const HostPart& part);

/// By output: zeros for what is reduced over the batch, nothing for others.
[[nodiscard]] std::vector<std::vector<double>> empty_sums(const Program& program);
/// One for each entry of the sum.
void add_to_sum(const std::byte* from, ScalarType type, std::vector<double>& sum);

}  // namespace matgrad::gpu
