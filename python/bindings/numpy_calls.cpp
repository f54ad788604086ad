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

/// float32 or float64, as the first array is.
nb::handle dtype_of(const nb::tuple& args, const nb::dict& named) {
    nb::handle first;
    if (args.size() > 0) {
        first = args[0];
    } else {
        for (const auto& [name, object] : named) {
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

NumPyCalls::NumPyCalls(std::shared_ptr<const Computation> computation,
                       std::shared_ptr<const PlannedCall> planned, nb::tuple names, Device device,
                       bool check_finite)
    : computation_(std::move(computation)),
      planned_(std::move(planned)),
      names_(std::move(names)),
      device_(device),
      check_finite_(check_finite) {}

/// In order; None where they are not all there, or not of this type.
nb::object NumPyCalls::operands_of(const nb::tuple& args, const nb::dict& named,
                                   nb::handle dtype) const {
    const std::size_t count = names_.size();
    if (args.size() + named.size() != count) {
        return nb::none();
    }
    nb::list found;
    for (std::size_t i = 0; i < count; ++i) {
        PyObject* object = i < args.size()
                               ? nb::handle(args[i]).ptr()
                               : PyDict_GetItem(named.ptr(), nb::handle(names_[i]).ptr());
        if (object == nullptr || !is_plain(object, dtype)) {
            return nb::none();
        }
        found.append(nb::handle(object));
    }
    return nb::tuple(found);
}

nb::tuple NumPyCalls::new_results(const Operands& operands, nb::handle dtype) const {
    nb::list results;
    for (std::size_t i = 0; i < computation_->outputs().size(); ++i) {
        nb::list shape;
        for (const std::int64_t axis : operands.result_shape(*computation_, i)) {
            shape.append(axis);
        }
        results.append(NumPy::get().empty(nb::tuple(shape), dtype));
    }
    return nb::tuple(results);
}

nb::object NumPyCalls::operator()(nb::tuple args, nb::dict named, nb::object out,
                                  nb::object status) const {
    const nb::handle dtype = dtype_of(args, named);
    if (!dtype.is_valid()) {
        return nb::none();
    }
    const nb::object arrays = operands_of(args, named, dtype);
    if (arrays.is_none()) {
        return nb::none();
    }
    const Operands operands(*computation_, nb::borrow<nb::tuple>(arrays));
    const auto planned = planned_ ? planned_ : plan_of(*computation_, operands, device_);
    const bool is_new = out.is_none();
    const nb::tuple results = is_new ? new_results(operands, dtype) : nb::borrow<nb::tuple>(out);
    try {
        run(*computation_, *planned, operands, results, status,
            {check_finite_, false, nb::none(), {}});
    } catch (const CopyNeeded&) {
        return nb::none();
    }
    return is_new ? finished(results) : results;
}

}  // namespace matgrad::python
