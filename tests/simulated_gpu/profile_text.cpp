#include "simulated_gpu/profile_text.hpp"

#include <algorithm>
#include <cstdio>

namespace matgrad::simulated {
namespace {

constexpr std::size_t kPlaces = 6;

std::string decimals(std::int64_t part, std::int64_t of) {
    char text[32];
    (void)std::snprintf(
        text, sizeof(text), "%.2f",
        static_cast<double>(part) / static_cast<double>(std::max<std::int64_t>(of, 1)));
    return text;
}

/// 24 accesses (3 without some threads) of 96 sectors, 1.50 of the least
std::string describe(const WarpAccesses& all, AccessKind kind) {
    const bool is_of_block = kind == AccessKind::shared_load || kind == AccessKind::shared_store;
    return std::to_string(all.accesses) + " accesses (" + std::to_string(all.partial) +
           " without some threads) of " + std::to_string(all.transfers) +
           (is_of_block ? " wavefronts, " : " sectors, ") +
           decimals(all.transfers, all.least_transfers) + " of the least";
}

const char* name_of(AccessKind kind) {
    constexpr const char* kNames[] = {"loads", "stores", "block memory loads",
                                      "block memory stores"};
    return kNames[static_cast<int>(kind)];
}

}  // namespace

std::string describe(const Launch& launch) {
    std::string text = launch.kernel + ": " + std::to_string(launch.grid) + " blocks of " +
                       std::to_string(launch.block) + " threads, " +
                       std::to_string(launch.shared_bytes) + " bytes of block memory\n";
    if (!launch.profile) {
        return text;
    }
    const Profile& profile = *launch.profile;
    text += "  " + std::to_string(profile.blocks) + " blocks profiled\n";
    const std::pair<AccessKind, const WarpAccesses*> sums[] = {
        {AccessKind::load, &profile.loads},
        {AccessKind::store, &profile.stores},
        {AccessKind::shared_load, &profile.shared_loads},
        {AccessKind::shared_store, &profile.shared_stores}};
    for (const auto& [kind, all] : sums) {
        if (all->accesses != 0) {
            text += std::string("  ") + name_of(kind) + ": " + describe(*all, kind);
            if (kind == AccessKind::load || kind == AccessKind::store) {
                const std::int64_t bytes = kind == AccessKind::load ? profile.distinct_load_bytes
                                                                    : profile.distinct_store_bytes;
                text += ", of " + std::to_string(bytes) + " distinct bytes";
            }
            text += "\n";
        }
    }
    text += "  barriers: " + std::to_string(profile.barriers) + " of blocks, " +
            std::to_string(profile.warp_barriers) +
            " of warps; shuffles: " + std::to_string(profile.shuffles) + "\n";
    for (std::size_t i = 0; i < std::min(kPlaces, profile.places.size()); ++i) {
        const PlaceProfile& place = profile.places[i];
        text += "  " + place.file + ":" + std::to_string(place.line) + ":" +
                std::to_string(place.column) + " " + name_of(place.kind) + " of " +
                std::to_string(place.bytes) + " bytes: " + describe(place.all, place.kind) + "\n";
    }
    return text;
}

}  // namespace matgrad::simulated
