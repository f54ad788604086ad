#pragma once
/// \file Which kernel computes a symmetric product a a' in plain memory.

#include "program/program.hpp"

namespace matgrad::detail {

enum class GramKernel {
    zero,     ///< nothing to add up, or alpha is 0
    product,  ///< as any other product: both triangles in one type
    panels,   ///< plain/gram.hpp: a and the result of types no wider than the step's
    blas,
};

/// a: of order `order` over `inner` terms, and of type `a`.
[[nodiscard]] GramKernel choose_gram(const Step& step, const Syrk& syrk, std::int64_t order,
                                     std::int64_t inner, ScalarType a, ScalarType out);

}  // namespace matgrad::detail
