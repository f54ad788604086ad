/// \file Loading vectors of numbers from anywhere, and the first few of a vector.
/// Included once per instruction set (Highway's pattern).

#if defined(MATGRAD_STRIP_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef MATGRAD_STRIP_INL
#undef MATGRAD_STRIP_INL
#else
#define MATGRAD_STRIP_INL
#endif

#include <type_traits>

#include "cpu/compact/lanes-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace matgrad::detail::HWY_NAMESPACE {

/// One vector of T from numbers stored as S, which is T or narrower, at any address.
template <typename T, typename S>
HWY_INLINE LaneVector<T> load_strip(const S* from) {
    if constexpr (std::is_same_v<T, S>) {
        return hn::LoadU(Lane<T>(), from);
    } else {
        return hn::PromoteTo(Lane<T>(), hn::LoadU(hn::Rebind<S, Lane<T>>(), from));
    }
}

/// The first `count` numbers, fewer than fill a vector of T; the others are 0. Reads no more.
template <typename T, typename S>
HWY_INLINE LaneVector<T> load_first(const S* from, std::int64_t count) {
    const hn::Rebind<S, Lane<T>> d;
#if HWY_TARGET <= HWY_AVX2
    const auto v = hn::MaskedLoad(hn::FirstN(d, static_cast<std::size_t>(count)), d, from);
#else
    // Without an instruction for it, a masked load reads the whole vector.
    HWY_ALIGN S numbers[kLanes] = {};
    for (std::int64_t i = 0; i < count; ++i) {
        numbers[i] = from[i];
    }
    const auto v = hn::Load(d, numbers);
#endif
    if constexpr (std::is_same_v<T, S>) {
        return v;
    } else {
        return hn::PromoteTo(Lane<T>(), v);
    }
}

}  // namespace matgrad::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
