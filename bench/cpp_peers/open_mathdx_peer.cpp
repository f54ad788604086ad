#include <dlfcn.h>
#include <fmt/format.h>

#include "bench/cpp_peers/contenders.hpp"

namespace matgrad::bench {
#ifdef MATGRAD_MATHDX_PEER
namespace {

template <typename Function>
void find(void* library, const char* name, Function& function) {
    function = reinterpret_cast<Function>(dlsym(library, name));
    if (function == nullptr) {
        throw MachineError(MATGRAD_MATHDX_PEER " is not the mathdx peer");
    }
}

}  // namespace
#endif

MathdxEntries open_mathdx_peer() {
#ifdef MATGRAD_MATHDX_PEER
    // In the run path of the program. Never closed: CUDA does not like to be.
    void* const library = dlopen(MATGRAD_MATHDX_PEER, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
        throw MachineError(fmt::format("cannot be opened: {}", dlerror()));
    }
    MathdxEntries entries;
    find(library, "matgrad_mathdx_peer", entries.make);
    find(library, "matgrad_mathdx_offers", entries.offers);
    find(library, "matgrad_mathdx_absent", entries.absent);
    find(library, "matgrad_mathdx_version", entries.version);
    if (const std::string why = entries.absent(); !why.empty()) {
        throw MachineError(why);
    }
    return entries;
#else
    throw MachineError("absent: this was built without CUDA");
#endif
}

}  // namespace matgrad::bench
