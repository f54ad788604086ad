#pragma once
/// \file Norms whose squares neither overflow nor underflow: entries are squared as they are, and only
/// where the sum of squares is out of range they are squared again, times a power of 2, which is exact.

#include <cmath>
#include <cstdint>
#include <limits>

#include "cpu/interpreter.hpp"

namespace matgrad::detail {

/// What entries are multiplied by before they are squared in T.
enum class NormScale { none, down, up };

/// 2^-600 and 2^600 in double, 2^-100 and 2^100 in float: the squares of the largest and of the
/// smallest numbers of the type are in range then.
template <typename T>
[[nodiscard]] constexpr double norm_factor(NormScale scale) {
    constexpr double kUp = sizeof(T) == sizeof(float) ? 0x1p100 : 0x1p600;
    return scale == NormScale::none ? 1 : scale == NormScale::up ? kUp : 1 / kUp;
}

/// How the entries have to be squared again, given the sum of squares in T. Below min/eps squares that
/// underflowed may be missed. NaN stays.
template <typename T>
[[nodiscard]] NormScale scale_for(double squares) {
    using Limits = std::numeric_limits<T>;
    constexpr double kLeast =
        static_cast<double>(Limits::min()) / static_cast<double>(Limits::epsilon());
    return squares > static_cast<double>(Limits::max()) ? NormScale::down
           : squares < kLeast                           ? NormScale::up
                                                        : NormScale::none;
}

template <typename T>
[[nodiscard]] double norm_of(double squares, NormScale scale) {
    return std::sqrt(squares) / norm_factor<T>(scale);
}

/// The terms that a reduction folds over blocks: entries of the domain or, of a norm, their squares.
template <typename T>
class TermsOfBlocks {
public:
    TermsOfBlocks(const Domain& domain, ReduceOp op, NormScale scale, Scratch& scratch)
        : evaluate_(domain, scratch),
          lanes_(domain.lanes),
          squares_(op == ReduceOp::norm),
          factor_(norm_factor<T>(scale)) {}

    const T* operator()(const Block& block) {
        const T* values = evaluate_(block);
        if (!squares_) {
            return values;
        }
        const std::int64_t numbers = block.count() * lanes_;
        if (factor_ != 1) {
            apply_strip(MapOp::scale, terms_, values, values, factor_, numbers);
            values = terms_;
        }
        apply_strip(MapOp::mul, terms_, values, values, 0, numbers);
        return terms_;
    }

private:
    Interpreter<T> evaluate_;
    int lanes_;
    bool squares_;
    double factor_;
    T terms_[kBlockNumbers + kStripRoom];
};

}  // namespace matgrad::detail
