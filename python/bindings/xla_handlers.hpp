#pragma once
/// \file Computations as custom calls of XLA, for JAX.

#include <nanobind/nanobind.h>

namespace matgrad::python {

/// A dict for each platform (`cpu`, `CUDA`), of the names of custom calls and what JAX registers for them; empty if
/// this module was built without XLA's headers.
[[nodiscard]] nanobind::dict xla_handlers();

}  // namespace matgrad::python
