#include "arrays.hpp"

#include <nanobind/stl/string.h>

#include "errors.hpp"

namespace nb = nanobind;

namespace matgrad::python {

namespace {

std::string class_name(nb::handle object) {
    const nb::handle type(reinterpret_cast<PyObject*>(Py_TYPE(object.ptr())));
    return nb::cast<std::string>(type.attr("__name__"));
}

std::string dtype_text(nb::dlpack::dtype type) {
    const auto code = static_cast<nb::dlpack::dtype_code>(type.code);
    const std::string bits = std::to_string(type.bits);
    switch (code) {
        case nb::dlpack::dtype_code::Int:
            return "int" + bits;
        case nb::dlpack::dtype_code::UInt:
            return "uint" + bits;
        case nb::dlpack::dtype_code::Float:
            return "float" + bits;
        case nb::dlpack::dtype_code::Bfloat:
            return "bfloat" + bits;
        case nb::dlpack::dtype_code::Complex:
            return "complex" + bits;
        case nb::dlpack::dtype_code::Bool:
            return "bool";
        default:
            return "a type without a name";
    }
}

/// Without conversion. An array that exports neither as it is says so in ways of its own.
template <typename Target>
bool import_array(nb::handle from, Target& to) {
    try {
        return nb::try_cast(from, to, false);
    } catch (const std::exception&) {
        return false;
    }
}

}  // namespace

Array::Array(nb::handle from, std::string_view role, std::string_view name, int rank,
             bool is_written)
    : role_(role), name_(name), rank_(rank) {
    const auto what = [&] { return std::string(role) + " '" + std::string(name) + "'"; };
    if (nb::ndarray<> written; is_written && import_array(from, written)) {
        array_ = nb::ndarray<nb::ro>(written);
        written_ = written.data();
    } else if (!import_array(from, array_)) {
        throw BadType{what() + ": found " + class_name(from) +
                      ", expected an array of float32 or float64 (DLPack or a buffer of this "
                      "machine's byte order)"};
    } else if (is_written) {
        throw OperandError(what() + ": the array is read-only, expected one that can be written");
    }
    if (array_.dtype() == nb::dtype<float>()) {
        type_ = ScalarType::float32;
    } else if (array_.dtype() != nb::dtype<double>()) {
        throw BadType{what() + ": found " + dtype_text(array_.dtype()) +
                      ", expected float32 or float64"};
    }
    if (array_.ndim() < static_cast<std::size_t>(rank)) {
        static constexpr const char* kShapes[] = {"(...)", "(..., n)", "(..., m, n)"};
        throw ShapeError(what() + ": found shape " + shape_text() + ", expected " + kShapes[rank]);
    }
    batch_axes_ = array_.ndim() - static_cast<std::size_t>(rank);
}

std::int64_t Array::problems() const {
    std::int64_t count = 1;
    for (std::size_t k = 0; k < batch_axes_; ++k) {
        count *= axis(k);
    }
    return count;
}

Device Array::device() const {
    const int type = array_.device_type();
    if (type == nb::device::cpu::value || type == nb::device::cuda_host::value) {
        return {DeviceKind::cpu, 0};
    }
    if (type == nb::device::cuda::value || type == nb::device::cuda_managed::value) {
        return {DeviceKind::cuda, array_.device_id()};
    }
    throw BadType{std::string(role_) + " '" + std::string(name_) +
                  "': expected memory of the processor or of an NVIDIA GPU, found DLPack device " +
                  std::to_string(type)};
}

std::string Array::shape_text() const {
    std::string text = "(";
    for (std::size_t k = 0; k < axes(); ++k) {
        text += (k == 0 ? "" : ", ") + std::to_string(axis(k));
    }
    return text + (axes() == 1 ? ",)" : ")");
}

std::optional<ConstView> Array::read() const {
    return view<const void>(array_.data());
}

std::optional<View> Array::written() const {
    return view<void>(written_);
}

template <typename Void>
std::optional<BasicView<Void>> Array::view(Void* data) const {
    const std::size_t b = batch_axes_;
    const BasicView<Void> view(data, type_, rows(), cols(), rank_ >= 1 ? stride(b) : 1,
                               rank_ >= 2 ? stride(b + 1) : 1);
    if (b == 0) {
        return view;
    }
    const std::int64_t count = problems();
    std::int64_t step = 0;  // of the innermost axis longer than 1
    std::int64_t next = 0;  // what the axis before has to have
    bool is_found = false;
    for (std::size_t k = b; k-- > 0 && count > 0;) {
        if (axis(k) == 1) {
            continue;
        }
        if (!is_found) {
            step = stride(k);
            is_found = true;
        } else if (stride(k) != next) {
            return std::nullopt;
        }
        next = stride(k) * axis(k);
    }
    return view.batched(count, is_found ? step : rows() * cols());
}

}  // namespace matgrad::python
