/// \file A libcuda.so.1 of as many calls as run.sh's holder makes, for machines without a driver.

#include <cstring>

extern "C" {

int cuInit(unsigned) {
    return 0;
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
    *text = "none";
    return 0;
}

}  // extern "C"
