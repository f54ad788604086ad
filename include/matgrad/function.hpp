#pragma once
/// \file A function with its gradients: text or expression in, everything out.
///
///     const matgrad::Function f("-logdet(P) + tr(S*P)", {"P"}, {"P=n,n:spd", "S=n,n:sym"});
///     std::cout << f.gradient();                                    // S - inv(P)
///     const auto [value, gradient, status] = f.value_and_gradient({{"P", p}, {"S", s}});
///     for (...) { f.run({{"P", p}, {"S", s}}, {{"value", value}, {"gradient P", g}}, status); ... }
///
/// A call is planned when its operands first have these sizes and its results these names; later calls find that
/// plan again and allocate nothing.

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "matgrad/build.hpp"
#include "matgrad/calculus.hpp"
#include "matgrad/expression.hpp"
#include "matgrad/matrices.hpp"
#include "matgrad/plan.hpp"

namespace matgrad {

/// One name or several: `"P"`, `{"P", "S"}`.
struct MATGRAD_API Names {
    Names() = default;
    Names(const char* name) : list{name} {}  // a name is a list of one
    Names(std::string name) : list{std::move(name)} {}
    Names(std::vector<std::string> names) : list(std::move(names)) {}
    Names(std::initializer_list<std::string> names) : list(names) {}
    std::vector<std::string> list;
};

/// The results of one call.
class MATGRAD_API Results {
public:
    /// Errors: OperandError for an output that is not there.
    [[nodiscard]] const Matrices& operator[](std::string_view output) const;
    [[nodiscard]] const Matrices& value() const { return (*this)["value"]; }
    [[nodiscard]] const Matrices& gradient(std::string_view variable) const;
    /// An entry per problem: 0, or why it failed (status.hpp).
    [[nodiscard]] const std::vector<std::int32_t>& status() const noexcept { return status_; }
    [[nodiscard]] RunSummary summary() const noexcept { return summary_; }

private:
    friend class Function;
    std::vector<std::pair<std::string, Matrices>> outputs_;
    std::vector<std::int32_t> status_;
    RunSummary summary_;
};

/// Of a function of one variable.
struct MATGRAD_API ValueAndGradient {
    Matrices value;
    Matrices gradient;
    std::vector<std::int32_t> status;
};

/// A scalar function and the symbols that it is differentiated by. A value: copies share their plans, and threads
/// may share it.
class MATGRAD_API Function {
public:
    /// Reads the text. Errors: those of `parse` and of the other constructor.
    Function(std::string_view text, Names variables,
             const std::vector<Declaration>& declarations = {}, PlanOptions options = {});
    /// options   type, value, wrt and expected_batch are those of each call; `hvp` lists the Hessian-vector
    ///           products that may be asked for; the rest goes for all
    /// Errors    ShapeError if f is not a scalar; NameError for a variable that is no symbol of f, or named twice
    Function(Expr f, Names variables, PlanOptions options = {});

    [[nodiscard]] const Expr& expression() const noexcept;
    [[nodiscard]] const std::vector<std::string>& variables() const noexcept;
    [[nodiscard]] const PlanOptions& options() const noexcept;
    /// In closed form. Errors: those of `derive`; NameError.
    [[nodiscard]] Expr gradient(const std::string& variable) const;
    /// By the only variable. Errors: OperandError if there are several, or none.
    [[nodiscard]] Expr gradient() const;
    /// All gradients, with the lines that lead to them.
    [[nodiscard]] Derivation derivation() const;

    /// The plan of a call, one that was made before where there is one.
    ///
    /// operands   by name, each a view with sizes (a number is a scalar; a container is a column vector); data
    ///            is not read
    /// outputs    `value`, `gradient X`, `hvp X`; empty: the value and all gradients
    /// Errors     OperandError, ShapeError, those of make_plan
    [[nodiscard]] Plan plan(const OperandViews& operands, const Names& outputs = {}) const;

    /// Plans the call, unless a plan of it is kept, and runs it: see Plan::run. What is computed is what `results`
    /// names.
    RunSummary run(const OperandViews& operands, const ResultViews& results,
                   std::span<std::int32_t> status = {}, const RunOptions& options = {}) const;

    /// Value and gradients in memory of their own.
    ///
    /// outputs   as in `plan`
    [[nodiscard]] Results evaluate(const OperandViews& operands, const Names& outputs = {}) const;
    [[nodiscard]] Matrices value(const OperandViews& operands) const;
    /// Errors: OperandError also if there is not one variable alone.
    [[nodiscard]] ValueAndGradient value_and_gradient(const OperandViews& operands) const;

    /// Frees all plans that are kept; at most kMostPlans are, the one longest unused goes first.
    void release() const;
    static constexpr std::size_t kMostPlans = 32;

private:
    struct Impl;
    [[nodiscard]] const std::string& only_variable() const;

    std::shared_ptr<const Impl> impl_;
};

/// Losses compose: the sum of a function and an expression, differentiated by the same variables. Dimensions
/// of symbols that both have are called as in f.
[[nodiscard]] MATGRAD_API Function operator+(const Function& f, const Expr& more);
[[nodiscard]] MATGRAD_API Function operator-(const Function& f, const Expr& less);
/// Differentiated by the variables of both. Errors: OperandError if their options differ.
[[nodiscard]] MATGRAD_API Function operator+(const Function& f, const Function& g);
[[nodiscard]] MATGRAD_API Function operator*(double factor, const Function& f);

}  // namespace matgrad
