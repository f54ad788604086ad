"""What matgrad asks of CuPy, on the simulated GPU that MATGRAD_CUDA_MODULE names: memory of a device that the host
cannot read by accident, DLPack, streams. Tests put this folder on the path; CuPy itself needs a real GPU."""

import ctypes
import os

import numpy as np

_runtime = ctypes.CDLL(os.environ["MATGRAD_CUDA_MODULE"])
_runtime.cudaMemcpy.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
_runtime.cudaMalloc.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
_runtime.cudaFree.argtypes = [ctypes.c_void_p]
_TO_DEVICE, _TO_HOST = 1, 2


def _must(code):
    if code != 0:
        raise RuntimeError(f"the simulated runtime answers {code}")


class _DLTensor(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p),
        ("device_type", ctypes.c_int32),
        ("device_id", ctypes.c_int32),
        ("ndim", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    ]


class _Managed(ctypes.Structure):
    _fields_ = [("tensor", _DLTensor), ("context", ctypes.c_void_p), ("deleter", ctypes.c_void_p)]


_new_capsule = ctypes.pythonapi.PyCapsule_New
_new_capsule.restype = ctypes.py_object
_new_capsule.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]


class _Memory:
    """Freed when the stream is done with it, as the pools of CuPy and PyTorch see to."""

    def __init__(self, count):
        pointer = ctypes.c_void_p()
        _must(_runtime.cudaMalloc(ctypes.byref(pointer), max(count, 1)))
        self.address = pointer.value

    def __del__(self):
        _runtime.cudaDeviceSynchronize()
        _runtime.cudaFree(self.address)


class ndarray:
    """Of one device, with strides in elements."""

    def __init__(self, memory, offset, shape, strides, dtype):
        self._memory, self._offset, self.dtype = memory, offset, np.dtype(dtype)
        self.shape, self._strides, self.ndim = tuple(shape), tuple(strides), len(shape)
        self.device = cuda.Device(0)

    def get(self):
        steps = zip(self.shape, self._strides, strict=True)
        last = sum((n - 1) * s for n, s in steps) + 1 if 0 not in self.shape else 0
        host = np.empty(max(last, 0), self.dtype)
        _must(_runtime.cudaDeviceSynchronize())
        if host.size:
            _must(_runtime.cudaMemcpy(host.ctypes.data, self._memory.address + self._offset, host.nbytes, _TO_HOST))
        strides = [s * self.dtype.itemsize for s in self._strides]
        return np.lib.stride_tricks.as_strided(host, self.shape, strides).copy()

    def __dlpack_device__(self):
        return (2, 0)

    def __dlpack__(self, **_):
        shape = (ctypes.c_int64 * self.ndim)(*self.shape)
        strides = (ctypes.c_int64 * self.ndim)(*self._strides)
        code = {"f": 2, "i": 0, "u": 1}[self.dtype.kind]
        tensor = _DLTensor(
            self._memory.address + self._offset, 2, 0, self.ndim, code, self.dtype.itemsize * 8, 1, shape, strides, 0
        )
        self._exported = _Managed(tensor, None, None), shape, strides
        return _new_capsule(ctypes.addressof(self._exported[0]), b"dltensor", None)


def empty(shape, dtype="float64"):
    strides, step = [], 1
    for n in reversed(shape):
        strides.insert(0, step)
        step *= n
    return ndarray(_Memory(step * np.dtype(dtype).itemsize), 0, shape, strides, dtype)


def asarray(value, dtype=None):
    host = np.ascontiguousarray(value.get() if isinstance(value, ndarray) else value, dtype)
    made = empty(host.shape, host.dtype)
    if host.size:
        _must(_runtime.cudaMemcpy(made._memory.address, host.ctypes.data, host.nbytes, _TO_DEVICE))
    return made


def ascontiguousarray(array):
    return asarray(array)


def moveaxis(array, source, destination):
    axes = list(range(array.ndim))
    axes.insert(destination, axes.pop(source))
    pick = [array.shape[a] for a in axes], [array._strides[a] for a in axes]
    return ndarray(array._memory, array._offset, *pick, array.dtype)


class _Stream:
    ptr = 0


class cuda:
    class Device:
        def __init__(self, index):
            self.id = index

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

    @staticmethod
    def get_current_stream():
        return _Stream()
