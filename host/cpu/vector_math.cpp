#include "cpu/highway_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/vector_math.cpp"
// clang-format off
#include <hwy/foreach_target.h>  // first: it includes this file once for each instruction set
#include <hwy/highway.h>
// clang-format on

#include <algorithm>
#include <cmath>

#include "cpu/vector_functions-inl.hpp"
#include "cpu/vector_math.hpp"

HWY_BEFORE_NAMESPACE();
namespace matgrad::detail::HWY_NAMESPACE {

/// x^exponent by repeated squaring, exponent >= 0.
template <typename T>
HWY_INLINE Vector<T> power_of(Vector<T> x, unsigned exponent) {
    const Strip<T> d;
    auto result = hn::Set(d, T{1});
    auto square = x;
    for (; exponent != 0; exponent >>= 1U) {
        if ((exponent & 1U) != 0) {
            result = hn::Mul(result, square);
        }
        square = hn::Mul(square, square);
    }
    return result;
}

template <typename T, typename Function>
HWY_INLINE void each(T* out, const T* a, std::int64_t count, Function function) {
    const Strip<T> d;
    for (std::int64_t i = 0; i < count; i += static_cast<std::int64_t>(hn::Lanes(d))) {
        hn::StoreU(function(hn::LoadU(d, a + i)), d, out + i);
    }
}

template <typename T, typename Function>
HWY_INLINE void each_pair(T* out, const T* a, const T* b, std::int64_t count, Function function) {
    const Strip<T> d;
    for (std::int64_t i = 0; i < count; i += static_cast<std::int64_t>(hn::Lanes(d))) {
        hn::StoreU(function(hn::LoadU(d, a + i), hn::LoadU(d, b + i)), d, out + i);
    }
}

template <typename T>
void pow_strip(T* out, const T* a, double number, std::int64_t count) {
    using V = Vector<T>;
    const Strip<T> d;
    if (number == std::trunc(number) && std::abs(number) <= 64) {
        const auto exponent = static_cast<unsigned>(std::abs(number));
        if (number >= 0) {
            return each<T>(out, a, count,
                           [exponent](V x) HWY_ATTR { return power_of<T>(x, exponent); });
        }
        return each<T>(out, a, count, [d, exponent](V x) HWY_ATTR {
            return hn::Div(hn::Set(d, T{1}), power_of<T>(x, exponent));
        });
    }
    for (std::int64_t i = 0; i < count; ++i) {
        out[i] = static_cast<T>(std::pow(static_cast<double>(a[i]), number));
    }
}

template <typename T>
void apply_typed(MapOp op, T* out, const T* a, const T* b, double number, std::int64_t count) {
    using V = Vector<T>;
    const Strip<T> d;
    const auto c = hn::Set(d, static_cast<T>(number));
    switch (op) {
        case MapOp::add:
            return each_pair<T>(out, a, b, count, [](V x, V y) HWY_ATTR { return hn::Add(x, y); });
        case MapOp::sub:
            return each_pair<T>(out, a, b, count, [](V x, V y) HWY_ATTR { return hn::Sub(x, y); });
        case MapOp::mul:
            return each_pair<T>(out, a, b, count, [](V x, V y) HWY_ATTR { return hn::Mul(x, y); });
        case MapOp::div:
            return each_pair<T>(out, a, b, count, [](V x, V y) HWY_ATTR { return hn::Div(x, y); });
        case MapOp::scale:
            return each<T>(out, a, count, [c](V x) HWY_ATTR { return hn::Mul(c, x); });
        case MapOp::offset:
            return each<T>(out, a, count, [c](V x) HWY_ATTR { return hn::Add(c, x); });
        case MapOp::pow:
            return pow_strip<T>(out, a, number, count);
#define MATGRAD_OF_1(name) each<T>(out, a, count, [](V x) HWY_ATTR { return name##_of<T>(x); })
#define MATGRAD_OF_2(name) \
    each_pair<T>(out, a, b, count, [](V x, V y) HWY_ATTR { return name##_of<T>(x, y); })
#define MATGRAD_ROW(name, arity, ...) \
    case MapOp::name:                 \
        return MATGRAD_OF_##arity(name);
            MATGRAD_ENTRYWISE_FUNCTIONS(MATGRAD_ROW)
#undef MATGRAD_ROW
#undef MATGRAD_OF_1
#undef MATGRAD_OF_2
        case MapOp::load:
        case MapOp::constant:
        case MapOp::is_diagonal:
        case MapOp::is_lower:
        case MapOp::is_upper:
        case MapOp::row_index:
        case MapOp::col_index:
        case MapOp::perturb:
            return;  // they know of positions: interpreter.hpp
    }
}

void apply_float(MapOp op, float* out, const float* a, const float* b, double number,
                 std::int64_t count) {
    apply_typed<float>(op, out, a, b, number, count);
}
void apply_double(MapOp op, double* out, const double* a, const double* b, double number,
                  std::int64_t count) {
    apply_typed<double>(op, out, a, b, number, count);
}

void widen(const float* in, double* out, std::int64_t count) {
    const Strip<double> d;
    const hn::Rebind<float, Strip<double>> narrow;
    const auto step = static_cast<std::int64_t>(hn::Lanes(d));
    std::int64_t i = 0;
    for (; i + step <= count; i += step) {
        hn::StoreU(hn::PromoteTo(d, hn::LoadU(narrow, in + i)), d, out + i);
    }
    for (; i < count; ++i) {
        out[i] = static_cast<double>(in[i]);
    }
}

void narrow(const double* in, float* out, std::int64_t count) {
    const Strip<double> d;
    const hn::Rebind<float, Strip<double>> narrow;
    const auto step = static_cast<std::int64_t>(hn::Lanes(d));
    std::int64_t i = 0;
    for (; i + step <= count; i += step) {
        hn::StoreU(hn::DemoteTo(narrow, hn::LoadU(d, in + i)), narrow, out + i);
    }
    for (; i < count; ++i) {
        out[i] = static_cast<float>(in[i]);
    }
}

}  // namespace matgrad::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace matgrad::detail {
HWY_EXPORT(apply_float);
HWY_EXPORT(apply_double);
HWY_EXPORT(widen);
HWY_EXPORT(narrow);
void convert_strip(const float* in, float* out, std::int64_t count) {
    std::copy_n(in, count, out);
}
void convert_strip(const double* in, double* out, std::int64_t count) {
    std::copy_n(in, count, out);
}
void convert_strip(const float* in, double* out, std::int64_t count) {
    HWY_DYNAMIC_DISPATCH(widen)(in, out, count);
}
void convert_strip(const double* in, float* out, std::int64_t count) {
    HWY_DYNAMIC_DISPATCH(narrow)(in, out, count);
}
void apply_strip(MapOp op, float* out, const float* a, const float* b, double number,
                 std::int64_t count) {
    HWY_DYNAMIC_DISPATCH(apply_float)(op, out, a, b, number, count);
}
void apply_strip(MapOp op, double* out, const double* a, const double* b, double number,
                 std::int64_t count) {
    HWY_DYNAMIC_DISPATCH(apply_double)(op, out, a, b, number, count);
}
}  // namespace matgrad::detail
#endif
