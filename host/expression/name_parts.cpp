#include "expression/name_parts.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "expression/build.hpp"
#include "expression/functions.hpp"
#include "expression/guarded.hpp"
#include "expression/node.hpp"
#include "expression/rebuild.hpp"

namespace matgrad {
namespace {

/// Hands out names that nothing has.
class FreeNames {
public:
    void take(const std::string& name) { taken_.insert(name); }
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
            if (claim(std::string(1, letter))) {
                return {letter};
            }
        }
        for (int i = 1;; ++i) {
            std::string name = letters.front() + std::to_string(i);
            if (claim(name)) {
                return name;
            }
        }
    }

private:
    /// True if the name was free. dY is the differential of Y.
    bool claim(const std::string& name) {
        return !taken_.contains("d" + name) && detail::find_function(name) == nullptr &&
               taken_.insert(name).second;
    }

    std::set<std::string, std::less<>> taken_;
};

/// The nodes that code computes more than once.
std::unordered_set<Expr> repeated(std::span<const Expr> roots, const std::vector<Expr>& order) {
    constexpr double kLeast = 5;  // operations, written out
    constexpr double kLeastOfInverse = 2;
    std::unordered_map<Expr, int> uses;
    for (std::size_t i = order.size(); i-- > 0;) {  // parents first
        const Expr& e = order[i];
        for (const Expr& c : e->children) {
            uses[c] += e->op == Op::transpose ? uses[e] : 1;  // Y' is Y, used as often
        }
    }
    std::unordered_set<Expr> chosen;
    for (const Expr& e : order) {
        const double least = e->op == Op::inverse ? kLeastOfInverse : kLeast;
        if (uses[e] > 1 && !detail::is_leaf_like(e) && e->written_size >= least) {
            chosen.insert(e);
        }
    }
    for (const Expr& root : roots) {
        chosen.erase(root);
    }
    return chosen;
}

/// A known part that is a product of matrices: it is found within longer ones too.
struct KnownChain {
    NamedPart part;
    std::vector<Expr> factors;
    std::vector<Expr> transposed;  ///< those of the transpose
};

std::vector<KnownChain> known_chains(std::span<const NamedPart> known) {
    std::vector<KnownChain> chains;
    for (const NamedPart& part : known) {
        const Expr& value = part.value;
        if (value->op == Op::product && value->number == 1 && value->num_scalars == 0 &&
            value->children.size() > 1 && !value.shape().is_scalar()) {
            chains.push_back({part, value->children, transpose(value)->children});
        }
    }
    return chains;
}

bool begins_with(std::span<const Expr> factors, const std::vector<Expr>& chain) {
    return factors.size() >= chain.size() &&
           std::equal(chain.begin(), chain.end(), factors.begin());
}

/// Puts names in the place of chosen nodes, and lists what they stand for.
class Naming {
public:
    Naming(FreeNames names, std::unordered_set<Expr> chosen, std::span<const NamedPart> known)
        : names_(std::move(names)), chosen_(std::move(chosen)), chains_(known_chains(known)) {
        for (const NamedPart& part : known) {
            (void)known_.try_emplace(part.value, part.name);
        }
    }

    void add(const Expr& root) { result_.forms.push_back(image_of(root)); }

    NamedForms take() { return std::move(result_); }

private:
    Expr image_of(const Expr& root) {
        return rebuilt(root, [this](const Expr& node, std::span<const Expr> children) {
            return chosen_.contains(node) ? name_of(node, children) : image_of(node, children);
        });
    }

    Expr image_of(const Expr& node, std::span<const Expr> children) {
        return node->op == Op::product && !chains_.empty() ? with_chains_named(node, children)
                                                           : with_images(node, children);
    }

    Expr name_of(const Expr& node, std::span<const Expr> children) {
        if (const auto at = given_.find(node); at != given_.end()) {
            return at->second;
        }
        const auto known = known_.find(node);
        const bool is_known = known != known_.end();
        const Expr value = is_known ? with_images(node, children) : image_of(node, children);
        const Expr name =
            is_known ? known->second : named_part(names_.next(node.shape()), node).name;
        result_.parts.push_back({name, value});
        return given_[node] = name;
    }

    /// The product with known ones among its factors under their names.
    Expr with_chains_named(const Expr& node, std::span<const Expr> children) {
        const std::span<const Expr> factors(node->children);
        std::vector<Expr> images{number(node->number)};
        for (std::size_t i = 0; i < factors.size();) {
            const std::span<const Expr> rest = factors.subspan(i);
            const auto chain =
                std::find_if(chains_.begin(), chains_.end(), [&](const KnownChain& c) {
                    return begins_with(rest, c.factors) || begins_with(rest, c.transposed);
                });
            if (chain == chains_.end()) {
                images.push_back(children[i]);
                ++i;
                continue;
            }
            const std::size_t count = chain->factors.size();
            const Expr name = name_of(*chain);
            images.push_back(begins_with(rest, chain->factors) ? name : transpose(name));
            i += count;
        }
        return images.size() == factors.size() + 1 ? with_images(node, children) : multiply(images);
    }

    Expr name_of(const KnownChain& chain) {
        if (const auto at = given_.find(chain.part.value); at != given_.end()) {
            return at->second;
        }
        std::vector<Expr> images;
        for (const Expr& factor : chain.factors) {
            images.push_back(image_of(factor));
        }
        return name_of(chain.part.value, images);
    }

    FreeNames names_;
    std::unordered_set<Expr> chosen_;
    std::vector<KnownChain> chains_;
    std::unordered_map<Expr, Expr> known_;
    std::unordered_map<Expr, Expr> given_;
    NamedForms result_;
};

FreeNames free_names(std::span<const Expr> roots, const std::vector<Expr>& order,
                     std::span<const Declaration> taken, std::span<const NamedPart> known) {
    FreeNames names;
    names.take(taken);
    for (const Expr& root : roots) {
        names.take(symbols(root));
    }
    for (const Expr& e : order) {
        names.take(e.shape());
    }
    for (const NamedPart& part : known) {
        names.take(part.name->name);
    }
    return names;
}

void check_known(std::span<const Expr> roots, std::span<const NamedPart> known) {
    std::set<std::string, std::less<>> operands;
    for (const Expr& root : roots) {
        for (const Declaration& d : symbols(root)) {
            operands.insert(d.name);
        }
    }
    for (const NamedPart& part : known) {
        require_given(part.name, "name_repeated_parts");
        require_given(part.value, "name_repeated_parts");
        if (operands.contains(part.name->name)) {
            throw NameError("name_repeated_parts: " + part.name->name +
                            " is the name of a part and of a symbol");
        }
    }
}

}  // namespace

bool detail::is_leaf_like(const Expr& e) {
    return e->children.empty() || e->op == Op::transpose || e->op == Op::differential ||
           (e->op == Op::product && e->children.size() == 1);  // a number times Y
}

NamedForms detail::named_parts(std::span<const Expr> roots, std::span<const Expr> also,
                               std::span<const Declaration> taken, std::span<const NamedPart> known,
                               NamesFor purpose) {
    for (const Expr& root : roots) {
        require_given(root, "name_repeated_parts");
    }
    std::vector<Expr> all(roots.begin(), roots.end());
    all.insert(all.end(), also.begin(), also.end());
    check_known(all, known);
    const std::vector<Expr> order = topological_order(roots);
    std::unordered_set<Expr> chosen =
        purpose == NamesFor::code ? repeated(roots, order) : shortening_parts(roots, order, known);
    if (!also.empty()) {
        for (const NamedPart& part : known) {
            chosen.insert(part.value);
        }
    }
    Naming naming(free_names(all, topological_order(all), taken, known), std::move(chosen), known);
    for (const Expr& root : all) {
        naming.add(root);
    }
    return naming.take();
}

NamedPart named_part(std::string_view name, const Expr& value) try {
    require_given(value, "named_part");
    const bool symmetric = value->symmetric && !value.shape().is_scalar();
    return {symbol({std::string(name), value.shape(),
                    symmetric ? Structure::symmetric : Structure::general}),
            value};
} catch (...) {
    detail::throw_as_matgrad();
}

NamedForms name_repeated_parts(std::span<const Expr> expressions,
                               std::span<const Declaration> taken,
                               std::span<const NamedPart> known) try {
    return detail::named_parts(expressions, {}, taken, known, detail::NamesFor::readers);
} catch (...) {
    detail::throw_as_matgrad();
}

NamedParts name_repeated_parts(const Expr& expr, std::span<const Declaration> taken,
                               std::span<const NamedPart> known) {
    NamedForms named = name_repeated_parts(std::span(&expr, 1), taken, known);
    return {std::move(named.parts), std::move(named.forms.front())};
}

}  // namespace matgrad
