#include "expression/name_parts.hpp"

#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "expression/functions.hpp"
#include "expression/guarded.hpp"
#include "expression/node.hpp"
#include "expression/rebuild.hpp"
#include "matgrad/build.hpp"

namespace matgrad {
namespace {

/// Hands out names that nothing has.
class FreeNames {
public:
    void take(std::span<const Declaration> symbols) {
        for (const Declaration& d : symbols) {
            taken_.insert(d.name);
            taken_.insert(d.shape.rows.name);
            taken_.insert(d.shape.cols.name);
        }
    }
    /// Dimensions that eye and ones alone have.
    void take(const Shape& shape) {
        taken_.insert(shape.rows.name);
        taken_.insert(shape.cols.name);
    }

    std::string next(const Shape& shape) {
        const bool vector = shape.rows.is_one() || shape.cols.is_one();
        const std::string_view letters = shape.is_scalar() ? "crstuvw"
                                         : vector          ? "yzwvu"
                                                           : "YZWVUTRQ";
        for (const char letter : letters) {
            if (take(std::string(1, letter))) {
                return {letter};
            }
        }
        for (int i = 1;; ++i) {
            std::string name = letters.front() + std::to_string(i);
            if (take(name)) {
                return name;
            }
        }
    }

private:
    /// True if the name was free. dY is the differential of Y.
    bool take(const std::string& name) {
        return !taken_.contains("d" + name) && detail::find_function(name) == nullptr &&
               taken_.insert(name).second;
    }

    std::set<std::string, std::less<>> taken_;
};

bool is_leaf_like(const Expr& e) {
    return e->children.empty() || e->op == Op::transpose || e->op == Op::differential ||
           (e->op == Op::product && e->children.size() == 1);  // a number times Y
}

/// The nodes that get a name.
std::unordered_set<Expr> repeated(const std::vector<Expr>& order, const detail::NamedFrom& least) {
    std::unordered_map<Expr, int> uses;
    for (std::size_t i = order.size(); i-- > 0;) {  // parents first
        const Expr& e = order[i];
        for (const Expr& c : e->children) {
            uses[c] += e->op == Op::transpose ? uses[e] : 1;  // Y' is Y, used as often
        }
    }
    std::unordered_set<Expr> chosen;
    for (const Expr& e : order) {
        const double size = e->op == Op::inverse ? least.inverse : least.other;
        if (uses[e] > 1 && !is_leaf_like(e) && e->written_size >= size) {
            chosen.insert(e);
        }
    }
    return chosen;
}

}  // namespace

NamedParts detail::named_parts(const Expr& expr, std::span<const Declaration> taken,
                               const NamedFrom& least) {
    require_given(expr, "name_repeated_parts");
    const std::vector<Expr> order = topological_order(std::span(&expr, 1));
    FreeNames names;
    names.take(taken);
    names.take(symbols(expr));
    for (const Expr& e : order) {
        names.take(e.shape());
    }
    const std::unordered_set<Expr> chosen = repeated(order, least);
    NamedParts result;
    result.rest = rebuilt(expr, [&](const Expr& node, std::span<const Expr> children) {
        const Expr value = with_images(node, children);
        if (!chosen.contains(node) || node == expr) {
            return value;
        }
        const bool symmetric = node->symmetric && !node.shape().is_scalar();
        const Expr name = symbol({names.next(node.shape()), node.shape(),
                                  symmetric ? Structure::symmetric : Structure::general});
        result.parts.push_back({name, value});
        return name;
    });
    return result;
}

NamedParts name_repeated_parts(const Expr& expr, std::span<const Declaration> taken) try {
    return detail::named_parts(expr, taken, detail::kForReaders);
} catch (...) {
    detail::throw_as_matgrad();
}

}  // namespace matgrad
