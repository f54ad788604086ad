#include "expression/guarded.hpp"

#include <fmt/format.h>

#include <new>
#include <stdexcept>
#include <system_error>

#include "matgrad/error.hpp"

namespace matgrad::detail {
namespace {

// Made before it is needed: a copy shares the text, so throwing it takes no memory but what the runtime keeps
// in reserve for exceptions.
const MachineError kMemoryRanOut("memory ran out before the call was done");

}  // namespace

void throw_as_matgrad() {
    try {
        throw;
    } catch (const Error&) {
        throw;
    } catch (const FromCaller& thrown) {
        std::rethrow_exception(thrown.exception);
    } catch (const std::bad_alloc&) {
        throw MachineError(kMemoryRanOut);
    } catch (const std::length_error&) {  // more than any memory holds
        throw MachineError(kMemoryRanOut);
    } catch (const std::system_error& error) {
        throw MachineError(fmt::format("the system refused: {}", error.what()));
    } catch (const std::exception& error) {
        throw Error(fmt::format("a fault of matgrad, please report it: {}", error.what()));
    }
}

}  // namespace matgrad::detail
