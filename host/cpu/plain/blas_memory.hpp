#pragma once
/// \file OpenBLAS works in buffers of its own, one for each call under way, and keeps them. Where the system
/// has no memory for one, it tries again for ever: so there has to be one before it is called.

namespace matgrad::detail {

/// Lets OpenBLAS make as many buffers as calls may be under way at once, `wanted`, or fewer where there is
/// no memory for more. Returns how many there are; with another BLAS, `wanted`. The second time costs nothing.
[[nodiscard]] int reserve_blas_buffers(int wanted);

}  // namespace matgrad::detail
