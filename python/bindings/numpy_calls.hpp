#pragma once
/// \file The short way of a call: NumPy arrays with nothing to convert, for which Python does no work of its own.

#include <nanobind/nanobind.h>

#include <memory>

#include "call.hpp"

namespace matgrad::python {

/// What calls of one Computation have in common.
class NumPyCalls {
public:
    /// planned   null: the Computation's plan for the sizes of each call, on `device`
    /// names     of the operands, in the order of the Computation's
    NumPyCalls(std::shared_ptr<const Computation> computation,
               std::shared_ptr<const PlannedCall> planned, nanobind::tuple names, Device device,
               bool check_finite);

    /// out        None: new arrays; else a tuple, in the order of the outputs
    /// status     None, or int32 entries
    /// returns    the results, a tuple; None where an operand is no plain array of float32 or float64, missing, or
    ///            without one stride over its batch: the long way converts it, or says what is wrong
    nanobind::object operator()(nanobind::tuple args, nanobind::dict named, nanobind::object out,
                                nanobind::object status) const;

private:
    [[nodiscard]] nanobind::object operands_of(const nanobind::tuple& args,
                                               const nanobind::dict& named,
                                               nanobind::handle dtype) const;
    [[nodiscard]] nanobind::tuple new_results(const Operands& operands,
                                              nanobind::handle dtype) const;

    std::shared_ptr<const Computation> computation_;
    std::shared_ptr<const PlannedCall> planned_;
    nanobind::tuple names_;
    Device device_;
    bool check_finite_;
};

}  // namespace matgrad::python
