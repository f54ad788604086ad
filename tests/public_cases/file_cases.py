"""Cases of files: f = dot(C, X), with C the file; its gradient by X is what NumPy reads from the file.

Where C is a scalar or a vector, it is declared so. A file that NumPy refuses is to be refused in one line.
"""

import base64
import subprocess

import numpy as np

# What the titles say beyond the file: a scalar or vector is declared, and the type of X.
DECLARED = {
    "N16": ("dot(C, X)", ["C=n", "X=n"]),
    "N32": ("dot(C, X)", ["C=n", "X=n"]),
    "N33": ("dot(C, X)", ["C=n", "X=n"]),
    "N35": ("C*X", ["C=1", "X=1"]),
    "N36": ("C*X", ["C=1", "X=1"]),
    "N37": ("C*X", ["C=1", "X=1"]),
    "N40": ("C*sum(X)", ["C=1", "X=3,4"]),
}
FLOAT32 = {"N40"}
# NumPy reads these, and matgrad says what to save in their place.
REFUSED = {"N14": "astype('float64')", "N15": ".real and .imag", "N39": "--type float32"}
# A header that NumPy holds for too long to be safe; it lies within what matgrad reads.
READ = {"N44"}
# What is not silent on stderr though it is read.
REMARKS = {"N11": "bool, converted to float64", "N12": "int64, converted to float64",
           "N13": "float16, converted to float64", "N20": "several arrays",
           "N40": "float64, converted to float32"}


def write_spaces(path, version, file_bytes):
    """A (3, 4) file of float64 whose header is filled with spaces up to `file_bytes`."""
    data = (np.arange(12) / 11 + 0.1).tobytes()
    prefix = 10 if version == 1 else 12
    length = file_bytes - len(data) - prefix
    text = b"{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }"
    header = text.ljust(length - 1) + b"\n"
    path.write_bytes(b"\x93NUMPY" + bytes([version, 0]) + length.to_bytes(prefix - 8, "little") +
                     header + data)


def load(path, case):
    """What NumPy makes of the file, or None if it refuses."""
    try:
        array = np.load(path) if case["id"] not in READ else np.load(path, allow_pickle=True)
        return None if not isinstance(array, np.ndarray) else array
    except Exception:  # whatever it is, the file is refused
        return None


def is_number(array):
    return array.dtype.kind in "fiub" and array.dtype.itemsize <= 8


def check(command, device, case, folder):
    """What is not right, or None."""
    name, path = case["id"], folder / "C.npy"
    if "spaces" in case:
        write_spaces(path, case["spaces"]["version"], case["spaces"]["file_bytes"])
    else:
        path.write_bytes(base64.b64decode(case["file"]))
    array = load(path, case)
    f, declared = DECLARED.get(name, ("dot(C, X)", ["C=m,n", "X=m,n"]))
    shape = (3, 4) if name == "N40" or array is None else array.shape
    np.save(folder / "X.npy", np.ones(shape, np.float32 if name in FLOAT32 else np.float64))
    words = ["eval", f, "--wrt", "X", "--device", device, "C=C.npy", "X=X.npy", "--grad", "G.npy"]
    for declaration in declared:
        words += ["--declare", declaration]
    done = subprocess.run([command, *words], cwd=folder, capture_output=True, text=True, timeout=60)
    lines = done.stderr.splitlines()
    if array is None or not is_number(array) or name in REFUSED:
        if done.returncode != 2 or len(lines) != 1 or "C.npy" not in lines[0]:
            return f"expected a refusal of one line, found status {done.returncode}: {done.stderr}"
        if REFUSED.get(name, "") not in lines[0]:
            return f"expected {REFUSED[name]} in: {lines[0]}"
        return None
    if done.returncode != 0:
        return done.stderr.strip()
    found = np.load(folder / "G.npy")
    expected = np.broadcast_to(array, shape) if name == "N40" else array
    if found.shape != expected.shape:
        return f"gradient has shape {found.shape}, expected {expected.shape}"
    if not np.array_equal(found, expected.astype(found.dtype)):
        return f"gradient is {found.ravel()[:4]}, expected {expected.ravel()[:4]}"
    remark = REMARKS.get(name)
    if len(lines) != (1 if remark else 0) or (remark and remark not in lines[0]):
        return f"expected {remark or 'nothing'} on stderr, found: {done.stderr}"
    return None
