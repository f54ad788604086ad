#include "cpu/highway_targets.hpp"
// The targets before Highway.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "bench/memory_rates.cpp"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "bench/cpu_ceilings.hpp"

HWY_BEFORE_NAMESPACE();
namespace matgrad::bench::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Words = hn::ScalableTag<std::uint64_t>;

/// Four sums: a single one would wait for itself.
std::uint64_t read_all(const std::byte* from, std::size_t bytes) {
    const Words d;
    const std::size_t lanes = hn::Lanes(d);
    const auto* const words = reinterpret_cast<const std::uint64_t*>(from);
    const std::size_t count = bytes / sizeof(std::uint64_t);
    auto a = hn::Zero(d);
    auto b = hn::Zero(d);
    auto c = hn::Zero(d);
    auto e = hn::Zero(d);
    for (std::size_t i = 0; i < count; i += 4 * lanes) {
        a = hn::Xor(a, hn::Load(d, words + i));
        b = hn::Xor(b, hn::Load(d, words + i + lanes));
        c = hn::Xor(c, hn::Load(d, words + i + 2 * lanes));
        e = hn::Xor(e, hn::Load(d, words + i + 3 * lanes));
    }
    HWY_ALIGN std::uint64_t sums[HWY_MAX_BYTES / sizeof(std::uint64_t)];
    hn::Store(hn::Xor(hn::Xor(a, b), hn::Xor(c, e)), d, sums);
    std::uint64_t sum = 0;
    for (std::size_t lane = 0; lane < lanes; ++lane) {
        sum ^= sums[lane];
    }
    return sum;
}

void stream_all(const std::byte* from, std::size_t bytes, std::byte* to) {
    const Words d;
    const std::size_t lanes = hn::Lanes(d);
    const auto* const source = reinterpret_cast<const std::uint64_t*>(from);
    auto* const target = reinterpret_cast<std::uint64_t*>(to);
    const std::size_t count = bytes / sizeof(std::uint64_t);
    for (std::size_t i = 0; i < count; i += lanes) {
        hn::Stream(hn::Load(d, source + i), d, target + i);
    }
    hwy::FlushStream();
}

}  // namespace matgrad::bench::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace matgrad::bench {
HWY_EXPORT(read_all);
HWY_EXPORT(stream_all);

std::uint64_t detail::read_array(const std::byte* from, std::size_t bytes) {
    return HWY_DYNAMIC_DISPATCH(read_all)(from, bytes);
}
void detail::stream_array(const std::byte* from, std::size_t bytes, std::byte* to) {
    HWY_DYNAMIC_DISPATCH(stream_all)(from, bytes, to);
}

}  // namespace matgrad::bench
#endif
