#include "numpy_calls.hpp"

#include <array>

namespace nb = nanobind;

namespace matgrad::python {

namespace {

/// What is compared and called for every array, looked up once. It lives as long as the process.
struct NumPy {
    nb::handle array;
    nb::handle empty;
    std::array<nb::handle, 2> dtypes;  ///< float32, float64

    static const NumPy& get() {
        static const NumPy numpy = [] {
            const nb::object module = nb::module_::import_("numpy");
            const nb::object make = module.attr("dtype");
            nb::object array = module.attr("ndarray");
            nb::object empty = module.attr("empty");
            return NumPy{array.release(),
                         empty.release(),
                         {make("float32").release(), make("float64").release()}};
        }();
        return numpy;
    }
};

bool is_plain(nb::handle object, nb::handle dtype) {
    return nb::handle(reinterpret_cast<PyObject*>(Py_TYPE(object.ptr()))).is(NumPy::get().array) &&
           object.attr("dtype").is(dtype);
}

/// Operands in order; an empty tuple where they are not all there, or not of this type.
nb::object operands_of(const NumPyCall& call, nb::handle dtype) {
    const std::size_t count = call.names.size();
    if (call.args.size() + call.named.size() != count) {
        return nb::none();
    }
    if (call.named.size() == 0) {
        for (nb::handle object : call.args) {
            if (!is_plain(object, dtype)) {
                return nb::none();
            }
        }
        return call.args;
    }
    nb::list found;
    for (std::size_t i = 0; i < count; ++i) {
        PyObject* object = i < call.args.size()
                               ? nb::handle(call.args[i]).ptr()
                               : PyDict_GetItem(call.named.ptr(), nb::handle(call.names[i]).ptr());
        if (object == nullptr || !is_plain(object, dtype)) {
            return nb::none();
        }
        found.append(nb::handle(object));
    }
    return nb::tuple(found);
}

/// float32 or float64, as the first array is.
nb::handle dtype_of(const NumPyCall& call) {
    nb::handle first;
    if (call.args.size() > 0) {
        first = call.args[0];
    } else {
        for (const auto& [name, object] : call.named) {
            first = object;
            break;
        }
    }
    for (const nb::handle dtype : NumPy::get().dtypes) {
        if (first.is_valid() && is_plain(first, dtype)) {
            return dtype;
        }
    }
    return {};
}

nb::tuple new_results(const Computation& computation, const Operands& operands, nb::handle dtype) {
    nb::list results;
    for (std::size_t i = 0; i < computation.outputs().size(); ++i) {
        nb::list shape;
        for (const std::int64_t axis : operands.result_shape(computation, i)) {
            shape.append(axis);
        }
        results.append(NumPy::get().empty(nb::tuple(shape), dtype));
    }
    return nb::tuple(results);
}

/// Of no axes, a number.
nb::tuple finished(const nb::tuple& results) {
    nb::list list;
    for (nb::handle result : results) {
        if (nb::cast<std::size_t>(result.attr("ndim")) == 0) {
            list.append(result[nb::tuple()]);
        } else {
            list.append(result);
        }
    }
    return nb::tuple(list);
}

}  // namespace

nb::object call_numpy(const Computation& computation, const PlannedCall* planned,
                      const NumPyCall& call, Device device, bool check_finite) {
    const nb::handle dtype = dtype_of(call);
    if (!dtype.is_valid()) {
        return nb::none();
    }
    const nb::object arrays = operands_of(call, dtype);
    if (arrays.is_none()) {
        return nb::none();
    }
    const Operands operands(computation, nb::borrow<nb::tuple>(arrays));
    std::shared_ptr<const PlannedCall> found;
    if (planned == nullptr) {
        found = plan_of(computation, operands, device);
        planned = found.get();
    }
    const bool is_new = call.out.is_none();
    const nb::tuple results =
        is_new ? new_results(computation, operands, dtype) : nb::borrow<nb::tuple>(call.out);
    try {
        const Counts counts = run(computation, *planned, operands, results, call.status,
                                  {check_finite, nb::none(), {}});
        return nb::make_tuple(is_new ? finished(results) : results, counts.failed);
    } catch (const CopyNeeded&) {
        return nb::none();
    }
}

}  // namespace matgrad::python
