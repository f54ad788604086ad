#include "cpu/highway_targets.hpp"
// The targets before Highway.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "bench/multiply_add.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <cstdint>

#include "bench/cpu_ceilings.hpp"

HWY_BEFORE_NAMESPACE();
namespace matgrad::bench::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Enough chains to hide a latency of 5 cycles at 2 a cycle, in the 16 registers of AVX2.
template <typename T>
double run(std::int64_t rounds) {
    const hn::ScalableTag<T> d;
    const auto factor = hn::Set(d, static_cast<T>(0.999));
    const auto term = hn::Set(d, static_cast<T>(0.001));
    auto a = hn::Set(d, static_cast<T>(0.1));
    auto b = hn::Set(d, static_cast<T>(0.2));
    auto c = hn::Set(d, static_cast<T>(0.3));
    auto e = hn::Set(d, static_cast<T>(0.4));
    auto f = hn::Set(d, static_cast<T>(0.5));
    auto g = hn::Set(d, static_cast<T>(0.6));
    auto h = hn::Set(d, static_cast<T>(0.7));
    auto i = hn::Set(d, static_cast<T>(0.8));
    auto j = hn::Set(d, static_cast<T>(0.9));
    auto k = hn::Set(d, static_cast<T>(1.1));
    auto l = hn::Set(d, static_cast<T>(1.2));
    auto m = hn::Set(d, static_cast<T>(1.3));
    constexpr double kChains = 12;
    for (std::int64_t round = 0; round < rounds; ++round) {
        a = hn::MulAdd(a, factor, term);
        b = hn::MulAdd(b, factor, term);
        c = hn::MulAdd(c, factor, term);
        e = hn::MulAdd(e, factor, term);
        f = hn::MulAdd(f, factor, term);
        g = hn::MulAdd(g, factor, term);
        h = hn::MulAdd(h, factor, term);
        i = hn::MulAdd(i, factor, term);
        j = hn::MulAdd(j, factor, term);
        k = hn::MulAdd(k, factor, term);
        l = hn::MulAdd(l, factor, term);
        m = hn::MulAdd(m, factor, term);
    }
    const auto ab = hn::Add(hn::Add(a, b), hn::Add(c, e));
    const auto cd = hn::Add(hn::Add(f, g), hn::Add(h, i));
    const auto ef = hn::Add(hn::Add(j, k), hn::Add(l, m));
    volatile T kept = hn::GetLane(hn::Add(hn::Add(ab, cd), ef));  // none of it may be left out
    (void)kept;
    return 2 * kChains * static_cast<double>(hn::Lanes(d)) * static_cast<double>(rounds);
}

double run_float(std::int64_t rounds) {
    return run<float>(rounds);
}
double run_double(std::int64_t rounds) {
    return run<double>(rounds);
}

}  // namespace matgrad::bench::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace matgrad::bench {
HWY_EXPORT(run_float);
HWY_EXPORT(run_double);

double detail::multiply_add(ScalarType type, std::int64_t rounds) {
    return type == ScalarType::float32 ? HWY_DYNAMIC_DISPATCH(run_float)(rounds)
                                       : HWY_DYNAMIC_DISPATCH(run_double)(rounds);
}

}  // namespace matgrad::bench
#endif
