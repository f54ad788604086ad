#pragma once
/// \file A map body as a sum of terms, and what each of its registers depends on.

#include <vector>

#include "program/program.hpp"

namespace matgrad {

/// coefficient * register
struct LinearTerm {
    double coefficient = 1;
    int reg = -1;
};

/// The body as a sum of terms that are no sums themselves.
[[nodiscard]] std::vector<LinearTerm> linear_terms(const MapBody& body);

/// What a register of a body depends on, over a domain of rows x cols. A dimension of size 1 is none.
struct Dependence {
    bool row = false;
    bool col = false;
    bool batch = false;  ///< on values of problem scope
    [[nodiscard]] bool is_scalar() const { return !row && !col; }
};
/// One for each register.
[[nodiscard]] std::vector<Dependence> dependences(const Program& program, const MapBody& body,
                                                  std::int64_t rows, std::int64_t cols);

/// A factor of a term: a register, or one over it.
struct TermFactor {
    int reg = -1;
    bool reciprocal = false;
};

/// coefficient * the product of the factors, where all masks (is_lower, ..) are 1, and 0 elsewhere.
struct ProductTerm {
    double coefficient = 1;
    std::vector<int> masks;  ///< registers
    std::vector<TermFactor> factors;
};

/// The body as a sum of products. A scalar in front of a sum is a factor of each term; an expression of
/// one dimension alone is one factor.
[[nodiscard]] std::vector<ProductTerm> product_terms(const MapBody& body,
                                                     const std::vector<Dependence>& depends);

}  // namespace matgrad
