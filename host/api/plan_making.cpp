#include "api/plan_making.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "api/arguments.hpp"
#include "calculus/prepare.hpp"

namespace matgrad::detail {
namespace {

const Operand& operand_named(std::span<const Operand> operands, const std::string& name) {
    return *std::find_if(operands.begin(), operands.end(),
                         [&](const Operand& o) { return o.name == name; });
}

std::vector<OutputRequest> closed_forms(const Expr& f, const PlanOptions& options) {
    std::vector<OutputRequest> outputs;
    if (options.value) {
        const auto is_variable = [&options](const Expr& e) {
            return e->op == Op::symbol &&
                   std::find(options.wrt.begin(), options.wrt.end(), e->name) != options.wrt.end();
        };
        outputs.push_back({OutputKind::value, "", prepared(f, is_variable), std::nullopt});
    }
    if (!options.wrt.empty()) {
        const Derivation derivation = derive(f, options.wrt, options.convention, Lines::omit);
        for (std::size_t i = 0; i < options.wrt.size(); ++i) {
            outputs.push_back({OutputKind::gradient, options.wrt[i], derivation.gradients[i].form,
                               options.entry});
        }
    }
    for (const HvpRequest& request : options.hvp) {
        outputs.push_back(
            {OutputKind::hvp, request.variable,
             hessian_vector_product(f, request.variable, request.direction, options.convention),
             std::nullopt});
    }
    return outputs;
}

}  // namespace

std::vector<Declaration> symbols_needed(const Expr& f, const PlanOptions& options) {
    const std::vector<Declaration> of_f = symbols(f);
    std::vector<Declaration> needed = of_f;
    for (const HvpRequest& request : options.hvp) {
        const auto variable = std::find_if(of_f.begin(), of_f.end(), [&](const Declaration& s) {
            return s.name == request.variable;
        });
        const bool is_new = std::none_of(needed.begin(), needed.end(), [&](const Declaration& s) {
            return s.name == request.direction;
        });
        if (variable != of_f.end() && is_new) {
            needed.push_back({request.direction, variable->shape, Structure::general});
        }
    }
    return needed;
}

PlanRequest make_request(const Expr& f, std::span<const Operand> operands,
                         const PlanOptions& options) {
    check_options(f, options);
    PlanRequest request;
    request.outputs = closed_forms(f, options);
    request.symbols = symbols_needed(f, options);
    check_operands(request.symbols, operands);
    request.operands.assign(operands.begin(), operands.end());
    request.batch = options.expected_batch;
    request.type = options.type;
    request.accuracy = options.accuracy;
    request.reduction = options.reduction;
    return request;
}

std::vector<OutputInfo> output_infos(const PlanRequest& request) {
    const bool any_batched = std::any_of(request.operands.begin(), request.operands.end(),
                                         [](const Operand& o) { return o.batched; });
    std::vector<OutputInfo> infos;
    for (const OutputRequest& output : request.outputs) {
        OutputInfo info{output.kind, output.name, 1, 1,
                        any_batched && request.reduction == Reduction::none};
        if (output.kind != OutputKind::value) {
            const Operand& variable = operand_named(request.operands, output.name);
            if (!output.entry) {
                info.rows = variable.rows;
                info.cols = variable.cols;
            }
        }
        infos.push_back(std::move(info));
    }
    return infos;
}

std::vector<std::size_t> operand_places(const Program& program, std::span<const Operand> operands) {
    std::vector<std::size_t> places;
    for (const ProgramOperand& operand : program.operands) {
        const auto at = std::find_if(operands.begin(), operands.end(),
                                     [&](const Operand& o) { return o.name == operand.name; });
        places.push_back(static_cast<std::size_t>(at - operands.begin()));
    }
    return places;
}

}  // namespace matgrad::detail
