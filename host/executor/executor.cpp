#include "executor/executor.hpp"

#include "matgrad/error.hpp"

namespace matgrad {

void Executor::release() const noexcept {}

std::int64_t Executor::part_size(std::int64_t /*whole*/) const noexcept {
    return 0;
}

std::size_t Executor::part_bytes() const noexcept {
    return 0;
}

void Executor::enqueue(const DeviceCall& /*call*/) const {
    throw OperandError("enqueue is for plans on one GPU: expected run, which takes host memory");
}

}  // namespace matgrad
