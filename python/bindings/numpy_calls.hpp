#pragma once
/// \file The short way of a call: NumPy arrays with nothing to convert, for which Python does no work of its own.

#include <nanobind/nanobind.h>

#include <memory>

#include "call.hpp"

namespace matgrad::python {

/// How a call names and gives its arrays, as Python has them.
struct NumPyCall {
    nanobind::tuple names;  ///< of the operands, in the order of the Computation's
    nanobind::tuple args;
    nanobind::dict named;
    nanobind::object out;  ///< None: new arrays; else a tuple
    nanobind::object status;
};

/// (results, how many failed); None where an operand is no plain array of float32 or float64, missing or not in
/// one batch: the long way converts it, or says what is wrong.
///
/// planned   null: the Computation's plan for these sizes
nanobind::object call_numpy(const Computation& computation, const PlannedCall* planned,
                            const NumPyCall& call, Device device, bool check_finite);

}  // namespace matgrad::python
