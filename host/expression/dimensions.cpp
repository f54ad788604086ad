#include "expression/dimensions.hpp"

#include <set>
#include <string_view>
#include <utility>

namespace matgrad::detail {
namespace {

/// The names given to dimensions that nobody named.
class FreshNames {
public:
    explicit FreshNames(const std::set<std::string, std::less<>>& taken) : taken_(taken) {}
    std::string next() {
        static constexpr std::string_view kLetters = "mnpqrsuvw";
        for (;;) {
            const std::string name = used_ < kLetters.size()
                                         ? std::string(1, kLetters[used_])
                                         : "d" + std::to_string(used_ - kLetters.size() + 1);
            ++used_;
            if (taken_.find(name) == taken_.end()) {
                return name;
            }
        }
    }

private:
    const std::set<std::string, std::less<>>& taken_;
    std::size_t used_ = 0;
};

}  // namespace

DimId Dimensions::add(Dim dim, bool fixed) {
    const DimId id = entries_.size();
    entries_.push_back({id, std::move(dim), fixed});
    return id;
}

DimId Dimensions::declared(const Dim& dim) {
    if (dim.name.empty()) {
        const auto [at, is_new] = by_size_.try_emplace(dim.size, 0);
        if (is_new) {
            at->second = add(dim, true);
        }
        return at->second;
    }
    const auto [at, is_new] = by_name_.try_emplace(dim.name, 0);
    if (is_new) {
        at->second = add(dim, true);
    }
    return at->second;
}

DimId Dimensions::mentioned(const Dim& dim) {
    if (dim.name.empty()) {
        return declared(dim);
    }
    const auto [at, is_new] = by_name_.try_emplace(dim.name, 0);
    if (is_new) {
        at->second = add(dim, false);
    }
    return at->second;
}

DimId Dimensions::unknown() {
    return add({}, false);
}

DimId Dimensions::root(DimId a) const {
    while (entries_[a].parent != a) {
        entries_[a].parent = entries_[entries_[a].parent].parent;
        a = entries_[a].parent;
    }
    return a;
}

bool Dimensions::is_one(DimId a) const {
    return entries_[root(a)].dim.is_one();
}

bool Dimensions::fit(DimId a, DimId b) const {
    const Entry& x = entries_[root(a)];
    const Entry& y = entries_[root(b)];
    if (x.parent == y.parent) {
        return true;
    }
    return !(x.fixed && y.fixed) && !x.dim.is_one() && !y.dim.is_one();
}

bool Dimensions::unify(DimId a, DimId b) {
    if (!fit(a, b)) {
        return false;
    }
    DimId keep = root(a);
    DimId drop = root(b);
    if (keep == drop) {
        return true;
    }
    // What is fixed wins, then what has a name, then what is older.
    const bool swap =
        entries_[drop].fixed || (!entries_[keep].fixed && entries_[keep].dim.name.empty() &&
                                 !entries_[drop].dim.name.empty());
    const bool equal_rank = entries_[keep].fixed == entries_[drop].fixed &&
                            entries_[keep].dim.name.empty() == entries_[drop].dim.name.empty();
    if (swap || (equal_rank && drop < keep)) {
        std::swap(keep, drop);
    }
    entries_[drop].parent = keep;
    return true;
}

std::vector<Dim> Dimensions::named() const {
    std::set<std::string, std::less<>> taken;
    for (const Entry& e : entries_) {
        taken.insert(e.dim.name);
    }
    FreshNames names(taken);
    std::map<DimId, Dim> fresh;
    std::vector<Dim> result;
    for (DimId id = 0; id < entries_.size(); ++id) {
        const DimId r = root(id);
        const Entry& e = entries_[r];
        if (e.fixed || !e.dim.name.empty()) {
            result.push_back(e.dim);
            continue;
        }
        const auto [at, is_new] = fresh.try_emplace(r);
        if (is_new) {
            at->second = Dim::named(names.next());
        }
        result.push_back(at->second);
    }
    return result;
}

}  // namespace matgrad::detail
