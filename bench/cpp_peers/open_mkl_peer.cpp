#include <dlfcn.h>
#include <fmt/format.h>

#include "bench/cpp_peers/contenders.hpp"

namespace matgrad::bench {
#ifdef MATGRAD_MKL_PEER
namespace {

template <typename Function>
void find(void* library, const char* name, Function& function) {
    function = reinterpret_cast<Function>(dlsym(library, name));
    if (function == nullptr) {
        throw MachineError(MATGRAD_MKL_PEER " is not the MKL peer");
    }
}

}  // namespace
#endif

MklEntries open_mkl_peer() {
#ifdef MATGRAD_MKL_PEER
    // Opened, not linked: MKL has every name of the BLAS that matgrad brings. Never closed.
    void* const library = dlopen(MATGRAD_MKL_PEER, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
        throw MachineError(fmt::format("cannot be opened: {}", dlerror()));
    }
    MklEntries entries;
    find(library, "matgrad_mkl_peer", entries.run);
    find(library, "matgrad_mkl_version", entries.version);
    return entries;
#else
    throw MachineError("absent when this was built (bench/README.md)");
#endif
}

}  // namespace matgrad::bench
