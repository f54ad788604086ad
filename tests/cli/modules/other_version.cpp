// A module that was built for another version of matgrad.
extern "C" __attribute__((visibility("default"))) const void* matgrad_cuda_module(
    const char* /*version*/) {
    return nullptr;
}
