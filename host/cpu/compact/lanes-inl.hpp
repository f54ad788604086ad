/// \file Loading and storing vectors of lanes, whatever type they are stored in.
/// Included once per instruction set (Highway's pattern).

#if defined(MATGRAD_LANES_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef MATGRAD_LANES_INL
#undef MATGRAD_LANES_INL
#else
#define MATGRAD_LANES_INL
#endif

#include <hwy/highway.h>

#include "cpu/view.hpp"

HWY_BEFORE_NAMESPACE();
namespace matgrad::detail::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// At most kLanes numbers to a vector.
template <typename T>
using Lane = hn::CappedTag<T, kLanes>;
template <typename T>
using LaneVector = hn::Vec<Lane<T>>;

/// One vector of T from numbers stored as S, which is T or narrower.
template <typename T, typename S>
HWY_INLINE LaneVector<T> load_as(const S* from) {
    const Lane<T> d;
    if constexpr (std::is_same_v<T, S>) {
        return hn::Load(d, from);
    } else {
        static_assert(sizeof(T) > sizeof(S));
        return hn::PromoteTo(d, hn::Load(hn::Rebind<S, Lane<T>>(), from));
    }
}

/// Stores a vector of T as numbers of S. A wider S takes two stores.
template <typename T, typename S>
HWY_INLINE void store_as(LaneVector<T> v, S* to) {
    const Lane<T> d;
    if constexpr (std::is_same_v<T, S>) {
        hn::Store(v, d, to);
    } else if constexpr (sizeof(T) > sizeof(S)) {
        const hn::Rebind<S, Lane<T>> narrow;
        hn::Store(hn::DemoteTo(narrow, v), narrow, to);
    } else {
#if HWY_TARGET == HWY_SCALAR
        *to = static_cast<S>(hn::GetLane(v));
#else
        const hn::Half<Lane<T>> half;
        const hn::Rebind<S, hn::Half<Lane<T>>> wide;
        hn::Store(hn::PromoteTo(wide, hn::LowerHalf(half, v)), wide, to);
        hn::Store(hn::PromoteTo(wide, hn::UpperHalf(half, v)), wide, to + hn::Lanes(wide));
#endif
    }
}

/// Element (r, c) of a matrix of T: compact, from one lane on, or shared.
template <typename T>
struct Elements {
    T* data;
    std::int64_t row_step, col_step;

    Elements(const View& v, int lane)
        : data(reinterpret_cast<T*>(v.data) + lane),
          row_step(v.row_stride * v.lanes),
          col_step(v.col_stride * v.lanes) {}
    HWY_INLINE T* at(std::int64_t r, std::int64_t c) const {
        return data + r * row_step + c * col_step;
    }
};

}  // namespace matgrad::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
