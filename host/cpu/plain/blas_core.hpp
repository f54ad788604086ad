#pragma once
/// \file OpenBLAS picks its kernels by the processor's model number. A version that is older than the
/// processor does not know it and falls back to kernels of twenty years ago, several times slower.

namespace matgrad::detail {

/// Where OpenBLAS has fallen back, lets it take the kernels for the vector instructions that the
/// processor has. Nothing happens with another BLAS, where OPENBLAS_CORETYPE is set, or the second time.
/// No call of the BLAS may be under way.
void choose_blas_core();

}  // namespace matgrad::detail
