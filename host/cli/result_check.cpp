#include "cli/result_check.hpp"

#include <fmt/format.h>

#include <cmath>

#include "matgrad/calculus.hpp"

namespace matgrad {
namespace {

bool rounds_to_tf32(const PlanOptions& options) {
    return options.tf32 && options.device.kind == DeviceKind::cuda;
}

std::string output_text(const OutputInfo& output) {
    switch (output.kind) {
        case OutputKind::value:
            return "value";
        case OutputKind::gradient:
            return "gradient " + output.name;
        case OutputKind::hvp:
            return "hvp " + output.name;
    }
    return {};
}

}  // namespace

ResultCheck::ResultCheck(const Expr& f, const PlanOptions& options,
                         std::span<const OutputInfo> outputs)
    : options_(options),
      outputs_(outputs.begin(), outputs.end()),
      function_(f, options.type, options.accuracy, rounds_to_tf32(options)) {
    for (const HvpRequest& request : options.hvp) {
        // The slope <grad f, V> is df(V), whatever the convention of what is differentiated next.
        const Expr gradient = differentiate(f, request.variable);
        hvps_.emplace_back(directional_function(gradient, request.direction), options.type,
                           options.accuracy, rounds_to_tf32(options));
    }
}

void ResultCheck::note(const Comparison& comparison, std::string what, std::int64_t problem) {
    const bool is_first = worst_what_.empty();
    const double ratio = comparison.ratio();
    if (is_first || std::isnan(ratio) || ratio > worst_.ratio()) {
        worst_ = comparison;
        worst_what_ = std::move(what);
        worst_problem_ = problem;
    }
}

std::vector<double> ResultCheck::add(std::int64_t problem, const MatrixMap& values,
                                     std::span<const Eigen::MatrixXd> results) {
    ++problems_;
    std::vector<double> bounds;
    std::size_t hvp = 0;
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
        const OutputInfo& output = outputs_[i];
        const Eigen::MatrixXd& result = results[i];
        Comparison comparison;
        switch (output.kind) {
            case OutputKind::value:
                comparison = function_.value(values, result(0, 0));
                break;
            case OutputKind::gradient:
                comparison = options_.entry ? function_.entry(output.name, options_.convention,
                                                              values, *options_.entry, result(0, 0))
                                            : function_.gradient(output.name, options_.convention,
                                                                 values, result, kDirectionSeed);
                break;
            case OutputKind::hvp:
                comparison = hvps_[hvp++].gradient(output.name, options_.convention, values, result,
                                                   kDirectionSeed);
                break;
        }
        note(comparison, output_text(output), problem);
        bounds.push_back(comparison.bound);
    }
    return bounds;
}

std::string ResultCheck::text() const {
    if (problems_ == 0) {
        return "no problem to compare: ok";
    }
    return fmt::format("{} problem{}, worst residual {:.1e} ({} of problem {}), bound {:.1e}: {}",
                       problems_, problems_ == 1 ? "" : "s", worst_.residual, worst_what_,
                       worst_problem_, worst_.bound, passed() ? "ok" : "FAILED");
}

}  // namespace matgrad
