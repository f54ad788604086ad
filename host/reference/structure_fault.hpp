#pragma once
/// \file A matrix against what is declared of it.

#include <Eigen/Core>
#include <string>

#include "matgrad/types.hpp"

namespace matgrad {

/// Both empty if a matrix is what is declared of it.
struct StructureFault {
    const char* declared = "";
    std::string found;  ///< entries, counted from 1, or the least eigenvalue
};

/// Entries may be off by 16*n times `rounding`, relative to the largest one; positive definite is what has a Cholesky
/// factorization. A NaN breaks every structure in whose entries it stands.
[[nodiscard]] StructureFault structure_fault(const std::string& name, const Eigen::MatrixXd& a,
                                             Structure structure, double rounding);

}  // namespace matgrad
