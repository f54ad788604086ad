#pragma once
/// \file The request of a plan for the value and the gradient of a function that is given as a text.

#include <string>
#include <utility>
#include <vector>

#include "matgrad/calculus.hpp"
#include "planner/planner.hpp"

namespace matgrad::test {

inline PlanRequest value_and_gradient_request(const std::string& f, const std::string& variable,
                                              std::vector<Operand> operands, ScalarType type,
                                              Accuracy accuracy, std::int64_t batch) {
    const Expr value = parse(f);
    PlanRequest request;
    request.operands = std::move(operands);
    request.type = type;
    request.accuracy = accuracy;
    request.batch = batch;
    request.outputs.push_back({OutputKind::value, {}, value, {}});
    request.outputs.push_back(
        {OutputKind::gradient, variable, derive(value, {variable}).gradients.front().form, {}});
    return request;
}

}  // namespace matgrad::test
