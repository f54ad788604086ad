#pragma once
/// \file What a summary reads of facts: their values, parts of their names.

#include <set>

#include "fact.hpp"

namespace matgrad::probe {

[[nodiscard]] const Value* find(const Fact& fact, const std::string& key);
/// Empty for what is missing or no number: a measurement that failed is a text.
[[nodiscard]] std::optional<double> number(const Fact& fact, const std::string& key);
[[nodiscard]] bool is(const Fact& fact, const std::string& key, bool expected);

/// The part of `text` between two others; empty unless it begins and ends with them.
[[nodiscard]] std::string between(const std::string& text, const std::string& begin,
                                  const std::string& end);
/// Up to a dot.
[[nodiscard]] std::string first_word(const std::string& name);
[[nodiscard]] std::string whole(double number);
[[nodiscard]] std::string mib(double bytes);
[[nodiscard]] std::string joined(const std::set<std::string>& names);

struct Range {
    double least = 0, most = 0;
    bool empty = true;
    void add(double x);
    [[nodiscard]] std::string text() const;
};

}  // namespace matgrad::probe
