#pragma once
/// \file Nothing but matgrad's exceptions leaves the library.

#include <exception>

namespace matgrad::detail {

/// For the handler of a function that users call:
///
///     Expr parse(...) try {
///         ...
///     } catch (...) {
///         detail::throw_as_matgrad();
///     }
///
/// What is being handled goes on as it is if it is an Error of matgrad's or no std::exception. Memory
/// that ran out, and what the system refused, is a MachineError; anything else is a fault of matgrad and
/// an Error that says so. Takes no memory where there is none.
[[noreturn]] void throw_as_matgrad();

/// What a function of the caller threw, on its way out: it leaves the library as it is.
struct FromCaller {
    std::exception_ptr exception;
};

/// Calls a function of the caller.
template <typename Function, typename... Arguments>
decltype(auto) call_of_caller(const Function& function, Arguments&&... arguments) {
    try {
        return function(static_cast<Arguments&&>(arguments)...);
    } catch (...) {
        throw FromCaller{std::current_exception()};
    }
}

}  // namespace matgrad::detail
