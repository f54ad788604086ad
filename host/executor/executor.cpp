#include "executor/executor.hpp"

#include "matgrad/error.hpp"

namespace matgrad {

void Executor::release() const noexcept {}

void Executor::enqueue(const DeviceCall& /*call*/) const {
    throw OperandError("enqueue is for plans on one GPU: expected run, which takes host memory");
}

}  // namespace matgrad
