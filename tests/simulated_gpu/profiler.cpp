#include "simulated_gpu/profiler.hpp"

#include <algorithm>
#include <bitset>
#include <set>
#include <string_view>

namespace matgrad::simulated {
namespace {

constexpr std::size_t kWarp = KernelState::kWarp;
constexpr std::size_t kSector = 32;
constexpr std::size_t kBanks = 32;
constexpr std::size_t kWord = 4;

bool is_of_block(AccessKind kind) {
    return kind == AccessKind::shared_load || kind == AccessKind::shared_store;
}

std::int64_t distinct_bytes(const std::unordered_map<std::uintptr_t, std::uint32_t>& touched) {
    std::int64_t sum = 0;
    for (const auto& [sector, bytes] : touched) {
        sum += static_cast<std::int64_t>(std::bitset<kSector>(bytes).count());
    }
    return sum;
}

}  // namespace

WarpAccesses count_sectors(const std::vector<LaneAddress>& lanes, std::size_t bytes) {
    std::set<std::uintptr_t> sectors;
    std::set<std::uintptr_t> addresses;
    for (const LaneAddress& lane : lanes) {
        addresses.insert(lane.address);
        for (std::uintptr_t at = lane.address / kSector; at <= (lane.address + bytes - 1) / kSector;
             ++at) {
            sectors.insert(at);
        }
    }
    WarpAccesses all{1, static_cast<std::int64_t>(lanes.size())};
    all.transfers = static_cast<std::int64_t>(sectors.size());
    all.least_transfers =
        static_cast<std::int64_t>((addresses.size() * bytes + kSector - 1) / kSector);
    return all;
}

WarpAccesses count_wavefronts(const std::vector<LaneAddress>& lanes, std::size_t bytes) {
    WarpAccesses all{1, static_cast<std::int64_t>(lanes.size())};
    // Lanes whose bytes fill the banks once go together.
    const std::size_t group = std::clamp<std::size_t>(kBanks * kWord / bytes, 1, kWarp);
    for (std::size_t first = 0; first < kWarp; first += group) {
        std::set<std::uintptr_t> words;
        for (const LaneAddress& lane : lanes) {
            if (static_cast<std::size_t>(lane.lane) / group == first / group) {
                for (std::uintptr_t at = lane.address / kWord;
                     at <= (lane.address + bytes - 1) / kWord; ++at) {
                    words.insert(at);
                }
            }
        }
        std::int64_t of_bank[kBanks] = {};
        for (const std::uintptr_t word : words) {
            ++of_bank[word % kBanks];
        }
        all.transfers += *std::max_element(of_bank, of_bank + kBanks);
        all.least_transfers += static_cast<std::int64_t>((words.size() + kBanks - 1) / kBanks);
    }
    return all;
}

void Profiler::start_launch(bool is_on, unsigned grid, unsigned threads) {
    is_on_ = is_on;
    is_sampled_ = false;
    grid_ = grid;
    threads_ = threads;
    profile_ = {};
    exchanges_ = 0;
    places_.clear();
    warps_.assign(is_on ? (threads + kWarp - 1) / kWarp : 0, {});
}

bool Profiler::start_block(long long index) {
    constexpr long long kFirst = 4;
    is_sampled_ = is_on_ && (index < kFirst || index + 1 == grid_);
    return is_sampled_;
}

void Profiler::record(AccessKind kind, const CallSite* site, const void* address, std::size_t bytes,
                      int thread) {
    const auto t = static_cast<std::size_t>(thread);
    Lanes& lanes = warps_[t / kWarp][{site, kind, bytes}];
    lanes.resize(kWarp);
    const auto at = reinterpret_cast<std::uintptr_t>(address);
    lanes[t % kWarp].push_back(at);
    if (!is_of_block(kind)) {
        Touched& touched = kind == AccessKind::load ? loaded_ : stored_;
        std::uintptr_t byte = at;
        while (byte < at + bytes) {
            std::uint32_t& of_sector = touched[byte / kSector];
            do {
                of_sector |= std::uint32_t{1} << (byte % kSector);
                ++byte;
            } while (byte < at + bytes && byte % kSector != 0);
        }
    }
}

void Profiler::match(std::size_t warp) {
    const std::size_t threads = std::min(kWarp, threads_ - warp * kWarp);
    for (auto& [key, lanes] : warps_[warp]) {
        WarpAccesses& place = places_[key];
        for (std::size_t time = 0;; ++time) {
            at_once_.clear();
            for (std::size_t lane = 0; lane < kWarp; ++lane) {
                if (time < lanes[lane].size()) {
                    at_once_.push_back({static_cast<int>(lane), lanes[lane][time]});
                }
            }
            if (at_once_.empty()) {
                break;
            }
            WarpAccesses one = is_of_block(key.kind) ? count_wavefronts(at_once_, key.bytes)
                                                     : count_sectors(at_once_, key.bytes);
            one.partial = at_once_.size() < threads ? 1 : 0;
            place += one;
        }
        for (std::vector<std::uintptr_t>& addresses : lanes) {
            addresses.clear();
        }
    }
}

void Profiler::pass_barrier(std::size_t warp, Barrier kind) {
    if (is_sampled_) {
        match(warp);
        (kind == Barrier::warp ? profile_.warp_barriers : exchanges_) += 1;
    }
}

void Profiler::pass_block_barrier() {
    if (is_sampled_) {
        for (std::size_t warp = 0; warp < warps_.size(); ++warp) {
            match(warp);
        }
        ++profile_.barriers;
    }
}

void Profiler::end_block() {
    if (is_sampled_) {
        for (std::size_t warp = 0; warp < warps_.size(); ++warp) {
            match(warp);
        }
        ++profile_.blocks;
        profile_.distinct_load_bytes += distinct_bytes(loaded_);
        profile_.distinct_store_bytes += distinct_bytes(stored_);
        loaded_.clear();
        stored_.clear();
    }
}

std::optional<Profile> Profiler::take() {
    if (!is_on_) {
        return std::nullopt;
    }
    for (const auto& [key, all] : places_) {
        WarpAccesses* const sums[] = {&profile_.loads, &profile_.stores, &profile_.shared_loads,
                                      &profile_.shared_stores};
        *sums[static_cast<int>(key.kind)] += all;
        profile_.places.push_back(
            {key.site->file, key.site->function, static_cast<int>(key.site->line),
             static_cast<int>(key.site->column), key.kind, static_cast<int>(key.bytes), all});
    }
    profile_.shuffles = exchanges_ / 2;
    const auto order = [](const PlaceProfile& place) {
        return std::tuple(-place.all.transfers, std::string_view(place.file), place.line,
                          place.column, place.kind, place.bytes, std::string_view(place.function));
    };
    std::sort(profile_.places.begin(), profile_.places.end(),
              [&](const PlaceProfile& a, const PlaceProfile& b) { return order(a) < order(b); });
    return profile_;
}

}  // namespace matgrad::simulated
