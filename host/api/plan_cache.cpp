#include "api/plan_cache.hpp"

#include <algorithm>
#include <bit>

namespace matgrad::detail {
namespace {

/// Batches of 8^k to 8^(k+1).
int magnitude_of(std::int64_t batch) {
    return batch <= 0
               ? 0
               : (static_cast<int>(std::bit_width(static_cast<std::uint64_t>(batch))) - 1) / 3;
}

}  // namespace

bool PlanCache::Entry::is_for(const CallSizes& sizes, int of_batch,
                              std::span<const std::string_view> names) const {
    return type == sizes.type && magnitude == of_batch &&
           std::equal(operands.begin(), operands.end(), sizes.operands.begin(),
                      sizes.operands.end()) &&
           std::equal(outputs.begin(), outputs.end(), names.begin(), names.end());
}

Plan PlanCache::find_locked(const CallSizes& sizes, std::span<const std::string_view> outputs) {
    const int magnitude = magnitude_of(sizes.batch);
    for (Entry& entry : entries_) {
        if (entry.is_for(sizes, magnitude, outputs)) {
            entry.used = ++clock_;
            return entry.plan;
        }
    }
    return {};
}

Plan PlanCache::find(const CallSizes& sizes, std::span<const std::string_view> outputs) {
    const std::lock_guard lock(mutex_);
    return find_locked(sizes, outputs);
}

Plan PlanCache::keep(const CallSizes& sizes, std::span<const std::string_view> outputs,
                     const Plan& plan) {
    const std::lock_guard lock(mutex_);
    if (Plan other = find_locked(sizes, outputs)) {
        return other;
    }
    if (entries_.size() == most_) {
        entries_.erase(
            std::min_element(entries_.begin(), entries_.end(),
                             [](const Entry& a, const Entry& b) { return a.used < b.used; }));
    }
    entries_.push_back({{sizes.operands.begin(), sizes.operands.end()},
                        sizes.type,
                        magnitude_of(sizes.batch),
                        {outputs.begin(), outputs.end()},
                        plan,
                        ++clock_});
    return plan;
}

void PlanCache::release() {
    const std::lock_guard lock(mutex_);
    entries_.clear();
}

}  // namespace matgrad::detail
