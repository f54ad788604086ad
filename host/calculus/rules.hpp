#pragma once
/// \file The rules of differentiation: for each operation its differential and its adjoint.
///
/// The two stand side by side and say the same thing: for every direction,
/// tr(Ybar' * differential) = sum over contributions of tr(adjoint' * d(child)).
/// Real entries; only active children (those a variable reaches) are followed.

#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "expression/node.hpp"

namespace matgrad {

/// What a rule adds to the adjoint of one child.
struct Contribution {
    Expr child;
    Expr adjoint;
};

/// True for a node that a variable reaches.
using IsActive = std::function<bool(const Expr&)>;

/// An identity, and where it is found.
struct Identity {
    std::string_view text;    ///< `tr(P*Q) = tr(Q*P)`
    std::string_view source;  ///< `cyclic permutation`
};

struct Rule {
    std::string_view name;    ///< `d logdet(Y) = tr(inv(Y)*dY)`
    std::string_view source;  ///< `Matrix Cookbook 43`
    Identity moves;  ///< what takes the differential out of what the rule gave, into tr(G'*dY)
    /// d(y) as an expression linear in the atoms d(child) of the active children.
    Expr (*differential)(const Expr& y, const IsActive& active);
    /// The adjoints of the active children, given that of y.
    std::vector<Contribution> (*adjoint)(const Expr& y, const Expr& ybar, const IsActive& active);
};

/// The rule of an operation. Errors: UnsupportedError names an operation that has none.
[[nodiscard]] const Rule& rule_of(Op op);

inline constexpr Identity kCyclic{"tr(P*Q) = tr(Q*P), tr(P') = tr(P)", "cyclic permutation"};
inline constexpr Identity kInnerProduct{"dot(P,Q) = tr(P'*Q)", "inner product"};
inline constexpr Identity kEntrywise{"tr(P'*(Q.*R)) = tr((P.*Q)'*R)",
                                     "entrywise product in a trace"};

namespace detail {

struct OpRule {
    Op op;
    Rule rule;
};

/// nullptr if the operation is not in the table.
[[nodiscard]] inline const Rule* find_rule(std::span<const OpRule> table, Op op) {
    for (const OpRule& r : table) {
        if (r.op == op) {
            return &r.rule;
        }
    }
    return nullptr;
}

[[nodiscard]] const Rule* arithmetic_rule(Op op);
[[nodiscard]] const Rule* matrix_rule(Op op);
[[nodiscard]] const Rule* entrywise_rule(Op op);
}  // namespace detail

}  // namespace matgrad
