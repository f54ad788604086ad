// In matgrad_cpp_peers_simulated the peer is part of the program.

#include "bench/cpp_peers/contenders.hpp"

namespace matgrad::bench {

GpuPeerEntry open_cublas_peer() {
    return matgrad_cublas_peer;
}

}  // namespace matgrad::bench
