#include "call.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

#include "matgrad/linearize.hpp"

namespace nb = nanobind;

namespace matgrad::python {

namespace {

using Status = nb::ndarray<std::int32_t, nb::c_contig>;
using Rows = nb::ndarray<const std::int64_t, nb::c_contig, nb::ro>;

/// Operations below which a run is over before anybody could want it to end.
constexpr double kUninterrupted = 5e7;

std::span<std::int32_t> status_entries(nb::handle object, std::int64_t problems, Status& status) {
    if (object.is_none()) {
        return {};
    }
    if (!nb::try_cast(object, status, false)) {
        throw BadType{"status: expected a contiguous array of int32 that can be written"};
    }
    if (static_cast<std::int64_t>(status.size()) != problems) {
        throw OperandError("status: found " + std::to_string(status.size()) +
                           " entries, expected one for each of " + std::to_string(problems) +
                           " problems");
    }
    return {status.data(), status.size()};
}

View written_view(const Array& array) {
    const std::optional<View> view = array.written();
    if (!view) {
        throw OperandError("result '" + std::string(array.name()) + "': the batch axes of shape " +
                           array.shape_text() +
                           " have no one stride, expected a result that is contiguous over them");
    }
    return *view;
}

std::vector<OperandView> operand_views(const PlannedCall& planned, const Operands& operands,
                                       std::size_t limit) {
    std::vector<OperandView> views;
    views.reserve(planned.operands.size());
    for (const std::size_t at : planned.operands) {
        if (at >= limit) {
            continue;  // a direction, given later
        }
        const Array& array = operands.arrays()[at];
        const std::optional<ConstView> view = array.read();
        if (!view) {
            throw CopyNeeded{std::string(array.name())};
        }
        views.emplace_back(array.name(), *view);
    }
    return views;
}

std::vector<Array> result_arrays(const Computation& computation, nb::tuple results) {
    const std::vector<Output>& outputs = computation.outputs();
    if (results.size() != outputs.size()) {
        throw OperandError("found " + std::to_string(results.size()) + " results, expected " +
                           std::to_string(outputs.size()));
    }
    std::vector<Array> arrays;
    arrays.reserve(outputs.size());
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        arrays.emplace_back(results[i], "result", outputs[i].text, computation.rank_of_output(i),
                            true);
    }
    return arrays;
}

/// The batch axes of a result must be those of the operands, or none where it is one for all.
std::vector<ResultView> result_views(const PlannedCall& planned, const std::vector<Array>& arrays,
                                     const std::vector<double>& beta) {
    std::vector<ResultView> views;
    views.reserve(planned.outputs.size());
    for (const std::size_t at : planned.outputs) {
        views.emplace_back(arrays[at].name(), written_view(arrays[at]),
                           beta.empty() ? 0.0 : beta.at(at));
    }
    return views;
}

}  // namespace

Operands::Operands(const Computation& computation, nb::tuple arrays) {
    const std::vector<Declaration>& declared = computation.operands();
    const std::size_t point = declared.size() - computation.directions();
    if (arrays.size() != declared.size() && arrays.size() != point) {
        throw OperandError("found " + std::to_string(arrays.size()) + " operands, expected " +
                           std::to_string(declared.size()));
    }
    arrays_.reserve(arrays.size());
    for (std::size_t i = 0; i < arrays.size(); ++i) {
        arrays_.emplace_back(arrays[i], "operand", declared[i].name, rank_of(declared[i].shape),
                             false);
    }
    for (const Array& array : arrays_) {
        if (array.type() != type()) {
            throw OperandError("operand '" + std::string(array.name()) + "': found " +
                               (array.type() == ScalarType::float32 ? "float32" : "float64") +
                               ", expected the type of '" + std::string(arrays_.front().name()) +
                               "'");
        }
        if (array.is_shared()) {
            continue;
        }
        if (batched_ == nullptr) {
            batched_ = &array;
            problems_ = array.problems();
            continue;
        }
        bool is_alike = array.batch_axes() == batched_->batch_axes();
        for (std::size_t k = 0; is_alike && k < array.batch_axes(); ++k) {
            is_alike = array.axis(k) == batched_->axis(k);
        }
        if (!is_alike) {
            throw OperandError("operand '" + std::string(array.name()) + "': found shape " +
                               array.shape_text() + ", expected the leading axes of '" +
                               std::string(batched_->name()) + "' of shape " +
                               batched_->shape_text() + ", or none");
        }
    }
}

std::vector<OperandSize> Operands::sizes(const Computation& computation) const {
    std::vector<OperandSize> sizes;
    sizes.reserve(computation.operands().size());
    for (const Array& array : arrays_) {
        sizes.push_back({array.rows(), array.cols(), !array.is_shared()});
    }
    // A direction has the shape of its gradient: one for all problems where the variable is shared and F a sum.
    const bool is_reduced = computation.outputs().front().reduction != Reduction::none;
    for (std::size_t i = sizes.size(); i < computation.operands().size(); ++i) {
        OperandSize size = sizes[computation.variable_of(i)];
        size.batched = size.batched || (is_batch() && !is_reduced);
        sizes.push_back(size);
    }
    return sizes;
}

std::vector<std::int64_t> Operands::result_shape(const Computation& computation,
                                                 std::size_t output) const {
    std::vector<std::int64_t> shape;
    const std::optional<std::size_t> variable = computation.variable_of_output(output);
    const bool is_reduced = computation.outputs()[output].reduction != Reduction::none;
    const bool is_batch_of_its_own = variable && !arrays_[*variable].is_shared();
    if (batched_ != nullptr && (!is_reduced || is_batch_of_its_own)) {
        for (std::size_t k = 0; k < batched_->batch_axes(); ++k) {
            shape.push_back(batched_->axis(k));
        }
    }
    if (variable) {
        const Array& array = arrays_[*variable];
        for (std::size_t k = array.batch_axes(); k < array.axes(); ++k) {
            shape.push_back(array.axis(k));
        }
    }
    return shape;
}

std::shared_ptr<const PlannedCall> plan_of(const Computation& computation, const Operands& operands,
                                           Device device) {
    const Device lies_on = operands.device();
    return computation.plan(operands.sizes(computation), operands.problems(), operands.type(),
                            lies_on.kind == DeviceKind::cuda ? lies_on : device);
}

Counts run(const Computation& computation, const PlannedCall& planned, const Operands& operands,
           nb::tuple results, nb::object status, const CallOptions& options) {
    const std::vector<OperandView> in =
        operand_views(planned, operands, computation.operands().size());
    const std::vector<Array> arrays = result_arrays(computation, results);
    const std::vector<ResultView> out = result_views(planned, arrays, options.beta);
    RunOptions how;
    how.check_finite = options.check_finite;
    how.check_structure = options.check_structure;
    Rows rows;
    if (!options.rows.is_none()) {
        if (!nb::try_cast(options.rows, rows, false)) {
            throw BadType{"rows: expected a contiguous array of int64"};
        }
        how.rows = {rows.data(), rows.size()};
    }
    Status entries;
    const std::span<std::int32_t> codes = status_entries(
        status,
        options.rows.is_none() ? operands.problems() : static_cast<std::int64_t>(rows.size()),
        entries);
    if (planned.cost.operations / static_cast<double>(planned.problems) *
            static_cast<double>(operands.problems()) >
        kUninterrupted) {
        const auto caller = std::this_thread::get_id();
        how.hooks.advance = [caller](std::int64_t) {
            if (std::this_thread::get_id() != caller) {
                return true;  // Python looks at signals in its main thread alone
            }
            const nb::gil_scoped_acquire lock;
            if (PyErr_CheckSignals() != 0) {
                throw nb::python_error();
            }
            return true;
        };
    }
    RunSummary summary;
    {
        const nb::gil_scoped_release unlocked;
        summary = planned.plan.run(in, out, codes, how);
    }
    return {summary.problems, summary.failed};
}

double seconds_of_a_run(const Computation& computation, const PlannedCall& planned,
                        const Operands& operands, nb::tuple results, nb::object status, int count) {
    const std::vector<OperandView> in =
        operand_views(planned, operands, computation.operands().size());
    const std::vector<Array> arrays = result_arrays(computation, results);
    const std::vector<ResultView> out = result_views(planned, arrays, {});
    Status entries;
    const std::span<std::int32_t> codes = status_entries(status, operands.problems(), entries);
    const nb::gil_scoped_release unlocked;
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < count; ++i) {
        planned.plan.run(in, out, codes);
    }
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() /
           std::max(count, 1);
}

void enqueue(const Computation& computation, const PlannedCall& planned, const Operands& operands,
             nb::tuple results, nb::object status, nb::object workspace, nb::handle stream) {
    const std::vector<OperandView> in =
        operand_views(planned, operands, computation.operands().size());
    const std::vector<Array> arrays = result_arrays(computation, results);
    const std::vector<ResultView> out = result_views(planned, arrays, {});
    EnqueueOptions how;
    Status entries;
    how.status = status_entries(status, operands.problems(), entries).data();
    nb::ndarray<std::uint8_t, nb::c_contig> bytes;
    if (!workspace.is_none()) {
        if (!nb::try_cast(workspace, bytes, false)) {
            throw BadType{"workspace: expected a contiguous array of uint8"};
        }
        how.workspace = bytes.data();
        how.workspace_bytes = bytes.size();
    }
    how.stream = PyLong_AsVoidPtr(stream.ptr());
    if (PyErr_Occurred() != nullptr) {
        throw nb::python_error();
    }
    const nb::gil_scoped_release unlocked;
    planned.plan.enqueue(in, out, how);
}

CheckReport check(const Computation& computation, const PlannedCall& planned,
                  const Operands& operands, nb::tuple results, nb::object status) {
    const std::vector<OperandView> in =
        operand_views(planned, operands, computation.operands().size());
    const std::vector<Array> arrays = result_arrays(computation, results);
    const std::vector<ResultView> out = result_views(planned, arrays, {});
    Status entries;
    const std::span<const std::int32_t> codes =
        status_entries(status, operands.problems(), entries);
    const nb::gil_scoped_release unlocked;
    return planned.plan.check(in, out, codes);
}

Point::Point(std::shared_ptr<const Computation> computation, nb::tuple operands, Device device)
    : computation_(std::move(computation)), kept_(operands) {
    const Operands bound(*computation_, operands);
    planned_ = plan_of(*computation_, bound, device);
    const std::vector<OperandView> in = operand_views(*planned_, bound, bound.arrays().size());
    const nb::gil_scoped_release unlocked;
    at_ = planned_->plan.linearize(in);
}

Counts Point::apply(nb::tuple directions, nb::tuple results, nb::object status) const {
    const std::vector<Declaration>& declared = computation_->operands();
    const std::size_t point = declared.size() - computation_->directions();
    if (directions.size() != computation_->directions()) {
        throw OperandError("found " + std::to_string(directions.size()) + " directions, expected " +
                           std::to_string(computation_->directions()));
    }
    std::vector<Array> arrays;
    arrays.reserve(directions.size());
    std::vector<OperandView> in;
    std::int64_t problems = 1;
    for (std::size_t i = 0; i < directions.size(); ++i) {
        const Declaration& declaration = declared[point + i];
        arrays.emplace_back(directions[i], "direction", declaration.name,
                            rank_of(declaration.shape), false);
        const std::optional<ConstView> view = arrays.back().read();
        if (!view) {
            throw CopyNeeded{declaration.name};
        }
        problems = std::max(problems, arrays.back().problems());
        in.emplace_back(arrays.back().name(), *view);
    }
    const std::vector<Array> written = result_arrays(*computation_, results);
    const std::vector<ResultView> out = result_views(*planned_, written, {});
    Status entries;
    const std::span<std::int32_t> codes = status_entries(status, problems, entries);
    const nb::gil_scoped_release unlocked;
    const RunSummary summary = at_.apply(in, out, codes);
    return {summary.problems, summary.failed};
}

}  // namespace matgrad::python
