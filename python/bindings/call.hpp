#pragma once
/// \file A call from Python: arrays bound to a Computation, run in host memory or enqueued in a GPU's.

#include <nanobind/nanobind.h>

#include <memory>
#include <vector>

#include "arrays.hpp"
#include "computation.hpp"
#include "errors.hpp"

namespace matgrad::python {

/// The operands of one call, in the order of the Computation's; its directions may be left out.
class Operands {
public:
    /// Errors   a Python TypeError or ValueError; OperandError for batch axes, types or devices that differ
    Operands(const Computation& computation, nanobind::tuple arrays);

    [[nodiscard]] std::int64_t problems() const noexcept { return problems_; }
    [[nodiscard]] bool is_batch() const noexcept { return batched_ != nullptr; }
    [[nodiscard]] ScalarType type() const noexcept {
        return arrays_.empty() ? ScalarType::float64 : arrays_.front().type();
    }
    [[nodiscard]] Device device() const {
        return arrays_.empty() ? Device{} : arrays_.front().device();
    }
    [[nodiscard]] const std::vector<Array>& arrays() const noexcept { return arrays_; }
    /// Directions that were not given have the sizes of their variables, one for each problem.
    /// Of an array for one output of the Computation.
    [[nodiscard]] std::vector<std::int64_t> result_shape(const Computation& computation,
                                                         std::size_t output) const;
    [[nodiscard]] std::vector<OperandSize> sizes(const Computation& computation) const;

private:
    std::vector<Array> arrays_;
    const Array* batched_ = nullptr;
    std::int64_t problems_ = 1;
};

/// The plan of a call on the device that its arrays lie on, or on `device` where they lie in host memory.
[[nodiscard]] std::shared_ptr<const PlannedCall> plan_of(const Computation& computation,
                                                         const Operands& operands, Device device);

struct Counts {
    std::int64_t problems = 0;
    std::int64_t failed = 0;
};

/// How a call is run, beside its arrays.
struct CallOptions {
    bool check_finite = false;
    bool check_structure = false;
    nanobind::object rows;  ///< None, or int64 numbers of problems
    std::vector<double> beta;
};

/// Runs in host memory, without the interpreter's lock; signals of Python end a long one.
///
/// status   None, or int32 entries, one for each problem
/// Errors   those of Plan::run; CopyNeeded for operands whose batch axes have no one stride
Counts run(const Computation& computation, const PlannedCall& planned, const Operands& operands,
           nanobind::tuple results, nanobind::object status, const CallOptions& options);

/// Of one such run in C++ alone, without Python and its arrays: seconds, the mean of `count` runs.
double seconds_of_a_run(const Computation& computation, const PlannedCall& planned,
                        const Operands& operands, nanobind::tuple results, nanobind::object status,
                        int count);

/// Enqueues in the memory of one GPU.
///
/// stream   an int, the address that a cudaStream_t is
void enqueue(const Computation& computation, const PlannedCall& planned, const Operands& operands,
             nanobind::tuple results, nanobind::object status, nanobind::object workspace,
             nanobind::handle stream);

/// Compares results that a run wrote with an independent evaluation.
[[nodiscard]] CheckReport check(const Computation& computation, const PlannedCall& planned,
                                const Operands& operands, nanobind::tuple results,
                                nanobind::object status);

/// A point at which the planned call's Hessian-vector products are taken.
class Point {
public:
    /// operands   all but the directions; those that `apply` reads again have to stay as they are
    Point(std::shared_ptr<const Computation> computation, nanobind::tuple operands, Device device);

    /// directions, results   in the order of the Computation's; its outputs are products alone
    Counts apply(nanobind::tuple directions, nanobind::tuple results,
                 nanobind::object status) const;
    [[nodiscard]] std::string explain() const { return at_.explain(); }
    [[nodiscard]] std::size_t kept_bytes() const { return at_.kept_bytes(); }

private:
    std::shared_ptr<const Computation> computation_;
    std::shared_ptr<const PlannedCall> planned_;
    nanobind::tuple kept_;  // operands may be read again
    Linearization at_;
};

}  // namespace matgrad::python
