#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "calculus/factor.hpp"
#include "calculus/prepare.hpp"
#include "calculus/rules.hpp"
#include "expression/build.hpp"
#include "expression/guarded.hpp"

namespace matgrad {
namespace {

/// The symbols f is differentiated by.
std::vector<Expr> variables_of(const Expr& f, std::span<const std::string> names) {
    require_given(f, "derive");
    if (!f.shape().is_scalar()) {
        throw ShapeError("a gradient needs a scalar function: " + to_text(f) + " is " +
                         f.shape().text());
    }
    std::vector<Expr> variables;
    for (const std::string& name : names) {
        Expr found;
        for (const Declaration& d : symbols(f)) {
            if (d.name == name) {
                found = symbol(d);
            }
        }
        if (!found) {
            throw NameError("variable " + name + " does not occur in " + to_text(f));
        }
        if (std::find(variables.begin(), variables.end(), found) != variables.end()) {
            throw NameError("variable " + name + " is asked for twice");
        }
        variables.push_back(found);
    }
    return variables;
}

/// <Ybar, dY> as it is written: ybar*dy, Ybar'*dY for columns, tr(Ybar'*dY).
Expr pairing(const Expr& ybar, const Expr& dy) {
    return apply(Op::trace, multiply(transpose(ybar), dy));
}

/// Reverse propagation over the DAG. At every moment df = sum of <Ybar, dY> over the frontier: the
/// nodes that have an adjoint and have not passed it on. Each rule turns one such statement into
/// the next, so the statements are the derivation.
class Propagation {
public:
    Propagation(const Expr& f, const std::vector<Expr>& variables, Lines lines)
        : f_(f), keep_lines_(lines == Lines::keep) {
        const Expr roots[] = {f};
        order_ = topological_order(roots);
        std::unordered_set<Expr> reached(variables.begin(), variables.end());
        for (const Expr& e : order_) {
            for (const Expr& c : e->children) {
                if (reached.contains(c)) {
                    reached.insert(e);
                }
            }
        }
        active_ = [reached = std::move(reached)](const Expr& e) { return reached.contains(e); };
    }

    void run() {
        emit(f_, number(1));
        for (std::size_t i = order_.size(); i-- > 0;) {
            const Expr& y = order_[i];
            if (!y->children.empty() && frontier_.contains(y)) {
                pass_on(y);
            }
        }
    }

    [[nodiscard]] Expr adjoint(const Expr& y) {
        const auto at = frontier_.find(y);
        if (at == frontier_.end()) {
            return zeros(y.shape());
        }
        Shares& shares = at->second;
        if (shares.added_up != shares.terms.size()) {
            shares.total = factored_sum(shares.terms);
            shares.added_up = shares.terms.size();
        }
        return shares.total;
    }

    [[nodiscard]] std::vector<DerivationLine> take_lines() { return std::move(lines_); }

private:
    /// What a node has been passed so far, and its sum as of `added_up` terms.
    struct Shares {
        std::vector<Expr> terms;
        std::size_t added_up = 0;
        Expr total;
    };

    /// Transposes and numbers pass straight through: tr(Ybar' d(2*X')) = tr((2*Ybar')' dX).
    void emit(const Expr& child, const Expr& share) {
        if (is_zero(share)) {
            return;
        }
        if (child->op == Op::transpose) {
            emit(child->children.front(), transpose(share));
        } else if (child->op == Op::product && child->children.size() == 1) {
            emit(child->children.front(), scale(child->number, share));
        } else {
            frontier_[child].terms.push_back(share);
        }
    }

    void pass_on(const Expr& y) {
        const Expr ybar = adjoint(y);
        frontier_.erase(y);
        if (y->op == Op::transpose) {  // exp(X)' is reached as exp(X'), which is the same
            emit(y, ybar);
            return;
        }
        const Rule& rule = rule_of(y->op);
        if (keep_lines_) {
            const Expr expanded = pairing(ybar, rule.differential(y, active_));
            add_line(y, expanded, std::string(rule.name), std::string(rule.source));
        }
        for (const Contribution& c : rule.adjoint(y, ybar, active_)) {
            emit(c.child, c.adjoint);
        }
        if (keep_lines_) {
            add_line(y, number(0), std::string(rule.moves.text), std::string(rule.moves.source));
        }
    }

    /// Notes the statement of the frontier, with `instead` in the place of y, unless it reads as the
    /// last one does.
    void add_line(const Expr& y, const Expr& instead, std::string rule, std::string source) {
        std::vector<Expr> terms;
        for (const Expr& e : order_) {
            if (e == y) {
                terms.push_back(instead);
            } else if (frontier_.contains(e)) {
                terms.push_back(pairing(adjoint(e), differential(e)));
            }
        }
        const Expr statement = add(terms);
        written_size_ += statement->written_size;
        if (written_size_ > kMostWritten) {
            throw UnsupportedError(
                "the steps are too long to write down: past 1,000,000 operations");
        }
        if (!lines_.empty() && lines_.back().statement == statement) {
            return;
        }
        lines_.push_back({statement, std::move(rule), std::move(source)});
    }

    Expr f_;
    bool keep_lines_;
    static constexpr double kMostWritten = 1e6;  ///< nodes of all lines as text
    double written_size_ = 0;
    std::vector<Expr> order_;
    IsActive active_;
    std::unordered_map<Expr, Shares> frontier_;
    std::vector<DerivationLine> lines_;
};

}  // namespace

Derivation derive(const Expr& f, std::span<const std::string> names, Convention convention,
                  Lines lines) try {
    const std::vector<Expr> variables = variables_of(f, names);
    Derivation result;
    result.function = f;
    if (variables.empty()) {
        return result;
    }
    const auto is_variable = [&variables](const Expr& e) {
        return std::find(variables.begin(), variables.end(), e) != variables.end();
    };
    Propagation propagation(prepared(f, is_variable), variables, lines);
    propagation.run();
    for (const Expr& x : variables) {
        result.gradients.push_back({x, projected(propagation.adjoint(x), x, convention)});
    }
    result.lines = propagation.take_lines();
    return result;
} catch (...) {
    detail::throw_as_matgrad();
}

Derivation derive(const Expr& f, std::initializer_list<std::string> names, Convention convention,
                  Lines lines) try {
    return derive(f, std::span(names.begin(), names.size()), convention, lines);
} catch (...) {
    detail::throw_as_matgrad();
}

Derivation derive(const Expr& f, std::string_view name, Convention convention, Lines lines) try {
    const std::string names[] = {std::string(name)};
    return derive(f, names, convention, lines);
} catch (...) {
    detail::throw_as_matgrad();
}

Expr differentiate(const Expr& f, const std::string& variable, Convention convention) try {
    const std::string names[] = {variable};
    return derive(f, names, convention, Lines::omit).gradients.front().form;
} catch (...) {
    detail::throw_as_matgrad();
}

namespace {

/// A direction moves within the structure of its variable, but is neither positive nor orthogonal.
Structure structure_of_direction(Structure s) {
    if (s == Structure::positive) {
        return Structure::symmetric;
    }
    return s == Structure::orthogonal ? Structure::general : s;
}

}  // namespace

std::vector<Gradient> hessian_vector_product(const Expr& f, std::span<const std::string> variables,
                                             std::span<const std::string> directions,
                                             Convention convention) try {
    if (variables.size() != directions.size()) {
        throw CallerError(std::to_string(directions.size()) + " directions are given: expected " +
                          std::to_string(variables.size()) + ", one for each variable");
    }
    const Derivation first = derive(f, variables, Convention::projected, Lines::omit);
    const std::vector<Declaration> of_f = symbols(f);
    std::vector<Expr> slopes;
    for (std::size_t i = 0; i < variables.size(); ++i) {
        const std::string& name = directions[i];
        if (std::any_of(of_f.begin(), of_f.end(),
                        [&](const Declaration& d) { return d.name == name; })) {
            throw NameError("direction " + name + " occurs in " + to_text(f));
        }
        if (std::find(directions.begin(), directions.begin() + static_cast<std::ptrdiff_t>(i),
                      name) != directions.begin() + static_cast<std::ptrdiff_t>(i)) {
            throw NameError("direction " + name + " is given to two variables");
        }
        const Expr& x = first.gradients[i].variable;
        const Expr v = symbol({name, x.shape(), structure_of_direction(x->structure)});
        slopes.push_back(dot(first.gradients[i].form, v));
    }
    const Expr slope = add(slopes);
    // What the slope does not depend on has a product of 0.
    std::vector<std::string> present;
    for (const Declaration& d : symbols(slope)) {
        if (std::find(variables.begin(), variables.end(), d.name) != variables.end()) {
            present.push_back(d.name);
        }
    }
    const Derivation second = derive(slope, present, Convention::projected, Lines::omit);
    std::vector<Gradient> products;
    for (const Gradient& gradient : first.gradients) {
        const Expr& x = gradient.variable;
        const auto at = std::find(present.begin(), present.end(), x->name);
        Expr product = at == present.end()
                           ? zeros(x.shape())
                           : second.gradients[static_cast<std::size_t>(at - present.begin())].form;
        if (convention == Convention::free_entries && x->symmetric &&
            x->structure != Structure::diagonal && !x.shape().is_scalar()) {
            product = projected(product, x, convention);
        }
        products.push_back({x, std::move(product)});
    }
    return products;
} catch (...) {
    detail::throw_as_matgrad();
}

Expr hessian_vector_product(const Expr& f, const std::string& variable,
                            const std::string& direction, Convention convention) try {
    const std::string variables[] = {variable};
    const std::string directions[] = {direction};
    return hessian_vector_product(f, variables, directions, convention).front().form;
} catch (...) {
    detail::throw_as_matgrad();
}

}  // namespace matgrad
