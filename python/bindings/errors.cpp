#include "errors.hpp"

#include <nanobind/nanobind.h>

#include "matgrad/error.hpp"

namespace nb = nanobind;

namespace matgrad::python {

namespace {

void raise(const char* name, const char* message) {
    const nb::object type = nb::module_::import_("matgrad.errors").attr(name);
    PyErr_SetString(type.ptr(), message);
}

void translate(const std::exception_ptr& thrown, void* /*payload*/) {
    try {
        std::rethrow_exception(thrown);
    } catch (const CopyNeeded& needed) {
        raise("CopyNeeded", needed.operand.c_str());
    } catch (const BadType& bad) {
        raise("OperandTypeError", bad.message.c_str());
    } catch (const ParseError& error) {
        const nb::object type = nb::module_::import_("matgrad.errors").attr("ParseError");
        const std::string message = std::string(error.what()) + "\n" + error.excerpt();
        const nb::object made = type(message.c_str());
        made.attr("position") = error.position();
        PyErr_SetObject(type.ptr(), made.ptr());
    } catch (const ShapeError& error) {
        raise("ShapeError", error.what());
    } catch (const NameError& error) {
        raise("NameError", error.what());
    } catch (const UnsupportedError& error) {
        raise("UnsupportedError", error.what());
    } catch (const OperandError& error) {
        raise("OperandError", error.what());
    } catch (const CallerError& error) {
        raise("CallerError", error.what());
    } catch (const MachineError& error) {
        raise("MachineError", error.what());
    } catch (const Error& error) {
        raise("Error", error.what());
    }
}

}  // namespace

void register_errors() {
    nb::register_exception_translator(translate);
}

}  // namespace matgrad::python
