#include <dlfcn.h>
#include <fmt/format.h>

#include "bench/cpp_peers/contenders.hpp"

namespace matgrad::bench {

GpuPeerEntry open_cublas_peer() {
#ifdef MATGRAD_CUBLAS_PEER
    // In the run path of the program. Never closed: CUDA does not like to be.
    void* const library = dlopen(MATGRAD_CUBLAS_PEER, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
        throw MachineError(fmt::format("the cuBLAS peer cannot be opened: {}", dlerror()));
    }
    void* const entry = dlsym(library, "matgrad_cublas_peer");
    if (entry == nullptr) {
        throw MachineError(MATGRAD_CUBLAS_PEER " is not the cuBLAS peer");
    }
    return reinterpret_cast<GpuPeerEntry>(entry);
#else
    throw MachineError("the cuBLAS peer is absent: this was built without CUDA");
#endif
}

}  // namespace matgrad::bench
