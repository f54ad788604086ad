"""Arrays of NumPy, PyTorch, JAX, CuPy, or anything with DLPack: what kind a call has, and new ones like it.

Each kind answers the same few questions. Frameworks are imported when an array of theirs is first seen.
"""

from __future__ import annotations

import array
import functools
import math
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from matgrad.errors import OperandError, OperandTypeError

FLOATS = ("float32", "float64")
_JAX_ALIGNMENT = 64  # bytes
_NATIVE = (np.dtype("float32"), np.dtype("float64"))


class NumPyKind:
    """Arrays of NumPy; numbers and lists become these. Also what JAX arrays are computed in."""

    name = "numpy"

    def is_native(self, array: Any) -> bool:
        return isinstance(array, np.ndarray)

    def device(self, array: Any) -> str:
        return "cpu"

    def dtype_name(self, array: Any) -> str:
        return array.dtype.name

    def asarray(self, value: Any, dtype: str, device: str) -> Any:
        return np.asarray(value, dtype=dtype)

    def empty(self, shape: tuple[int, ...], dtype: str, device: str) -> Any:
        return np.empty(shape, dtype)

    def contiguous(self, array: Any) -> Any:
        return np.ascontiguousarray(array)

    def handed_over(self, array: Any) -> Any:
        return array

    def move_axis(self, array: Any, source: int) -> Any:
        return np.moveaxis(array, source, 0)

    def finish(self, array: Any) -> Any:
        return array[()] if array.ndim == 0 else array

    def stream(self, device: str) -> int:
        return 0


class DLPackKind(NumPyKind):
    """Arrays of any other library, in host memory: results are NumPy's, given to `from_dlpack` of the library."""

    def __init__(self, module: str, namespace: Any):
        self.name = module
        self.namespace = namespace

    def is_native(self, array: Any) -> bool:
        return root_module(array) == self.name

    def dtype_name(self, array: Any) -> str:
        return getattr(array.dtype, "name", str(array.dtype)).rpartition(".")[2]

    def device(self, array: Any) -> str:
        return device_text(array)

    def asarray(self, value: Any, dtype: str, device: str) -> Any:
        if self.is_native(value):
            value = np.from_dlpack(value)
        return np.asarray(value, dtype=dtype)

    def contiguous(self, array: Any) -> Any:
        return np.ascontiguousarray(np.from_dlpack(array) if self.is_native(array) else array)

    def move_axis(self, array: Any, source: int) -> Any:
        return np.moveaxis(np.from_dlpack(array), source, 0)

    def finish(self, array: Any) -> Any:
        return self.namespace.from_dlpack(array)


class JaxKind(DLPackKind):
    """Arrays of JAX on the processor. Inside `jit`, `grad` and `vmap`, and on GPUs: `matgrad.jax`."""

    def __init__(self) -> None:
        import jax

        super().__init__("jax", jax.numpy)
        self.array = jax.Array
        self.tracer = jax.core.Tracer
        self.device_put = jax.device_put

    def is_native(self, array: Any) -> bool:
        return isinstance(array, self.array)

    def device(self, array: Any) -> str:
        if isinstance(array, self.tracer):
            raise OperandTypeError(
                "found an array that JAX is tracing, expected one with data; matgrad.jax.function has "
                "functions for jit, grad and vmap"
            )
        if next(iter(array.devices())).platform != "cpu":
            raise OperandTypeError("found a JAX array on a GPU; matgrad.jax.function has functions for it")
        return "cpu"

    def empty(self, shape: tuple[int, ...], dtype: str, device: str) -> Any:
        """As JAX aligns its own: only such memory can become a JAX array without a copy."""
        count = math.prod(shape) * np.dtype(dtype).itemsize
        memory = np.empty(count + _JAX_ALIGNMENT, np.uint8)
        start = -memory.ctypes.data % _JAX_ALIGNMENT
        return memory[start : start + count].view(dtype).reshape(shape)

    def finish(self, array: Any) -> Any:
        return self.device_put(array, may_alias=True)


class TorchKind:
    """Tensors of PyTorch, of the processor and of GPUs. No graph is recorded: `matgrad.torch` has functions that do."""

    name = "torch"

    def __init__(self) -> None:
        import torch

        self.torch = torch
        self.names = {torch.float32: "float32", torch.float64: "float64"}
        self.dtypes = {name: dtype for dtype, name in self.names.items()}
        self.dtypes |= {"int32": torch.int32, "uint8": torch.uint8}

    def is_native(self, array: Any) -> bool:
        return isinstance(array, self.torch.Tensor)

    def device(self, array: Any) -> str:
        return str(array.device)

    def dtype_name(self, array: Any) -> str:
        return self.names.get(array.dtype) or str(array.dtype).rpartition(".")[2]

    def asarray(self, value: Any, dtype: str, device: str) -> Any:
        return self.torch.as_tensor(value, dtype=self.dtypes[dtype], device=device).detach()

    def empty(self, shape: tuple[int, ...], dtype: str, device: str) -> Any:
        return self.torch.empty(shape, dtype=self.dtypes[dtype], device=device)

    def contiguous(self, array: Any) -> Any:
        return array.contiguous()

    def handed_over(self, array: Any) -> Any:
        """NumPy's view of a tensor in host memory costs a fraction of what its DLPack does."""
        return array.numpy() if isinstance(array, self.torch.Tensor) else array

    def move_axis(self, array: Any, source: int) -> Any:
        return array.movedim(source, 0)

    def finish(self, array: Any) -> Any:
        return array

    def stream(self, device: str) -> int:
        return self.torch.cuda.current_stream(device).cuda_stream


class CuPyKind:
    """Arrays of CuPy."""

    name = "cupy"

    def __init__(self) -> None:
        import cupy

        self.cupy = cupy

    def is_native(self, array: Any) -> bool:
        return isinstance(array, self.cupy.ndarray)

    def device(self, array: Any) -> str:
        return f"cuda:{array.device.id}"

    def dtype_name(self, array: Any) -> str:
        return array.dtype.name

    def asarray(self, value: Any, dtype: str, device: str) -> Any:
        with self.cupy.cuda.Device(int(device.rpartition(":")[2])):
            return self.cupy.asarray(value, dtype=dtype)

    def empty(self, shape: tuple[int, ...], dtype: str, device: str) -> Any:
        with self.cupy.cuda.Device(int(device.rpartition(":")[2])):
            return self.cupy.empty(shape, dtype)

    def contiguous(self, array: Any) -> Any:
        return self.cupy.ascontiguousarray(array)

    def move_axis(self, array: Any, source: int) -> Any:
        return self.cupy.moveaxis(array, source, 0)

    def finish(self, array: Any) -> Any:
        return array

    def stream(self, device: str) -> int:
        return self.cupy.cuda.get_current_stream().ptr


NUMPY = NumPyKind()
_jax = functools.cache(JaxKind)
_torch = functools.cache(TorchKind)
_cupy = functools.cache(CuPyKind)


@functools.cache
def _other(module: str) -> DLPackKind:
    return DLPackKind(module, sys.modules[module])


def root_module(value: Any) -> str:
    """`torch` of a subclass of torch.Tensor, too."""
    for base in type(value).__mro__:
        root = base.__module__.partition(".")[0]
        if root in ("numpy", "torch", "cupy"):
            return root
        if root in ("jax", "jaxlib"):
            return "jax"
    return type(value).__module__.partition(".")[0]


def device_text(array: Any) -> str:
    """Of an array with DLPack: `cpu`, `cuda:0`."""
    kind, index = array.__dlpack_device__()
    if kind in (1, 3):
        return "cpu"
    if kind in (2, 13):
        return f"cuda:{index}"
    raise OperandTypeError(f"found an array on DLPack device {kind}, expected the processor or an NVIDIA GPU")


def kind_of(name: str, value: Any) -> Any | None:
    """The kind of one operand; None for what has none of its own: numbers, lists, buffers."""
    if type(value) is np.ndarray:
        return NUMPY
    if isinstance(value, np.ma.MaskedArray):
        raise OperandTypeError(f"operand '{name}': found a masked array, expected entries without a mask")
    if isinstance(value, (bool, int, float, list, tuple, memoryview, array.array)):
        return None
    root = root_module(value)
    if root == "numpy":
        return NUMPY if isinstance(value, np.ndarray) else None
    if root == "torch":
        kind = _torch()
        if value.layout is not kind.torch.strided:
            raise OperandTypeError(f"operand '{name}': found a tensor of layout {value.layout}, expected a dense one")
        return kind
    if root == "jax":
        return _jax()
    if root == "cupy":
        return _cupy()
    if hasattr(value, "__dlpack__") and hasattr(value, "__dlpack_device__"):
        return _other(root)
    if hasattr(value, "__array__"):
        return NUMPY
    raise OperandTypeError(
        f"operand '{name}': found {type(value).__name__}, expected an array of NumPy, PyTorch, JAX, CuPy or with "
        "DLPack, or a number"
    )


class Operands:
    """The operands of a call as arrays of one kind, type and device."""

    __slots__ = ("arrays", "device", "dtype", "kind")

    def __init__(self, names: Sequence[str], values: Sequence[Any]):
        first = values[0] if values else None
        if type(first) is np.ndarray and first.dtype in _NATIVE:
            dtype = first.dtype
            if all(type(value) is np.ndarray and value.dtype == dtype for value in values):
                self.kind, self.arrays, self.dtype, self.device = NUMPY, tuple(values), dtype.name, "cpu"
                return
        self._settle(names, values)

    def _settle(self, names: Sequence[str], values: Sequence[Any]) -> None:
        self.kind = NUMPY
        leader = None
        kinds = [kind_of(name, value) for name, value in zip(names, values, strict=False)]
        for name, kind in zip(names, kinds, strict=True):
            if kind is None or kind is NUMPY:
                continue
            if self.kind is NUMPY:
                self.kind, leader = kind, name
            elif kind is not self.kind:
                raise OperandTypeError(
                    f"operand '{name}': found an array of {kind.name}, expected one of {self.kind.name}, as "
                    f"'{leader}' is"
                )
        self.device = "cpu"
        leader = None
        for name, value in zip(names, values, strict=True):
            if self.kind.is_native(value):
                device = self.kind.device(value)
                if leader is None:
                    self.device, leader = device, name
                elif device != self.device:
                    raise OperandError(
                        f"operand '{name}': found on {device}, expected on {self.device}, as '{leader}' is"
                    )
        self.dtype = self._common_type(names, values, kinds)
        arrays = []
        for name, value in zip(names, values, strict=True):
            is_ready = self.kind.is_native(value) and self.kind.dtype_name(value) == self.dtype
            if is_ready and self.kind.name == "torch":
                value = value.detach().resolve_neg()
            if is_ready and self.kind is NUMPY and not value.dtype.isnative:
                is_ready = False
            arrays.append(value if is_ready else self._converted(name, value))
        self.arrays = tuple(arrays)

    def _converted(self, name: str, value: Any) -> Any:
        try:
            return self.kind.asarray(value, self.dtype, self.device)
        except (TypeError, ValueError, OverflowError) as error:  # lists of unequal lengths, numbers too large
            raise OperandTypeError(f"operand '{name}': {str(error).partition(chr(10))[0]}") from error

    def _common_type(self, names: Sequence[str], values: Sequence[Any], kinds: Sequence[Any]) -> str:
        """float64 if any array is, float32 if all floats are; integers and numbers follow the floats."""
        found: set[str] = set()
        for name, value, kind in zip(names, values, kinds, strict=True):
            if kind is None:
                continue
            dtype = kind.dtype_name(value) if kind.is_native(value) else np.asarray(value).dtype.name
            if dtype in FLOATS:
                found.add(dtype)
            elif not dtype.startswith(("int", "uint", "bool")):
                advice = f"; convert it first, as {name}.astype('float32')" if "float" in dtype else ""
                raise OperandTypeError(f"operand '{name}': found {dtype}, expected float32 or float64{advice}")
        return "float32" if found == {"float32"} else "float64"
