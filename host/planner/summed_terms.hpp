#pragma once
/// \file Which terms of a map body are products of matrices whose sum over the batch is one gemm.

#include <vector>

#include "planner/body_terms.hpp"

namespace matgrad {

/// A term that is a product. With left m-by-1 and right 1-by-n, or a vector and a scalar, its sum over
/// the batch is one product whose inner dimension runs over the batch.
struct SummedProduct {
    enum class Kind {
        whole,   ///< a value that a product step makes and that nobody else reads
        scaled,  ///< such a value times columns (left), rows (right) and scalars
        outer,   ///< left * right * scalars, entrywise
    };
    Kind kind = Kind::whole;
    ProductTerm term;
    TermFactor value_factor;  ///< whole, scaled: the load of the value
    std::vector<TermFactor> left, right, scalars;
};

struct SummedTerms {
    std::vector<SummedProduct> products;
    std::vector<ProductTerm> rest;
};

/// The terms of the body of a map whose result, rows x cols, is only summed over the batch.
[[nodiscard]] SummedTerms find_summed_terms(const Program& program, const MapBody& body,
                                            std::int64_t rows, std::int64_t cols,
                                            const std::vector<int>& uses,
                                            const std::vector<int>& producers);

}  // namespace matgrad
