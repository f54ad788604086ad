#pragma once
/// \file Dimensions while shapes are being inferred: union-find over names, numbers and unknowns.

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "matgrad/expression.hpp"

namespace matgrad::detail {

using DimId = std::size_t;

struct DimPair {
    DimId rows = 0;
    DimId cols = 0;
};

/// A declared name and a number stand for themselves; an unknown may become either, but never 1.
class Dimensions {
public:
    /// A dimension of a declaration.
    [[nodiscard]] DimId declared(const Dim& dim);
    /// A dimension named in eye or ones: the declared one of that name, or else an unknown that
    /// keeps its name as long as nothing better is known.
    [[nodiscard]] DimId mentioned(const Dim& dim);
    [[nodiscard]] DimId unknown();

    /// True if `unify` would succeed.
    [[nodiscard]] bool fit(DimId a, DimId b) const;
    /// Makes both one. False, and nothing changed, if that cannot be.
    [[nodiscard]] bool unify(DimId a, DimId b);
    /// Neither declared nor a number, nor made one with what is.
    [[nodiscard]] bool is_unknown(DimId a) const { return !entries_[root(a)].fixed; }
    [[nodiscard]] bool is_one(DimId a) const;
    [[nodiscard]] bool is_scalar(const DimPair& s) const {
        return is_one(s.rows) && is_one(s.cols);
    }

    /// Every dimension, by id, as known by now; unknowns are called m, n, p, q, ... in order of
    /// their making.
    [[nodiscard]] std::vector<Dim> named() const;

private:
    struct Entry {
        mutable DimId parent;  ///< shortened while looking up
        Dim dim;               ///< empty name and size 0: unknown
        bool fixed = false;    ///< declared, or a number
    };

    [[nodiscard]] DimId add(Dim dim, bool fixed);
    [[nodiscard]] DimId root(DimId a) const;

    std::vector<Entry> entries_;
    std::map<std::string, DimId, std::less<>> by_name_;
    std::map<std::int64_t, DimId> by_size_;
};

}  // namespace matgrad::detail
