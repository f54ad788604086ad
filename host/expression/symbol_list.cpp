#include "expression/symbol_list.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <unordered_map>

namespace matgrad::detail {
namespace {

[[noreturn]] void fail(const Declaration& a, const Declaration& b) {
    if (a.shape != b.shape) {
        throw ShapeError(
            fmt::format("two symbols are called {}: {} is {}, {} is {}; one name has one shape",
                        a.name, to_text(a), a.shape.text(), to_text(b), b.shape.text()));
    }
    throw NameError(fmt::format("two symbols are called {}: {} and {}; one name has one structure",
                                a.name, to_text(a), to_text(b)));
}

/// The list of all symbols of the children, while it grows.
class Union {
public:
    void add(const SymbolList& list) {
        if (!list || list == last_) {
            return;
        }
        last_ = list;
        const bool is_first = !first_;
        if (is_first) {
            first_ = list;
        }
        for (const Declaration& d : *list) {
            const Declaration* const same = find(d.name);
            if (same == nullptr) {
                known_.push_back(&d);
                grown_ = !is_first;
            } else if (!(*same == d)) {
                fail(*same, d);
            }
        }
    }

    [[nodiscard]] SymbolList result() const {
        if (!grown_) {
            return first_;
        }
        auto all = std::make_shared<std::vector<Declaration>>();
        all->reserve(known_.size());
        for (const Declaration* d : known_) {
            all->push_back(*d);
        }
        return all;
    }

private:
    /// A short list is searched, a long one is hashed.
    const Declaration* find(std::string_view name) {
        constexpr std::size_t kShort = 16;
        if (known_.size() <= kShort) {
            const auto at = std::find_if(known_.begin(), known_.end(),
                                         [name](const Declaration* d) { return d->name == name; });
            return at == known_.end() ? nullptr : *at;
        }
        for (; hashed_ < known_.size(); ++hashed_) {
            by_name_.emplace(known_[hashed_]->name, known_[hashed_]);
        }
        const auto at = by_name_.find(name);
        return at == by_name_.end() ? nullptr : at->second;
    }

    SymbolList first_;
    SymbolList last_;
    std::vector<const Declaration*> known_;  ///< in the lists of the children, which live on
    std::unordered_map<std::string_view, const Declaration*> by_name_;
    std::size_t hashed_ = 0;
    bool grown_ = false;
};

}  // namespace

SymbolList symbols_of(const Node& node) {
    if (node.op == Op::symbol) {
        return std::make_shared<const std::vector<Declaration>>(
            1, Declaration{node.name, node.shape, node.structure});
    }
    Union all;
    for (const Expr& c : node.children) {
        all.add(c->symbols);
    }
    return all.result();
}

void require_no_differentials(const SymbolList& symbols) {
    if (!symbols) {
        return;
    }
    for (const Declaration& d : *symbols) {
        const std::string_view name = d.name;
        if (name.size() < 2 || name.front() != 'd') {
            continue;
        }
        for (const Declaration& other : *symbols) {
            if (other.name == name.substr(1)) {
                throw NameError(
                    fmt::format("{} is reserved for the differential of {}", d.name, other.name));
            }
        }
    }
}

}  // namespace matgrad::detail
