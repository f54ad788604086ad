"""Keeps the driver initialised while others start and end: holds a context of the first GPU until its
standard input ends. Prints `ready: NAME` or `none: REASON`."""

import ctypes
import sys

COMPUTE_MODE = 20  # CU_DEVICE_ATTRIBUTE_COMPUTE_MODE
DEFAULT = 0  # CU_COMPUTEMODE_DEFAULT: other processes may have contexts too


def check(cuda, code, call):
    if code != 0:
        text = ctypes.c_char_p()
        cuda.cuGetErrorString(code, ctypes.byref(text))
        raise OSError(f"{call}: {(text.value or b'unknown error').decode()}")


def hold():
    cuda = ctypes.CDLL("libcuda.so.1")
    check(cuda, cuda.cuInit(0), "cuInit")
    device = ctypes.c_int()
    check(cuda, cuda.cuDeviceGet(ctypes.byref(device), 0), "cuDeviceGet")
    name = ctypes.create_string_buffer(256)
    check(cuda, cuda.cuDeviceGetName(name, len(name), device), "cuDeviceGetName")
    mode = ctypes.c_int()
    check(cuda, cuda.cuDeviceGetAttribute(ctypes.byref(mode), COMPUTE_MODE, device),
          "cuDeviceGetAttribute")
    if mode.value == DEFAULT:
        context = ctypes.c_void_p()
        check(cuda, cuda.cuDevicePrimaryCtxRetain(ctypes.byref(context), device),
              "cuDevicePrimaryCtxRetain")
    return name.value.decode(errors="replace")


def main():
    try:
        print("ready:", hold(), flush=True)
    except OSError as problem:
        print("none:", problem, flush=True)
        return
    sys.stdin.read()


if __name__ == "__main__":
    main()
