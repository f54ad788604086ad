#include "bench/case.hpp"

#include <algorithm>

namespace matgrad::bench {
namespace {

/// A problem without batched operands has no results of its own.
bool has_own(const Case& c) {
    return !c.batched.empty();
}

std::int64_t size_of_dim(const Case& c, const Dim& dim) {
    const auto at = std::find_if(c.sizes.begin(), c.sizes.end(),
                                 [&](const auto& size) { return size.first == dim.name; });
    return at == c.sizes.end() ? dim.size : at->second;
}

}  // namespace

std::vector<Operand> Case::operands() const {
    std::vector<Operand> result;
    for (const Declaration& d : declare) {
        result.push_back({d.name, size_of_dim(*this, d.shape.rows),
                          size_of_dim(*this, d.shape.cols),
                          std::count(batched.begin(), batched.end(), d.name) != 0});
    }
    return result;
}

PlanOptions Case::options(const Device& device, int run_threads) const {
    PlanOptions result;
    result.type = type;
    result.accuracy = accuracy;
    result.reduction = reduction;
    result.value = outputs != Outputs::gradient;
    if (outputs != Outputs::value) {
        result.wrt = {wrt};
    }
    result.threads = threads > 0 ? threads : run_threads;
    result.device = device;
    result.expected_batch = batch;
    return result;
}

std::int64_t Case::bytes_per_problem() const {
    if (!has_own(*this)) {
        return 0;
    }
    const bool has_results = reduction == Reduction::none;
    std::int64_t entries = has_results && outputs != Outputs::gradient ? 1 : 0;
    for (const Operand& operand : operands()) {
        const std::int64_t count = operand.rows * operand.cols;
        entries += operand.batched ? count : 0;
        entries += has_results && operand.name == wrt && outputs != Outputs::value ? count : 0;
    }
    return entries * size_of(type);
}

std::int64_t Case::shared_bytes() const {
    std::int64_t entries = 0;
    for (const Operand& operand : operands()) {
        entries += operand.batched ? 0 : operand.rows * operand.cols;
    }
    return entries * size_of(type);
}

const char* to_text(ScalarType type) {
    return type == ScalarType::float32 ? "float32" : "float64";
}

const char* to_text(Accuracy accuracy) {
    return accuracy == Accuracy::robust ? "robust" : "fast";
}

const char* to_text(Reduction reduction) {
    switch (reduction) {
        case Reduction::none:
            return "none";
        case Reduction::sum:
            return "sum";
        case Reduction::mean:
            return "mean";
    }
    return "";
}

const char* to_text(Outputs outputs) {
    switch (outputs) {
        case Outputs::value:
            return "value";
        case Outputs::gradient:
            return "gradient";
        case Outputs::both:
            return "both";
    }
    return "";
}

}  // namespace matgrad::bench
