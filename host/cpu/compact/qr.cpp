/// \file The triangle of a QR factorization in the compact layout, by Householder's reflections.

#include "cpu/highway_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/compact/qr.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "cpu/compact/kernels.hpp"
#include "cpu/compact/lanes-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace matgrad::detail::HWY_NAMESPACE {

/// Reflects the columns behind k so that column k becomes zero below its diagonal; what it becomes there
/// is returned. The reflection is I - factor*v*v', with v in column k from the diagonal on.
template <typename T>
HWY_INLINE LaneVector<T> reflect(const Elements<T>& a, std::int64_t m, std::int64_t n,
                                 std::int64_t k) {
    const Lane<T> d;
    auto below = hn::Zero(d);
    for (std::int64_t i = k + 1; i < m; ++i) {
        const auto entry = hn::Load(d, a.at(i, k));
        below = hn::MulAdd(entry, entry, below);
    }
    const auto first = hn::Load(d, a.at(k, k));
    const auto length = hn::Sqrt(hn::MulAdd(first, first, below));
    const auto target = hn::Neg(hn::CopySign(length, first));
    const auto head = hn::Sub(first, target);
    const auto square = hn::MulAdd(head, head, below);
    // A column of zeros is left as it is.
    const auto factor =
        hn::IfThenZeroElse(hn::Eq(square, hn::Zero(d)), hn::Div(hn::Set(d, T{2}), square));
    for (std::int64_t j = k + 1; j < n; ++j) {
        auto sum = hn::Mul(head, hn::Load(d, a.at(k, j)));
        for (std::int64_t i = k + 1; i < m; ++i) {
            sum = hn::MulAdd(hn::Load(d, a.at(i, k)), hn::Load(d, a.at(i, j)), sum);
        }
        const auto by = hn::Mul(factor, sum);
        hn::Store(hn::NegMulAdd(by, head, hn::Load(d, a.at(k, j))), d, a.at(k, j));
        for (std::int64_t i = k + 1; i < m; ++i) {
            hn::Store(hn::NegMulAdd(by, hn::Load(d, a.at(i, k)), hn::Load(d, a.at(i, j))), d,
                      a.at(i, j));
        }
    }
    return target;
}

void root_factor_all(const View& root, const View& l) {
    using T = double;
    const Lane<T> d;
    const auto step = static_cast<int>(hn::Lanes(d));
    for (int lane = 0; lane < kLanes; lane += step) {
        const Elements<T> a(root, lane);
        const Elements<T> to(l, lane);
        for (std::int64_t k = 0; k < root.cols; ++k) {
            const auto diagonal = reflect<T>(a, root.rows, root.cols, k);
            hn::Store(hn::Abs(diagonal), d, to.at(k, k));
            for (std::int64_t j = k + 1; j < root.cols; ++j) {
                const auto entry = hn::Load(d, a.at(k, j));
                const auto turned = hn::Lt(diagonal, hn::Zero(d));
                hn::Store(hn::IfThenElse(turned, hn::Neg(entry), entry), d, to.at(j, k));
                hn::Store(hn::Zero(d), d, to.at(k, j));
            }
        }
    }
}

}  // namespace matgrad::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace matgrad::detail {
HWY_EXPORT(root_factor_all);
void lane_root_factor(const View& root, const View& l) {
    HWY_DYNAMIC_DISPATCH(root_factor_all)(root, l);
}
}  // namespace matgrad::detail
#endif
