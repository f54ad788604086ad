#include "cpu/layout_choice.hpp"

#include <fmt/format.h>

#include "cpu/view.hpp"

namespace matgrad::detail {
namespace {

std::optional<Layout> g_forced;

/// What one problem keeps in a compact tile: its workspace, operands and results.
std::int64_t tile_bytes_per_problem(const Program& program) {
    std::int64_t bytes = program.problem_bytes;
    for (const Value& value : program.values) {
        if (value.scope == Scope::problem && value.offset < 0) {
            bytes += value.count() * size_of(value.type);
        }
    }
    return bytes;
}

/// A tile must stay in the second-level cache of a core.
constexpr std::int64_t kLargestTile = 1 << 20;

}  // namespace

Layout choose_layout(const Program& program) {
    if (g_forced) {
        return *g_forced;
    }
    return tile_bytes_per_problem(program) * kLanes <= kLargestTile ? Layout::compact
                                                                    : Layout::plain;
}

std::string explain_layout(const Program& program) {
    const std::int64_t bytes = tile_bytes_per_problem(program);
    if (choose_layout(program) == Layout::compact) {
        return fmt::format("compact layout: tiles of {} problems, {} KiB", kLanes,
                           (bytes * kLanes + 1023) / 1024);
    }
    return fmt::format("plain layout: one problem at a time through the BLAS, {} KiB",
                       (bytes + 1023) / 1024);
}

void force_layout(std::optional<Layout> layout) {
    g_forced = layout;
}

}  // namespace matgrad::detail
