#include "cuda/host_results.hpp"

#include <cmath>

namespace matgrad::gpu {
namespace {

double entry_at(const std::byte* data, ScalarType type) {
    return type == ScalarType::float32 ? static_cast<double>(*reinterpret_cast<const float*>(data))
                                       : *reinterpret_cast<const double*>(data);
}

template <typename Test>
bool all_are(const std::byte* data, const HostPart& part, Test test) {
    for (std::int64_t i = 0; i < part.bytes(); i += size_of(part.type)) {
        if (!test(entry_at(data + i, part.type))) {
            return false;
        }
    }
    return true;
}

}  // namespace

double beta_of(const HostCall& call, std::size_t output) {
    return call.beta.empty() ? 0 : call.beta[output];
}

HostPart part_of(const Program& program, const ProgramOutput& output) {
    const Value& value = program.value(output.value);
    const std::int64_t rows = output.transposed ? value.cols.size : value.rows.size;
    const std::int64_t cols = output.transposed ? value.rows.size : value.cols.size;
    return {0, 1, rows, cols, program.type};
}

bool is_all_nan(const std::byte* data, const HostPart& part) {
    return all_are(data, part, [](double entry) { return std::isnan(entry); });
}

bool is_all_finite(const std::byte* data, const HostPart& part) {
    return all_are(data, part, [](double entry) { return std::isfinite(entry); });
}

std::vector<std::vector<double>> empty_sums(const Program& program) {
    std::vector<std::vector<double>> sums;
    for (const ProgramOutput& output : program.outputs) {
        const Value& value = program.value(output.value);
        sums.emplace_back(value.scope == Scope::reduced ? static_cast<std::size_t>(value.count())
                                                        : 0);
    }
    return sums;
}

void add_to_sum(const std::byte* from, ScalarType type, std::vector<double>& sum) {
    for (double& entry : sum) {
        entry += entry_at(from, type);
        from += size_of(type);
    }
}

}  // namespace matgrad::gpu
