#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "expression/name_parts.hpp"
#include "expression/print_parts.hpp"

namespace matgrad::detail {
namespace {

/// Characters of a node's own, without those of its children.
double own_length(const Expr& e) {
    const auto joints = static_cast<double>(e->children.size()) - 1;
    switch (e->op) {
        case Op::number:
            return static_cast<double>(fmt::formatted_size("{}", e->number));
        case Op::symbol:
            return static_cast<double>(e->name.size());
        case Op::dim:
            return static_cast<double>(e->name.size()) + 5;  // "dim()"
        case Op::unit_columns:
            return 5;  // "(:,1)", most of them part of a factor
        case Op::eye:
        case Op::ones:
            return static_cast<double>(function_name(e->op).size() + 3);
        case Op::add:
            return 3 * joints;  // " + "
        case Op::product:
            return joints + (e->number == 1
                                 ? 0
                                 : 1 + static_cast<double>(fmt::formatted_size("{}", e->number)));
        case Op::hadamard:
        case Op::power:
            return 2 * (joints + 1);  // ".*", ".^2"
        case Op::transpose:
            return 1;
        case Op::differential:
        case Op::adjugate:
        case Op::inverse:
        case Op::dot:
        MATGRAD_CASES_OF_CALLS:
            break;
    }
    return static_cast<double>(function_name(e->op).size()) + 2 + 2 * joints;
}

/// Brackets around a sum.
bool takes_sums_bare(Op op) {
    return op != Op::product && op != Op::hadamard && op != Op::power && op != Op::transpose;
}

/// A column times ones, or ones times a row.
bool is_spread_line(const Expr& e) {
    const auto is_line_of_ones = [](const Expr& c) {
        return c->op == Op::ones && (c.shape().rows.is_one() || c.shape().cols.is_one());
    };
    return e->op == Op::product && !e.shape().rows.is_one() && !e.shape().cols.is_one() &&
           std::any_of(e->children.begin(), e->children.end(), is_line_of_ones);
}

class Choice {
public:
    Choice(std::span<const Expr> roots, const std::vector<Expr>& order,
           std::span<const NamedPart> known)
        : roots_(roots.begin(), roots.end()), order_(order) {
        for (const NamedPart& part : known) {
            known_[part.value] = static_cast<double>(part.name->name.size());
        }
    }

    std::unordered_set<Expr> make() {
        measure([](const Expr&) { return false; });
        choose();
        review();
        return std::move(chosen_);
    }

private:
    [[nodiscard]] bool is_candidate(const Expr& e) const {
        // diag(w) and exp(A) read as well as a name; one that is known is used.
        const bool is_of_symbol =
            e->children.size() == 1 && is_leaf_like(e->children.front()) && !known_.contains(e);
        // A power would no longer merge with others of its base.
        const bool is_power = e->op == Op::power && !known_.contains(e);
        // A column or row that is spread is written without the ones that spread it.
        const bool is_spread = is_spread_line(e) && !known_.contains(e);
        return !roots_.contains(e) && !is_leaf_like(e) && !is_of_symbol && !is_power && !is_spread;
    }

    /// Does a name make the text shorter by enough, where e is written so often?
    [[nodiscard]] bool is_worth(const Expr& e) const {
        constexpr double kDefinition = 6;  // "Y = ;" and the end of its line
        constexpr double kLeast = 12;
        constexpr double kLeastOfInverse = 1;
        const double times = occurrences_.at(e);
        if (times < 2) {
            return false;
        }
        const double length = lengths_.at(e);
        const double saved = times * (length - 1) - length - kDefinition;
        const bool is_inverse = e->op == Op::inverse && !is_leaf_like(e->children.front());
        return saved >= (is_inverse ? kLeastOfInverse : kLeast);
    }

    [[nodiscard]] double length_in(const Expr& parent, const Expr& child) const {
        const bool chosen = chosen_.contains(child);
        const auto known = known_.find(child);
        if (chosen) {
            return known == known_.end() ? 1 : known->second;
        }
        const double brackets = child->op == Op::add && !takes_sums_bare(parent->op) ? 2 : 0;
        return lengths_.at(child) + brackets;
    }

    /// The length of each node, children first; `drop` is asked about each once it is known.
    template <typename Drop>
    void measure(const Drop& drop) {
        for (const Expr& e : order_) {
            double length = own_length(e);
            for (const Expr& child : e->children) {
                length += length_in(e, child);
            }
            lengths_[e] = length;
            if (drop(e)) {
                chosen_.erase(e);
            }
        }
    }

    /// From the roots down: how often each node is written depends on the names above it alone.
    void choose() {
        for (const Expr& root : roots_) {
            occurrences_[root] += 1;
        }
        for (std::size_t i = order_.size(); i-- > 0;) {
            const Expr& e = order_[i];
            double& times = occurrences_[e];
            if (is_candidate(e) && (known_.contains(e) || is_worth(e))) {
                chosen_.insert(e);
            }
            const double weight = chosen_.contains(e) ? 1 : times;
            for (const Expr& child : e->children) {
                occurrences_[child] += weight;
            }
        }
    }

    /// From the leaves up: names within a part may have made it too short for one of its own.
    void review() {
        measure([this](const Expr& e) {
            return chosen_.contains(e) && !known_.contains(e) && !is_worth(e);
        });
    }

    std::unordered_set<Expr> roots_;
    const std::vector<Expr>& order_;
    std::unordered_map<Expr, double> known_;  ///< with the length of its name
    std::unordered_map<Expr, double> lengths_;
    std::unordered_map<Expr, double> occurrences_;
    std::unordered_set<Expr> chosen_;
};

}  // namespace

std::unordered_set<Expr> shortening_parts(std::span<const Expr> roots,
                                          const std::vector<Expr>& order,
                                          std::span<const NamedPart> known) {
    return Choice(roots, order, known).make();
}

}  // namespace matgrad::detail
