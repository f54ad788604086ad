// In matgrad_cpp_peers_simulated the peer by calls is part of the program.

#include "bench/cpp_peers/contenders.hpp"

namespace matgrad::bench {

GpuPeerEntry open_cublas_peer() {
    return matgrad_cublas_peer;
}

MathdxEntries open_mathdx_peer() {
    throw MachineError("absent on the simulated GPU");
}

}  // namespace matgrad::bench
