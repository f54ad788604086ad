/// \file A libcuda.so.1 of as many calls as run.sh's holder makes, for machines without a driver.

#include <unistd.h>

#include <cstdlib>
#include <cstring>

extern "C" {

/// While there is a file of the name in FAKE_GPU_LOST, the GPU is lost.
int cuInit(unsigned) {
    const char* const path = std::getenv("FAKE_GPU_LOST");
    constexpr int kNoDevice = 100;
    return path != nullptr && access(path, F_OK) == 0 ? kNoDevice : 0;
}

int cuDeviceGet(int* device, int) {
    *device = 0;
    return 0;
}

int cuDeviceGetName(char* name, int size, int) {
    std::strncpy(name, "Fake GPU", static_cast<std::size_t>(size));
    return 0;
}

int cuDeviceGetAttribute(int* value, int, int) {
    *value = 0;
    return 0;
}

int cuDevicePrimaryCtxRetain(void** context, int) {
    *context = nullptr;
    return 0;
}

int cuGetErrorString(int, const char** text) {
    *text = "no CUDA-capable device is detected";
    return 0;
}

}  // extern "C"
