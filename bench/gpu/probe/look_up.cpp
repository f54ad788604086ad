#include "look_up.hpp"

#include <algorithm>

#include "stopwatch.hpp"

namespace matgrad::probe {

const Value* find(const Fact& fact, const std::string& key) {
    const auto found = std::find_if(fact.values.begin(), fact.values.end(),
                                    [&](const auto& value) { return value.first == key; });
    return found == fact.values.end() ? nullptr : &found->second;
}

std::optional<double> number(const Fact& fact, const std::string& key) {
    const Value* const value = find(fact, key);
    if (value != nullptr) {
        if (const auto* whole = std::get_if<std::int64_t>(value)) {
            return static_cast<double>(*whole);
        }
        if (const auto* real = std::get_if<double>(value)) {
            return *real;
        }
    }
    return std::nullopt;
}

bool is(const Fact& fact, const std::string& key, bool expected) {
    const Value* const value = find(fact, key);
    return value != nullptr && std::holds_alternative<bool>(*value) &&
           std::get<bool>(*value) == expected;
}

std::string between(const std::string& text, const std::string& begin, const std::string& end) {
    return text.size() >= begin.size() + end.size() && text.starts_with(begin) &&
                   text.ends_with(end)
               ? text.substr(begin.size(), text.size() - begin.size() - end.size())
               : "";
}

std::string first_word(const std::string& name) {
    return name.substr(0, name.find('.'));
}

std::string whole(double number) {
    return std::to_string(static_cast<std::int64_t>(number));
}

std::string mib(double bytes) {
    return short_number(bytes / (1 << 20));
}

std::string joined(const std::set<std::string>& names) {
    std::string all;
    for (const std::string& name : names) {
        all += (all.empty() ? "" : " ") + name;
    }
    return all;
}

void Range::add(double x) {
    least = empty ? x : std::min(least, x);
    most = empty ? x : std::max(most, x);
    empty = false;
}

std::string Range::text() const {
    return short_number(least) + "-" + short_number(most);
}

}  // namespace matgrad::probe
