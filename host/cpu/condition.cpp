#include "cpu/highway_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/condition.cpp"
// clang-format off
#include <hwy/foreach_target.h>  // first: it includes this file once for each instruction set
#include <hwy/highway.h>
// clang-format on

#include <algorithm>

#include "cpu/compact/lanes-inl.hpp"
#include "cpu/condition.hpp"

HWY_BEFORE_NAMESPACE();
namespace matgrad::detail::HWY_NAMESPACE {

/// A triangle in each lane. Numbers of the problems are vectors of lanes; a vector of numbers lies in memory.
struct SideBySide {
    using D = Lane<double>;
    using V = hn::Vec<D>;
    static constexpr auto kWidth = static_cast<std::int64_t>(hn::MaxLanes(D()));
    D d;
    Elements<double> l;
    std::int64_t n;

    SideBySide(const View& view, int lane) : l(view, lane), n(view.rows) {}

    HWY_INLINE V diagonal(std::int64_t i) const { return hn::Load(d, l.at(i, i)); }
    HWY_INLINE V get(const double* x, std::int64_t i) const { return hn::Load(d, x + i * kWidth); }
    HWY_INLINE void set(double* x, std::int64_t i, V value) const {
        hn::Store(value, d, x + i * kWidth);
    }
    /// sum = f(entry, x, sum) over the first `count` entries of row i, and with two sums.
    template <typename Function>
    HWY_INLINE V sum(std::int64_t i, std::int64_t count, const double* x, Function f) const {
        auto result = hn::Zero(d);
        for (std::int64_t j = 0; j < count; ++j) {
            result = f(hn::Load(d, l.at(i, j)), get(x, j), result);
        }
        return result;
    }
    template <typename First, typename Second>
    HWY_INLINE void sums(std::int64_t i, std::int64_t count, const double* x, V& a, First f, V& b,
                         Second g) const {
        for (std::int64_t j = 0; j < count; ++j) {
            const auto entry = hn::Load(d, l.at(i, j));
            const auto known = get(x, j);
            a = f(entry, known, a);
            b = g(entry, known, b);
        }
    }
    /// x = f(entry, x, by) for the first `count` entries of row i.
    template <typename Function>
    HWY_INLINE void update(std::int64_t i, std::int64_t count, V by, double* x, Function f) const {
        for (std::int64_t j = 0; j < count; ++j) {
            set(x, j, f(hn::Load(d, l.at(i, j)), get(x, j), by));
        }
    }
};

/// One triangle, row-major; vectors run along its rows.
struct AlongRows {
    using D = hn::CappedTag<double, 1>;
    using V = hn::Vec<D>;
    using Wide = hn::ScalableTag<double>;
    static constexpr std::int64_t kWidth = 1;
    D d;
    Wide wide;
    Elements<double> l;
    std::int64_t n;

    AlongRows(const View& view, int lane) : l(view, lane), n(view.rows) {}

    HWY_INLINE V diagonal(std::int64_t i) const { return hn::Load(d, l.at(i, i)); }
    HWY_INLINE V get(const double* x, std::int64_t i) const { return hn::Load(d, x + i); }
    HWY_INLINE void set(double* x, std::int64_t i, V value) const { hn::Store(value, d, x + i); }
    template <typename Function>
    HWY_INLINE V sum(std::int64_t i, std::int64_t count, const double* x, Function f) const {
        const auto lanes = static_cast<std::int64_t>(hn::Lanes(wide));
        const double* row = l.at(i, 0);
        std::int64_t j = 0;
        auto all = hn::Zero(wide);
        for (; j + lanes <= count; j += lanes) {
            all = f(hn::LoadU(wide, row + j), hn::LoadU(wide, x + j), all);
        }
        auto result = hn::Set(d, hn::GetLane(hn::SumOfLanes(wide, all)));
        for (; j < count; ++j) {
            result = f(hn::Load(d, row + j), get(x, j), result);
        }
        return result;
    }
    template <typename First, typename Second>
    HWY_INLINE void sums(std::int64_t i, std::int64_t count, const double* x, V& a, First f, V& b,
                         Second g) const {
        a = hn::Add(a, sum(i, count, x, f));
        b = hn::Add(b, sum(i, count, x, g));
    }
    template <typename Function>
    HWY_INLINE void update(std::int64_t i, std::int64_t count, V by, double* x, Function f) const {
        const auto lanes = static_cast<std::int64_t>(hn::Lanes(wide));
        const double* row = l.at(i, 0);
        const auto all = hn::Set(wide, hn::GetLane(by));
        std::int64_t j = 0;
        for (; j + lanes <= count; j += lanes) {
            hn::StoreU(f(hn::LoadU(wide, row + j), hn::LoadU(wide, x + j), all), wide, x + j);
        }
        for (; j < count; ++j) {
            set(x, j, f(hn::Load(d, row + j), get(x, j), by));
        }
    }
};

template <typename Triangle>
void bound_of(const Triangle& t, double* bounds, double* z) {
    const auto d = t.d;
    auto largest = hn::Zero(d);
    auto largest_row = hn::Zero(d);
    for (std::int64_t i = 0; i < t.n; ++i) {
        const auto diagonal = t.diagonal(i);
        auto right = hn::Set(d, 1.0);
        auto row = diagonal;
        t.sums(
            i, i, z, right,
            [](auto entry, auto known, auto sum)
                HWY_ATTR { return hn::MulAdd(hn::Abs(entry), known, sum); },
            row, [](auto entry, auto, auto sum) HWY_ATTR { return hn::Add(sum, hn::Abs(entry)); });
        const auto solution = hn::Div(right, diagonal);
        t.set(z, i, solution);
        largest = hn::IfThenElse(hn::Le(solution, largest), largest, solution);  // keeps a NaN
        largest_row = hn::IfThenElse(hn::Le(row, largest_row), largest_row, row);
    }
    hn::StoreU(hn::Mul(largest, largest_row), d, bounds);
}

/// The sum of the squares of x.
template <typename Triangle>
HWY_INLINE auto square(const Triangle& t, const double* x) {
    auto sum = hn::Zero(t.d);
    for (std::int64_t i = 0; i < t.n; ++i) {
        sum = hn::MulAdd(t.get(x, i), t.get(x, i), sum);
    }
    return sum;
}

constexpr auto kProduct = [](auto entry, auto x, auto sum)
                              HWY_ATTR { return hn::MulAdd(entry, x, sum); };

/// L x = b with b of ones and minus ones, each chosen so that x grows.
template <typename Triangle>
HWY_INLINE void grow(const Triangle& t, double* x) {
    for (std::int64_t i = 0; i < t.n; ++i) {
        const auto sum = t.sum(i, i, x, kProduct);
        const auto right = hn::Neg(hn::Add(sum, hn::CopySign(hn::Set(t.d, 1.0), sum)));
        t.set(x, i, hn::Div(right, t.diagonal(i)));
    }
}
/// x = inv(L') x
template <typename Triangle>
HWY_INLINE void solve_transposed(const Triangle& t, double* x) {
    for (std::int64_t i = t.n; i-- > 0;) {
        const auto solution = hn::Div(t.get(x, i), t.diagonal(i));
        t.set(x, i, solution);
        t.update(i, i, solution, x, [](auto entry, auto known, auto by) HWY_ATTR {
            return hn::NegMulAdd(entry, by, known);
        });
    }
}
/// w = the squared lengths of the columns
template <typename Triangle>
HWY_INLINE void column_squares(const Triangle& t, double* w) {
    for (std::int64_t i = 0; i < t.n; ++i) {
        t.set(w, i, hn::Zero(t.d));
        t.update(i, i + 1, hn::Zero(t.d), w,
                 [](auto entry, auto sum, auto) HWY_ATTR { return hn::MulAdd(entry, entry, sum); });
    }
}
/// y = L x
template <typename Triangle>
HWY_INLINE void multiply(const Triangle& t, const double* x, double* y) {
    for (std::int64_t i = 0; i < t.n; ++i) {
        t.set(y, i, t.sum(i, i + 1, x, kProduct));
    }
}
/// x = L' y
template <typename Triangle>
HWY_INLINE void multiply_transposed(const Triangle& t, const double* y, double* x) {
    for (std::int64_t i = 0; i < t.n; ++i) {
        t.set(x, i, hn::Zero(t.d));
        t.update(i, i + 1, t.get(y, i), x,
                 [](auto entry, auto sum, auto by) HWY_ATTR { return hn::MulAdd(entry, by, sum); });
    }
}

template <typename Triangle>
void estimate_of(const Triangle& t, double* estimates, double* x, double* y) {
    grow(t, x);
    const auto grown = square(t, x);
    solve_transposed(t, x);
    const auto inverse = hn::Div(square(t, x), grown);
    column_squares(t, x);
    const auto start = square(t, x);
    multiply(t, x, y);
    const auto once = square(t, y);
    multiply_transposed(t, y, x);
    const auto norm = hn::Max(hn::Div(once, start), hn::Div(square(t, x), once));
    hn::StoreU(hn::Sqrt(hn::Mul(inverse, norm)), t.d, estimates);
}

template <typename Function>
void for_each_triangle(const View& l, Function function) {
    if (l.lanes == 1) {
        return function(AlongRows(l, 0), 0);
    }
    for (int lane = 0; lane < kLanes; lane += static_cast<int>(SideBySide::kWidth)) {
        function(SideBySide(l, lane), lane);
    }
}

void bound_all(const View& l, double* bounds, double* work) {
    for_each_triangle(l, [&](const auto& t, int lane) { bound_of(t, bounds + lane, work); });
}

void estimate_all(const View& l, double* estimates, double* work) {
    for_each_triangle(l, [&](const auto& t, int lane) {
        estimate_of(t, estimates + lane, work, work + l.rows * t.kWidth);
    });
}

}  // namespace matgrad::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <cmath>

namespace matgrad::detail {
namespace {

/// Of a lower triangle.
double square_sum(const View& l, int lane) {
    double sum = 0;
    for (std::int64_t i = 0; i < l.rows; ++i) {
        for (std::int64_t j = 0; j <= i; ++j) {
            const double entry = reinterpret_cast<const double*>(l.at(i, j))[lane];
            sum += entry * entry;
        }
    }
    return sum;
}

}  // namespace

HWY_EXPORT(bound_all);
HWY_EXPORT(estimate_all);

std::int64_t condition_bytes(std::int64_t n, int lanes) {
    return 2 * n * lanes * size_of(ScalarType::float64);
}
void condition_bound(const View& l, double* bounds, std::byte* work) {
    HWY_DYNAMIC_DISPATCH(bound_all)(l, bounds, reinterpret_cast<double*>(work));
}
void condition_estimate(const View& l, double* estimates, std::byte* work) {
    HWY_DYNAMIC_DISPATCH(estimate_all)(l, estimates, reinterpret_cast<double*>(work));
}
void condition_number(const View& l, const View& inverse, double* numbers) {
    for (int lane = 0; lane < l.lanes; ++lane) {
        numbers[lane] = std::sqrt(square_sum(l, lane)) * std::sqrt(square_sum(inverse, lane));
    }
}

}  // namespace matgrad::detail
#endif
