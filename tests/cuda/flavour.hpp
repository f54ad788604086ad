#pragma once
/// \file What differs between the simulated GPU and a real one: each program links one of two.

namespace matgrad::test {

/// The simulated one is slow, and does whatever it is allowed to: round to TF32, to begin with.
[[nodiscard]] bool is_simulated();

/// Another device than the current one can be had; on the simulated GPU it is then made.
[[nodiscard]] bool have_second_device();

}  // namespace matgrad::test
