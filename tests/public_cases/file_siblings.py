#!/usr/bin/env python3
"""file_siblings.py COMMAND: files that nobody named, drawn at random, through the command and through NumPy.

f = sum(C.*X) + t*sum(X.*X) with files of any type, byte order, order of axes, batch axes, columns and archives; what
NumPy computes from the same files is right. A file that NumPy itself cannot make real numbers of is to be refused.
"""

import pathlib
import subprocess
import sys
import tempfile

import numpy as np

COUNT = 120
TYPES = ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?"]
REFUSED = ["g", "c8", "c16", "U3", "S2", "M8[s]", "m8[s]", "V5", "O"]


def draw_array(rng, shape, dtype):
    """Whole numbers that every type has, so that sums of products are exact in float32."""
    array = rng.integers(0, 2 if dtype == "?" else 9, shape).astype(dtype)
    if dtype[0] in "fi":
        array = array - np.asarray(4, dtype)
    order = rng.choice(["<", ">"])
    array = array.astype(array.dtype.newbyteorder(order))
    return np.asfortranarray(array) if shape and rng.random() < 0.4 else array


class Files:
    """A folder of operands; each is a word for the command."""

    def __init__(self, folder, rng):
        self.folder, self.rng, self.words = folder, rng, []

    def save(self, name, array):
        kind = self.rng.choice(["npy", "stored", "deflated"], p=[0.6, 0.2, 0.2])
        if kind == "npy":
            np.save(self.folder / f"{name}.npy", array)
            self.words.append(f"{name}={name}.npy")
        else:
            save = np.savez if kind == "stored" else np.savez_compressed
            save(self.folder / f"{name}.npz", **{"other": np.zeros(3), name: array})
            self.words.append(f"{name}={name}.npz:{name}")


def run(command, folder, words):
    return subprocess.run([command, "eval", *words], cwd=folder, capture_output=True, text=True, timeout=120)


def own_type(arrays):
    """What the command computes in, or None where it asks for --type."""
    floats = {a.dtype.itemsize for a in arrays if a.dtype.kind == "f" and a.dtype.itemsize > 2}
    matrices = {a.dtype.itemsize for a in arrays
                if a.dtype.kind == "f" and a.dtype.itemsize > 2 and a.size != 1}
    if len(matrices) > 1:
        return None
    if matrices:
        return f"f{matrices.pop()}"
    if any(a.dtype.kind == "f" and a.dtype.itemsize == 2 for a in arrays):
        return "f4"
    return f"f{max(floats)}" if floats else "f8"


def check_numbers(command, folder, rng):
    batch = tuple(rng.integers(2, 4, rng.integers(0, 4)))
    is_vector = rng.random() < 0.5
    own = (4,) if is_vector else (2, 3)

    def draw(axes, scalar):
        shape = (batch if rng.random() < 0.6 else ()) + axes
        column = not scalar and is_vector and rng.random() < 0.4
        ones = int(rng.integers(1, 3)) if scalar and shape and rng.random() < 0.4 else 2 if scalar and \
            not shape and rng.random() < 0.3 else 1 if column else 0
        array = draw_array(rng, shape, rng.choice(TYPES))
        return array, array.reshape(shape + (1,) * ones)

    (c, c_file), (x, x_file), (t, t_file) = draw(own, False), draw(own, False), draw((), True)
    files = Files(folder, rng)
    for name, array in [("C", c_file), ("X", x_file), ("t", t_file)]:
        files.save(name, array)
    axes = "n" if is_vector else "m,n"
    words = ["sum(C.*X) + t*sum(X.*X)", "--wrt", "X", *files.words, "--grad", "g.npy", "--value", "v.npy",
             "--device", "cpu", "--memory", str(rng.choice(["1", "200", "1G"])),
             "--declare", f"C={axes}", "--declare", f"X={axes}", "--declare", "t=1"]
    # One number is a scalar that follows the others.
    dtype = own_type([c_file, x_file, t_file])
    asked = rng.choice(["", "float32", "float64"]) if dtype else rng.choice(["float32", "float64"])
    if not dtype:
        done = run(command, folder, words)
        if done.returncode != 2 or "--type float32" not in done.stderr or done.stderr.count("\n") != 1:
            return f"two types: {done.stderr}"
    if asked:
        words += ["--type", asked]
        dtype = asked
    done = run(command, folder, words)
    if done.returncode != 0:
        return done.stderr
    c, x, t = (array.astype(float) for array in (c, x, t))
    dims = tuple(range(-len(own), 0))
    scale = t.reshape(t.shape + (1,) * len(own))
    value = np.asarray((c * x).sum(dims) + t * (x * x).sum(dims))
    gradient = c + 2 * scale * x
    gradient = gradient.reshape(gradient.shape[:gradient.ndim - len(own)] + x_file.shape[x.ndim - len(own):])
    for file, expected in [("v.npy", value), ("g.npy", gradient)]:
        found = np.load(folder / file)
        if found.dtype != np.dtype(dtype) or found.shape != expected.shape or not np.array_equal(found, expected):
            return (f"{file} is {found.dtype} {found.shape}, expected {dtype} {expected.shape}; "
                    f"C {c_file.dtype} {c_file.shape}, X {x_file.dtype} {x_file.shape}, t {t_file.dtype} "
                    f"{t_file.shape}: {words}")
    return None


def check_refused(command, folder, rng, dtype):
    files = Files(folder, rng)
    files.words.append("X=X.npy")
    np.save(folder / "X.npy", np.zeros((2, 2), dtype), allow_pickle=True)
    done = run(command, folder, ["sum(X)", *files.words, "--value", "v.npy"])
    if done.returncode != 2 or done.stderr.count("\n") != 1 or "X.npy: holds " not in done.stderr or \
            ": save " not in done.stderr:
        return f"{dtype}: {done.stderr}"
    return None


def main():
    command = str(pathlib.Path(sys.argv[1]).resolve())
    rng = np.random.default_rng(20261127)
    checks = [lambda folder: check_numbers(command, folder, rng)] * COUNT
    checks += [lambda folder, d=dtype: check_refused(command, folder, rng, d) for dtype in REFUSED]
    wrong = 0
    for number, check in enumerate(checks):
        with tempfile.TemporaryDirectory() as name:
            message = check(pathlib.Path(name))
            if message:
                wrong += 1
                print(f"{number}: {message}")
    print(f"{len(checks) - wrong} of {len(checks)} files are right")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
