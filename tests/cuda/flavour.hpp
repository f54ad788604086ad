#pragma once
/// \file What differs between the simulated GPU and a real one: each program links one of two.

namespace matgrad::test {

/// True if a product for which TF32 is allowed does use it: the simulated GPU always does, a library
/// may know better.
[[nodiscard]] bool library_rounds_to_tf32();

/// Another device than the current one can be had; on the simulated GPU it is then made.
[[nodiscard]] bool have_second_device();

}  // namespace matgrad::test
