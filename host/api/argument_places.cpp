#include "api/argument_places.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "matgrad/error.hpp"

namespace matgrad::detail {
namespace {

[[noreturn]] void throw_unknown(const char* what, std::string_view name,
                                std::span<const std::string> names) {
    throw OperandError(
        fmt::format("{} {} is unknown: expected {}", what, name,
                    names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "))));
}

[[noreturn]] void throw_missing(const char* what, std::span<const std::string> names,
                                std::span<const std::string_view> given) {
    const auto missing = std::find_if(names.begin(), names.end(), [&](const std::string& name) {
        return std::find(given.begin(), given.end(), name) == given.end();
    });
    throw OperandError(fmt::format("{} {} is missing: {} {} given, expected {}", what, *missing,
                                   given.size(), given.size() == 1 ? "is" : "are",
                                   fmt::join(names, ", ")));
}

}  // namespace

void place_arguments(const char* what, std::span<const std::string> names,
                     std::span<const std::string_view> given, std::span<std::size_t> places) {
    const auto unnamed = static_cast<std::size_t>(std::count_if(
        given.begin(), given.end(), [](std::string_view name) { return name.empty(); }));
    if (unnamed != 0 && unnamed != given.size()) {
        throw OperandError(
            fmt::format("{} of {} {}s have no name: expected all of them by name, or all by "
                        "position",
                        unnamed, given.size(), what));
    }
    if (unnamed != 0 && given.size() != names.size()) {
        throw OperandError(
            fmt::format("{} {}s are given: expected {}", given.size(), what, names.size()));
    }
    for (std::size_t i = 0; i < given.size(); ++i) {
        // Callers mostly name them in order.
        const bool in_order = unnamed != 0 || (i < names.size() && names[i] == given[i]);
        const auto found = in_order ? names.begin() + static_cast<std::ptrdiff_t>(i)
                                    : std::find(names.begin(), names.end(), given[i]);
        if (found == names.end()) {
            throw_unknown(what, given[i], names);
        }
        places[i] = static_cast<std::size_t>(found - names.begin());
        if (std::find(places.begin(), places.begin() + static_cast<std::ptrdiff_t>(i), places[i]) !=
            places.begin() + static_cast<std::ptrdiff_t>(i)) {
            throw OperandError(fmt::format("{} {} is given twice", what, given[i]));
        }
    }
    if (given.size() != names.size()) {
        throw_missing(what, names, given);
    }
}

}  // namespace matgrad::detail
