#include "matgrad/function.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>

#include "api/arguments.hpp"
#include "api/binding.hpp"
#include "api/call_sizes.hpp"
#include "api/plan_cache.hpp"
#include "api/plan_making.hpp"
#include "expression/guarded.hpp"

namespace matgrad {
namespace {

std::string gradient_text(const std::string& variable) {
    return output_text(OutputKind::gradient, variable);
}

std::string hvp_text(const std::string& variable) {
    return output_text(OutputKind::hvp, variable);
}

}  // namespace

const Matrices& Results::operator[](std::string_view output) const try {
    std::string known;
    for (const auto& [name, matrices] : outputs_) {
        if (name == output) {
            return matrices;
        }
        known += (known.empty() ? "" : ", ") + name;
    }
    throw OperandError(fmt::format("result {} is unknown: expected {}", output, known));
} catch (...) {
    detail::throw_as_matgrad();
}

const Matrices& Results::gradient(std::string_view variable) const try {
    return (*this)[gradient_text(std::string(variable))];
} catch (...) {
    detail::throw_as_matgrad();
}

struct Function::Impl {
    Impl(Expr function, std::vector<std::string> names, PlanOptions given)
        : f(std::move(function)),
          variables(std::move(names)),
          options(std::move(given)),
          symbols(detail::known_symbols(f, options)) {
        for (const std::string& variable : variables) {
            all_outputs.push_back(gradient_text(variable));
        }
    }

    /// What gives these outputs at these sizes. Errors: OperandError for an output that is not the function's.
    [[nodiscard]] Plan make(const detail::CallSizes& sizes,
                            std::span<const std::string_view> outputs) const {
        PlanOptions asked = options;
        asked.type = sizes.type;
        asked.value = false;
        asked.wrt.clear();
        asked.hvp.clear();
        asked.joint_hvp.clear();
        std::erase_if(asked.reductions, [&](const OutputReduction& choice) {
            return std::find(outputs.begin(), outputs.end(), choice.output) == outputs.end();
        });
        asked.expected_batch = sizes.batch;
        for (const std::string_view output : outputs) {
            ask_for(output, asked);
        }
        std::vector<Operand> operands;
        for (const detail::SizedOperand& operand : sizes.operands) {
            operands.push_back(
                {symbols[operand.symbol].name, operand.rows, operand.cols, operand.batched});
        }
        return make_plan(f, operands, asked);
    }

    void ask_for(std::string_view output, PlanOptions& asked) const {
        if (output == "value") {
            asked.value = true;
            return;
        }
        for (const std::string& variable : variables) {
            if (output == gradient_text(variable)) {
                asked.wrt.push_back(variable);
                return;
            }
        }
        for (const HvpRequest& hvp : options.hvp) {
            if (output == hvp_text(hvp.variable)) {
                asked.hvp.push_back(hvp);
                return;
            }
        }
        for (const HvpRequest& hvp : options.joint_hvp) {
            if (output == hvp_text(hvp.variable)) {
                asked.joint_hvp = options.joint_hvp;  // they come together
                return;
            }
        }
        throw OperandError(
            fmt::format("result {} is unknown: expected {}", output, known_outputs()));
    }

    [[nodiscard]] std::string known_outputs() const {
        std::string known = fmt::format("{}", fmt::join(all_outputs, ", "));
        for (const auto* requests : {&options.hvp, &options.joint_hvp}) {
            for (const HvpRequest& hvp : *requests) {
                known += ", " + hvp_text(hvp.variable);
            }
        }
        return known;
    }

    [[nodiscard]] Plan plan(std::span<const OperandView> operands,
                            std::span<const std::string_view> outputs,
                            detail::CallMemory& memory) const {
        const detail::CallSizes sizes = read_sizes(symbols, operands, memory);
        if (Plan kept = plans.find(sizes, outputs)) {
            return kept;
        }
        return plans.keep(sizes, outputs, make(sizes, outputs));
    }

    Expr f;
    std::vector<std::string> variables;
    PlanOptions options;
    std::vector<Declaration> symbols;  ///< and the directions of the Hessian-vector products
    std::vector<std::string> all_outputs{"value"};
    mutable detail::PlanCache plans{kMostPlans};
};

Function::Function(std::string_view text, Names variables,
                   const std::vector<Declaration>& declarations, PlanOptions options) try
    : Function(parse(text, declarations), std::move(variables), std::move(options)) {
} catch (...) {
    detail::throw_as_matgrad();
}

Function::Function(Expr f, Names variables, PlanOptions options) try {
    options.wrt = variables.list;
    options.value = true;
    detail::check_options(f, options);
    // Names and rules are wrong now or never.
    if (!variables.list.empty()) {
        (void)derive(f, variables.list, options.convention, Lines::omit);
    }
    for (const HvpRequest& hvp : options.hvp) {
        (void)hessian_vector_product(f, hvp.variable, hvp.direction, options.convention);
    }
    if (!options.joint_hvp.empty()) {
        std::vector<std::string> of, along;
        for (const HvpRequest& hvp : options.joint_hvp) {
            of.push_back(hvp.variable);
            along.push_back(hvp.direction);
        }
        (void)hessian_vector_product(f, of, along, options.convention);
    }
    impl_ =
        std::make_shared<const Impl>(std::move(f), std::move(variables.list), std::move(options));
} catch (...) {
    detail::throw_as_matgrad();
}

const Expr& Function::expression() const noexcept {
    return impl_->f;
}

const std::vector<std::string>& Function::variables() const noexcept {
    return impl_->variables;
}

const PlanOptions& Function::options() const noexcept {
    return impl_->options;
}

Expr Function::gradient(const std::string& variable) const try {
    return differentiate(impl_->f, variable, impl_->options.convention);
} catch (...) {
    detail::throw_as_matgrad();
}

Expr Function::gradient() const {
    return gradient(only_variable());
}

const std::string& Function::only_variable() const try {
    if (impl_->variables.empty()) {
        throw OperandError(
            "the function has no variable: expected one that it is differentiated by");
    }
    if (impl_->variables.size() != 1) {
        throw OperandError(
            fmt::format("the function has {} variables: expected the name of one of {}",
                        impl_->variables.size(), fmt::join(impl_->variables, ", ")));
    }
    return impl_->variables.front();
} catch (...) {
    detail::throw_as_matgrad();
}

Derivation Function::derivation() const try {
    return derive(impl_->f, impl_->variables, impl_->options.convention);
} catch (...) {
    detail::throw_as_matgrad();
}

Plan Function::plan(const OperandViews& operands, const Names& outputs) const try {
    detail::CallMemory memory;
    const std::vector<std::string>& names =
        outputs.list.empty() ? impl_->all_outputs : outputs.list;
    const std::vector<std::string_view> views(names.begin(), names.end());
    return impl_->plan(operands.span(), views, memory);
} catch (...) {
    detail::throw_as_matgrad();
}

RunSummary Function::run(const OperandViews& operands, const ResultViews& results,
                         std::span<std::int32_t> status, const RunOptions& options) const try {
    detail::CallMemory memory;
    const auto outputs = memory.list<std::string_view>(results.span().size());
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        const ResultView& result = results.span()[i];
        if (result.name.empty()) {
            throw OperandError("a result has no name: expected all of them by name");
        }
        outputs[i] = result.name;
    }
    return impl_->plan(operands.span(), outputs, memory).run(operands, results, status, options);
} catch (...) {
    detail::throw_as_matgrad();
}

Results Function::evaluate(const OperandViews& operands, const Names& outputs) const try {
    const Plan plan = this->plan(operands, outputs);
    const auto is_batch = [](const OperandView& operand) {
        return operand.view.batch() != ConstView::kOneMatrix;
    };
    const auto batched = std::find_if(operands.span().begin(), operands.span().end(), is_batch);
    const std::int64_t batch = batched == operands.span().end() ? 1 : batched->view.batch();
    Results results;
    results.outputs_.reserve(plan.outputs().size());
    std::vector<ResultView> views;
    for (const OutputInfo& output : plan.outputs()) {
        results.outputs_.emplace_back(output_text(output.kind, output.name),
                                      Matrices(plan.type(), output.rows, output.cols,
                                               output.batched ? batch : ConstView::kOneMatrix));
        auto& [name, matrices] = results.outputs_.back();
        views.emplace_back(name, matrices.view());
    }
    results.status_.resize(static_cast<std::size_t>(batch));
    results.summary_ = plan.run(operands, views, results.status_);
    return results;
} catch (...) {
    detail::throw_as_matgrad();
}

Matrices Function::value(const OperandViews& operands) const try {
    return evaluate(operands, "value").outputs_.front().second;
} catch (...) {
    detail::throw_as_matgrad();
}

ValueAndGradient Function::value_and_gradient(const OperandViews& operands) const try {
    (void)only_variable();
    Results results = evaluate(operands);
    return {std::move(results.outputs_[0].second), std::move(results.outputs_[1].second),
            std::move(results.status_)};
} catch (...) {
    detail::throw_as_matgrad();
}

void Function::release() const try { impl_->plans.release(); } catch (...) {
    detail::throw_as_matgrad();
}

namespace {

/// The symbols that both have say how the dimensions of `more` are called in f.
Expr in_dimensions_of(const Expr& f, const Expr& more) {
    std::vector<Declaration> declared = symbols(more);
    const std::vector<Declaration> known = symbols(f);
    std::vector<std::pair<Dim, Dim>> renamed;
    for (const Declaration& own : declared) {
        const auto same = std::find_if(known.begin(), known.end(),
                                       [&](const Declaration& d) { return d.name == own.name; });
        if (same != known.end()) {
            renamed.emplace_back(own.shape.rows, same->shape.rows);
            renamed.emplace_back(own.shape.cols, same->shape.cols);
        }
    }
    const auto rename = [&renamed](Dim& dim) {
        const auto to = std::find_if(renamed.begin(), renamed.end(),
                                     [&](const auto& pair) { return pair.first == dim; });
        if (!dim.name.empty() && to != renamed.end() && !to->second.is_one()) {
            dim = to->second;
        }
    };
    for (Declaration& own : declared) {
        rename(own.shape.rows);
        rename(own.shape.cols);
    }
    return parse(to_text(more), declared);
}

}  // namespace

Function operator+(const Function& f, const Expr& more) try {
    return {f.expression() + in_dimensions_of(f.expression(), more), f.variables(), f.options()};
} catch (...) {
    detail::throw_as_matgrad();
}

Function operator-(const Function& f, const Expr& less) try {
    return {f.expression() - in_dimensions_of(f.expression(), less), f.variables(), f.options()};
} catch (...) {
    detail::throw_as_matgrad();
}

Function operator+(const Function& f, const Function& g) try {
    PlanOptions other = g.options();
    other.wrt = f.options().wrt;
    if (f.options() != other) {
        throw OperandError("two functions with different options are added: expected the same");
    }
    std::vector<std::string> variables = f.variables();
    for (const std::string& variable : g.variables()) {
        if (std::find(variables.begin(), variables.end(), variable) == variables.end()) {
            variables.push_back(variable);
        }
    }
    return {f.expression() + in_dimensions_of(f.expression(), g.expression()), std::move(variables),
            f.options()};
} catch (...) {
    detail::throw_as_matgrad();
}

Function operator*(double factor, const Function& f) try {
    return {factor * f.expression(), f.variables(), f.options()};
} catch (...) {
    detail::throw_as_matgrad();
}

}  // namespace matgrad
