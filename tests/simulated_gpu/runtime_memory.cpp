// Memory, and copies on streams.

#include <algorithm>
#include <cstring>

#include "simulated_gpu/machine.hpp"

namespace matgrad::simulated {
namespace {

std::size_t charged(std::size_t bytes) {
    return (bytes + Memory::kAlignment - 1) / Memory::kAlignment * Memory::kAlignment;
}

/// Where a range of a copy is.
struct Place {
    bool valid = false;
    bool device = false, pinned = false;  ///< neither: pageable
};

Place place_of(const void* data, std::size_t bytes, const char* what) {
    const Memory& memory = simulation().memory;
    if (const Block* block = memory.find(data)) {
        if (!block->contains(data, bytes)) {
            report(std::string(what) + " runs past the end of its memory");
            return {};
        }
        return {true, block->device != Block::kPinned, block->device == Block::kPinned};
    }
    if (data == nullptr || memory.was_freed(data)) {
        report(std::string(what) + (data == nullptr ? " is null" : " was freed"));
        return {};
    }
    return {true, false, false};
}

bool fits(const Place& to, const Place& from, cudaMemcpyKind kind) {
    switch (kind) {
        case cudaMemcpyHostToHost:
            return !to.device && !from.device;
        case cudaMemcpyHostToDevice:
            return to.device && !from.device;
        case cudaMemcpyDeviceToHost:
            return !to.device && from.device;
        case cudaMemcpyDeviceToDevice:
            return to.device && from.device;
        case cudaMemcpyDefault:
            return true;
    }
    return false;
}

bool overlap(const void* a, const void* b, std::size_t bytes) {
    const auto* x = static_cast<const std::byte*>(a);
    const auto* y = static_cast<const std::byte*>(b);
    return x < y + bytes && y < x + bytes;
}

/// A copy as it runs: its memory may have been freed since it was enqueued.
void copy_now(void* to, const Place& to_place, const void* from, const Place& from_place,
              std::size_t bytes) {
    const Memory& memory = simulation().memory;
    for (const auto& [data, place] :
         {std::pair{static_cast<const void*>(to), to_place}, std::pair{from, from_place}}) {
        const Block* block = memory.find(data);
        if ((place.device || place.pinned) && (block == nullptr || !block->contains(data, bytes))) {
            report(data == to ? "the target was freed before the copy ran"
                              : "the source was freed before the copy ran");
            return;
        }
    }
    std::memcpy(to, from, bytes);
}

cudaError_t enqueue_copy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                         const std::shared_ptr<StreamState>& stream) {
    if (bytes == 0) {
        return cudaSuccess;
    }
    const Place to_place = place_of(to, bytes, "the target of a copy");
    const Place from_place = place_of(from, bytes, "the source of a copy");
    if (!to_place.valid || !from_place.valid || !fits(to_place, from_place, kind)) {
        return cudaErrorInvalidValue;
    }
    if (overlap(to, from, bytes)) {
        report("source and target of a copy overlap");
        return cudaErrorInvalidValue;
    }
    const bool pageable_to = !to_place.device && !to_place.pinned;
    const bool pageable_from = !from_place.device && !from_place.pinned;
    if (stream->capture) {
        if (pageable_to || pageable_from) {
            return invalidate(stream->capture, cudaErrorStreamCaptureUnsupported);
        }
    } else if (pageable_to) {
        // Copies to pageable memory are done on return.
        const DeviceAccess access(simulation().memory);
        run_all(stream);
        copy_now(to, to_place, from, from_place, bytes);
        return cudaSuccess;
    } else if (pageable_from) {
        // Copies from pageable memory have read it on return.
        const auto* begin = static_cast<const std::byte*>(from);
        const auto staged = std::make_shared<const std::vector<std::byte>>(begin, begin + bytes);
        return append(
            stream, {"copy from pageable memory",
                     [=] { copy_now(to, to_place, staged->data(), {}, bytes); }, nullptr, nullptr});
    }
    return append(stream, {"copy", [=] { copy_now(to, to_place, from, from_place, bytes); },
                           nullptr, nullptr});
}

cudaError_t enqueue_fill(void* data, int value, std::size_t bytes,
                         const std::shared_ptr<StreamState>& stream) {
    if (bytes == 0) {
        return cudaSuccess;
    }
    const Place place = place_of(data, bytes, "the target of a fill");
    if (!place.device && !place.pinned) {
        return cudaErrorInvalidValue;
    }
    return append(stream, {"fill",
                           [=] {
                               const Block* block = simulation().memory.find(data);
                               if (block == nullptr || !block->contains(data, bytes)) {
                                   report("the target was freed before the fill ran");
                                   return;
                               }
                               std::memset(data, value, bytes);
                           },
                           nullptr, nullptr});
}

/// What copies that block do before anything else.
cudaError_t check_blocking_copy(const std::shared_ptr<StreamState>& stream) {
    if (const cudaError_t code = forbid_default_stream(*stream); code != cudaSuccess) {
        return code;
    }
    return forbid_while_capturing();
}

cudaError_t release(void* data, bool device_memory) {
    Simulation& s = simulation();
    if (data == nullptr) {
        return cudaSuccess;
    }
    const Block* found = s.memory.find(data);
    if (found == nullptr || found->data != data ||
        (found->device == Block::kPinned) == device_memory) {
        report(device_memory ? "cudaFree: not a live allocation of device memory"
                             : "cudaFreeHost: not a live allocation of pinned memory");
        return cudaErrorInvalidValue;
    }
    const Block block = *found;
    (void)s.memory.release(data);
    (device_memory ? s.devices[static_cast<std::size_t>(block.device)].used : s.pinned) -=
        charged(block.bytes);
    return cudaSuccess;
}

}  // namespace
}  // namespace matgrad::simulated

using namespace matgrad::simulated;  // NOLINT: the stand-ins have no namespace

extern "C" {

cudaError_t cudaMalloc(void** data, std::size_t bytes) {
    return runtime_call("cudaMalloc", [&] {
        if (data == nullptr) {
            return cudaErrorInvalidValue;
        }
        *data = nullptr;
        if (const cudaError_t code = forbid_while_capturing(); code != cudaSuccess) {
            return code;
        }
        if (bytes == 0) {
            return cudaSuccess;
        }
        Simulation& s = simulation();
        DeviceState& device = s.devices[static_cast<std::size_t>(current_device())];
        if (device.used > s.machine.device_memory ||
            charged(bytes) > s.machine.device_memory - device.used || charged(bytes) < bytes) {
            return cudaErrorMemoryAllocation;
        }
        *data = s.memory.allocate(bytes, current_device(), current_device());
        if (*data == nullptr) {
            return cudaErrorMemoryAllocation;
        }
        device.used += charged(bytes);
        device.peak = std::max(device.peak, device.used);
        return cudaSuccess;
    });
}

/// Does not wait for the device: memory that enqueued work still uses must not be freed.
cudaError_t cudaFree(void* data) {
    return release_call("cudaFree", [&] {
        const cudaError_t code = forbid_while_capturing();
        return code != cudaSuccess ? code : release(data, true);
    });
}

cudaError_t cudaHostAlloc(void** data, std::size_t bytes, unsigned flags) {
    return runtime_call("cudaHostAlloc", [&] {
        constexpr unsigned kKnown =
            cudaHostAllocPortable | cudaHostAllocMapped | cudaHostAllocWriteCombined;
        if (data == nullptr || (flags & ~kKnown) != 0) {
            return cudaErrorInvalidValue;
        }
        *data = nullptr;
        if (const cudaError_t code = forbid_while_capturing(); code != cudaSuccess) {
            return code;
        }
        if (bytes == 0) {
            return cudaSuccess;
        }
        Simulation& s = simulation();
        *data = s.memory.allocate(bytes, Block::kPinned, current_device());
        if (*data == nullptr) {
            return cudaErrorMemoryAllocation;
        }
        s.pinned += charged(bytes);
        return cudaSuccess;
    });
}

cudaError_t cudaFreeHost(void* data) {
    return release_call("cudaFreeHost", [&] {
        const cudaError_t code = forbid_while_capturing();
        return code != cudaSuccess ? code : release(data, false);
    });
}

cudaError_t cudaMemGetInfo(std::size_t* free_bytes, std::size_t* total_bytes) {
    return runtime_call("cudaMemGetInfo", [&] {
        if (free_bytes == nullptr || total_bytes == nullptr) {
            return cudaErrorInvalidValue;
        }
        const Simulation& s = simulation();
        const DeviceState& device = s.devices[static_cast<std::size_t>(current_device())];
        *total_bytes = s.machine.device_memory;
        *free_bytes = *total_bytes - std::min(device.used, *total_bytes);
        return cudaSuccess;
    });
}

cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* address) {
    return runtime_call("cudaPointerGetAttributes", [&] {
        if (attributes == nullptr) {
            return cudaErrorInvalidValue;
        }
        *attributes = {};
        auto* const data = const_cast<void*>(address);  // NOLINT: as the real one hands it out
        if (const Block* block = simulation().memory.find(address)) {
            const bool pinned = block->device == Block::kPinned;
            attributes->type = pinned ? cudaMemoryTypeHost : cudaMemoryTypeDevice;
            attributes->device = block->made_current;
            attributes->devicePointer = data;
            attributes->hostPointer = pinned ? data : nullptr;
        } else {
            attributes->type = cudaMemoryTypeUnregistered;
            attributes->device = cudaInvalidDeviceId;
            attributes->hostPointer = data;
        }
        return cudaSuccess;
    });
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
    return runtime_call("cudaMemcpyAsync", [&] {
        const auto state = find_stream(stream, "cudaMemcpyAsync");
        return state ? enqueue_copy(to, from, bytes, kind, state) : cudaErrorInvalidResourceHandle;
    });
}

cudaError_t cudaMemsetAsync(void* data, int value, std::size_t bytes, cudaStream_t stream) {
    return runtime_call("cudaMemsetAsync", [&] {
        const auto state = find_stream(stream, "cudaMemsetAsync");
        return state ? enqueue_fill(data, value, bytes, state) : cudaErrorInvalidResourceHandle;
    });
}

/// On the default stream, which waits here for no stream but itself.
cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
    return runtime_call("cudaMemcpy", [&] {
        const auto stream = find_stream(nullptr, "cudaMemcpy");
        if (const cudaError_t code = check_blocking_copy(stream); code != cudaSuccess) {
            return code;
        }
        const cudaError_t code = enqueue_copy(to, from, bytes, kind, stream);
        run_all(stream);
        return code;
    });
}

}  // extern "C"
