#pragma once
/// \file The passes on a Program, in the order make_program runs them. Each is a free function in a
/// file of its name and keeps the Program's meaning.

#include "program/program.hpp"

namespace matgrad {

/// scalars.cpp: numbers into the alpha and beta of gemm, syrk and sums: `2*A*x - b` is one gemm.
void absorb_scalars(Program& program);
/// fusion.cpp: entrywise chains become one map, reductions take the entrywise work they read. What
/// is used more than once stays a value. Bodies keep within kMaxBodyOperands and kMaxBodyCode.
void fuse_entrywise(Program& program);
/// batch_sums.cpp: a sum over the batch is taken term by term where that makes products of which only
/// the sum is used, and where that is cheaper: the sum of r*u' + c is that of r*u', a gemm, and that of c.
void split_batch_sums(Program& program);
/// precision.cpp: storage and compute types by Program::accuracy.
void choose_types(Program& program);
/// roots.cpp: the root of each Cholesky factorization of a Gram matrix, where accuracy is robust.
void find_roots(Program& program);
/// error_bounds.cpp: what outputs of kind error name is compared with what it becomes when roundings fall
/// in other ways; their value is the bound then.
void add_error_bounds(Program& program);
/// symmetry.cpp: a syrk that only a Cholesky reads writes one triangle.
void trim_symmetric(Program& program);
/// hoisting.cpp: the scope of each value and step; shared steps first, then problem, then reduced.
/// Outputs that are computed once for a batch are repeated.
void hoist_shared(Program& program);
/// folding.cpp: Step::fold, and what of a product is shared.
void fold_batch(Program& program);
/// memory.cpp: offsets by lifetime and the two workspace sizes.
void assign_memory(Program& program);

}  // namespace matgrad
