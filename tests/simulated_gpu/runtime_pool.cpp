// Memory taken and given back in the order of a stream, and the default pool that it comes from.
//
// Memory is there from the call on; it is given back when the stream gets there. The pool reserves what
// is in use and no more.

#include <algorithm>

#include "simulated_gpu/machine.hpp"

namespace matgrad::simulated {
namespace {

struct Pool {
    std::map<void*, std::size_t> blocks;
    std::uint64_t used_high = 0, reserved_high = 0;
};

Pool& pool_of(int device) {
    static std::map<int, Pool> pools;
    return pools[device];
}

/// Blocks may have been given back by cudaFree.
std::uint64_t used(Pool& pool) {
    const Memory& memory = simulation().memory;
    std::uint64_t sum = 0;
    for (auto it = pool.blocks.begin(); it != pool.blocks.end();) {
        const Block* const block = memory.find(it->first);
        const bool is_live = block != nullptr && block->data == it->first;
        sum += is_live ? it->second : 0;
        it = is_live ? std::next(it) : pool.blocks.erase(it);
    }
    return sum;
}

Pool* find_pool(cudaMemPool_t handle) {
    for (std::size_t i = 0; i < simulation().devices.size(); ++i) {
        Pool& pool = pool_of(static_cast<int>(i));
        if (reinterpret_cast<cudaMemPool_t>(&pool) == handle) {
            return &pool;
        }
    }
    return nullptr;
}

/// As a task of a stream, which calls nothing of CUDA.
void give_back(void* data) {
    Simulation& s = simulation();
    const Block* const block = s.memory.find(data);
    if (block == nullptr || block->data != data) {
        report("not a live allocation of device memory");
        return;
    }
    constexpr std::size_t kUnit = Memory::kAlignment;
    s.devices[static_cast<std::size_t>(block->device)].used -=
        (block->bytes + kUnit - 1) / kUnit * kUnit;
    (void)s.memory.release(data);
}

/// Work in the order of a stream that the simulation does not put into graphs.
cudaError_t check_not_captured(const StreamState& stream, const char* function) {
    if (stream.capture) {
        report(std::string(function) + ": the simulation has no memory in graphs");
        return invalidate(stream.capture, cudaErrorStreamCaptureUnsupported);
    }
    return cudaSuccess;
}

}  // namespace
}  // namespace matgrad::simulated

using namespace matgrad::simulated;  // NOLINT: the stand-ins have no namespace

extern "C" {

cudaError_t cudaDeviceGetDefaultMemPool(cudaMemPool_t* pool, int device) {
    return runtime_call("cudaDeviceGetDefaultMemPool", [&] {
        if (pool == nullptr) {
            return cudaErrorInvalidValue;
        }
        if (device < 0 || static_cast<std::size_t>(device) >= simulation().devices.size()) {
            return cudaErrorInvalidDevice;
        }
        *pool = reinterpret_cast<cudaMemPool_t>(&pool_of(device));
        return cudaSuccess;
    });
}

cudaError_t cudaMemPoolGetAttribute(cudaMemPool_t handle, cudaMemPoolAttr attribute, void* value) {
    return runtime_call("cudaMemPoolGetAttribute", [&] {
        Pool* const pool = find_pool(handle);
        if (pool == nullptr || value == nullptr) {
            return cudaErrorInvalidValue;
        }
        auto* const bytes = static_cast<std::uint64_t*>(value);
        switch (attribute) {
            case cudaMemPoolAttrUsedMemCurrent:
            case cudaMemPoolAttrReservedMemCurrent:
                *bytes = used(*pool);
                return cudaSuccess;
            case cudaMemPoolAttrUsedMemHigh:
                *bytes = pool->used_high;
                return cudaSuccess;
            case cudaMemPoolAttrReservedMemHigh:
                *bytes = pool->reserved_high;
                return cudaSuccess;
            default:
                report("cudaMemPoolGetAttribute: the simulation does not know attribute " +
                       std::to_string(static_cast<int>(attribute)));
                return cudaErrorInvalidValue;
        }
    });
}

/// The high marks can be set, and to zero alone.
cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t handle, cudaMemPoolAttr attribute, void* value) {
    return runtime_call("cudaMemPoolSetAttribute", [&] {
        Pool* const pool = find_pool(handle);
        const bool is_high =
            attribute == cudaMemPoolAttrUsedMemHigh || attribute == cudaMemPoolAttrReservedMemHigh;
        if (pool == nullptr || value == nullptr || !is_high ||
            *static_cast<std::uint64_t*>(value) != 0) {
            return cudaErrorInvalidValue;
        }
        (attribute == cudaMemPoolAttrUsedMemHigh ? pool->used_high : pool->reserved_high) =
            used(*pool);
        return cudaSuccess;
    });
}

cudaError_t cudaMallocAsync(void** data, std::size_t bytes, cudaStream_t stream) {
    const std::lock_guard lock(simulation().mutex);
    const auto state = find_stream(stream, "cudaMallocAsync");
    const cudaError_t code = runtime_call("cudaMallocAsync", [&] {
        return state ? check_not_captured(*state, "cudaMallocAsync")
                     : cudaErrorInvalidResourceHandle;
    });
    if (code != cudaSuccess) {
        return code;
    }
    if (const cudaError_t taken = cudaMalloc(data, bytes); taken != cudaSuccess || bytes == 0) {
        return taken;
    }
    Pool& pool = pool_of(state->device);
    pool.blocks[*data] = bytes;
    pool.used_high = std::max(pool.used_high, used(pool));
    pool.reserved_high = std::max(pool.reserved_high, used(pool));
    return cudaSuccess;
}

cudaError_t cudaFreeAsync(void* data, cudaStream_t stream) {
    return runtime_call("cudaFreeAsync", [&] {
        const auto state = find_stream(stream, "cudaFreeAsync");
        if (!state || data == nullptr) {
            return state ? cudaErrorInvalidValue : cudaErrorInvalidResourceHandle;
        }
        if (const cudaError_t code = check_not_captured(*state, "cudaFreeAsync");
            code != cudaSuccess) {
            return code;
        }
        return append(state, {"cudaFreeAsync", [data] { give_back(data); }, nullptr, nullptr});
    });
}

}  // extern "C"
