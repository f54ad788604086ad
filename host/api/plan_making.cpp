#include "api/plan_making.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>

#include "api/arguments.hpp"
#include "calculus/prepare.hpp"
#include "expression/build.hpp"
#include "expression/rebuild.hpp"
#include "planner/known_structure.hpp"
#include "planner/sizes.hpp"

namespace matgrad::detail {
namespace {

const Operand* operand_named(std::span<const Operand> operands, const std::string& name) {
    const auto at = std::find_if(operands.begin(), operands.end(),
                                 [&](const Operand& o) { return o.name == name; });
    return at == operands.end() ? nullptr : &*at;
}

/// The form with the direction brought into the structure of its variable: H*V of a symmetric variable is
/// the product with (V + V')/2, of a lower triangular one with tril(V). A caller's V may be any matrix.
Expr with_projected_direction(const Expr& form, const Expr& variable,
                              const std::string& direction) {
    const Expr any = symbol({direction, variable.shape(), Structure::general});
    const Expr within = projected(any, variable, Convention::projected);
    return rebuilt(form, [&](const Expr& node, std::span<const Expr> children) {
        const bool is_direction = node->op == Op::symbol && node->name == direction;
        return is_direction ? within : with_images(node, children);
    });
}

Expr symbol_named(const Expr& f, const std::string& name) {
    for (const Declaration& declaration : symbols(f)) {
        if (declaration.name == name) {
            return symbol(declaration);
        }
    }
    return {};
}

void add_subgradients(OutputRequest& output, const Expr& f) {
    output.form = with_subgradients(output.form, f, output.name);
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
            add_subgradients(outputs.back(), f);
        }
    }
    for (const HvpRequest& request : options.hvp) {
        const Expr product =
            hessian_vector_product(f, request.variable, request.direction, options.convention);
        outputs.push_back({OutputKind::hvp, request.variable,
                           with_projected_direction(product, symbol_named(f, request.variable),
                                                    request.direction),
                           std::nullopt});
        add_subgradients(outputs.back(), f);
    }
    if (!options.joint_hvp.empty()) {
        std::vector<std::string> variables;
        std::vector<std::string> directions;
        for (const HvpRequest& request : options.joint_hvp) {
            variables.push_back(request.variable);
            directions.push_back(request.direction);
        }
        for (const Gradient& product :
             hessian_vector_product(f, variables, directions, options.convention)) {
            Expr form = product.form;
            for (const HvpRequest& request : options.joint_hvp) {
                form = with_projected_direction(form, symbol_named(f, request.variable),
                                                request.direction);
            }
            outputs.push_back(
                {OutputKind::hvp, product.variable->name, std::move(form), std::nullopt});
            add_subgradients(outputs.back(), f);
        }
    }
    return outputs;
}

/// A sum over the batch is the function's: what is differentiated by a batched variable stays one per
/// problem. Where an output is named, it is the output's.
void choose_reductions(PlanRequest& request, const PlanOptions& options) {
    for (OutputRequest& output : request.outputs) {
        const Operand* variable = operand_named(request.operands, output.name);
        const bool is_one_problems =
            output.kind != OutputKind::value && variable != nullptr && variable->batched;
        output.summed = options.reduction != Reduction::none && !is_one_problems;
        output.mean = options.reduction == Reduction::mean;
    }
    std::vector<std::string> named;
    for (const OutputReduction& choice : options.reductions) {
        std::string known;
        bool is_found = false;
        for (OutputRequest& output : request.outputs) {
            const std::string text = output_text(output.kind, output.name);
            known += (known.empty() ? "" : ", ") + text;
            if (text == choice.output) {
                output.summed = choice.reduction != Reduction::none;
                output.mean = choice.reduction == Reduction::mean;
                is_found = true;
            }
        }
        if (!is_found) {
            throw OperandError(
                fmt::format("a reduction is given for '{}', which is no output: expected one of {}",
                            choice.output, known));
        }
        if (std::find(named.begin(), named.end(), choice.output) != named.end()) {
            throw OperandError(fmt::format("a reduction of {} is given twice", choice.output));
        }
        named.push_back(choice.output);
    }
}

/// Operands that were left out may have been the only ones to give a dimension its size.
void check_dimensions(const PlanRequest& request, std::span<const Expr> forms) {
    DimensionSizes sizes;
    for (const Declaration& symbol : request.symbols) {
        if (const Operand* operand = operand_named(request.operands, symbol.name)) {
            sizes.bind(symbol.name, symbol.shape, operand->rows, operand->cols);
        }
    }
    const auto check = [&](const Dim& dim) {
        if (sizes.find(dim)) {
            return;
        }
        for (const Declaration& symbol : request.symbols) {
            if (symbol.shape.rows == dim || symbol.shape.cols == dim) {
                throw OperandError(
                    fmt::format("operand {} is missing: {} has no size without it (it is {})",
                                symbol.name, dim.name, symbol.shape.text()));
            }
        }
    };
    for (const Expr& node : topological_order(forms)) {
        check(node.shape().rows);
        check(node.shape().cols);
    }
}

std::vector<Expr> forms_of(std::span<const OutputRequest> outputs) {
    std::vector<Expr> forms;
    for (const OutputRequest& output : outputs) {
        forms.push_back(output.form);
    }
    return forms;
}

/// Those of `known` that occur in a form.
std::vector<Declaration> symbols_of(std::span<const Expr> forms,
                                    std::span<const Declaration> known) {
    std::vector<Declaration> found;
    for (const Expr& node : topological_order(forms)) {
        const auto at = std::find_if(known.begin(), known.end(), [&](const Declaration& s) {
            return node->op == Op::symbol && s.name == node->name;
        });
        if (at != known.end()) {
            found.push_back(*at);
        }
    }
    return found;
}

}  // namespace

std::vector<Declaration> known_symbols(const Expr& f, const PlanOptions& options) {
    const std::vector<Declaration> of_f = symbols(f);
    std::vector<Declaration> known = of_f;
    for (const auto* requests : {&options.hvp, &options.joint_hvp}) {
        for (const HvpRequest& request : *requests) {
            const auto variable = std::find_if(of_f.begin(), of_f.end(), [&](const Declaration& s) {
                return s.name == request.variable;
            });
            const bool is_new = std::none_of(known.begin(), known.end(), [&](const Declaration& s) {
                return s.name == request.direction;
            });
            if (variable != of_f.end() && is_new) {
                known.push_back({request.direction, variable->shape, Structure::general});
            }
        }
    }
    return known;
}

std::vector<Declaration> needed_symbols(const Expr& f, const PlanOptions& options) {
    return symbols_of(forms_of(closed_forms(f, options)), known_symbols(f, options));
}

std::string structure_text(const Expr& f, const PlanOptions& options) {
    return known_structure(forms_of(closed_forms(f, options)));
}

PlanRequest make_request(const Expr& f, std::span<const Operand> operands,
                         const PlanOptions& options) {
    check_options(f, options);
    PlanRequest request;
    request.outputs = closed_forms(f, options);
    request.symbols = known_symbols(f, options);
    const std::vector<Expr> forms = forms_of(request.outputs);
    check_operands(request.symbols, symbols_of(forms, request.symbols), operands);
    request.operands.assign(operands.begin(), operands.end());
    check_dimensions(request, forms);
    request.batch = options.expected_batch;
    request.type = options.type;
    request.accuracy = options.accuracy;
    request.rcond = options.rcond;
    request.error = options.error;
    request.jitter = options.jitter;
    choose_reductions(request, options);
    return request;
}

std::vector<OutputInfo> output_infos(const PlanRequest& request) {
    const bool any_batched = std::any_of(request.operands.begin(), request.operands.end(),
                                         [](const Operand& o) { return o.batched; });
    const Sizes sizes = bind_sizes(forms_of(request.outputs), request.operands, request.symbols);
    std::vector<OutputInfo> infos;
    for (const OutputRequest& output : request.outputs) {
        OutputInfo info{output.kind, output.name, 1, 1, any_batched && !output.summed};
        if (output.mean) {
            info.reduction = Reduction::mean;
        } else if (output.summed) {
            info.reduction = Reduction::sum;
        }
        if (!output.entry) {
            info.rows = sizes.size(output.form.shape().rows);
            info.cols = sizes.size(output.form.shape().cols);
        }
        infos.push_back(std::move(info));
    }
    if (request.rcond) {
        infos.push_back({OutputKind::rcond, "", 1, 1, any_batched});
    }
    for (const OutputRequest& output : request.outputs) {
        if (request.error) {
            infos.push_back(
                {OutputKind::error, output_text(output.kind, output.name), 1, 1, any_batched});
        }
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
