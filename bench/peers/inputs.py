"""The inputs of the benchmark suite, from a seed: the numbers that `matgrad bench` draws.

bench/README.md ("Inputs") states the formula. Any range of entries can be drawn alone, so a large
operand is filled piece by piece, by several threads, with scratch that stays in the cache.
"""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np

GAMMA = np.uint64(0x9E3779B97F4A7C15)
SPREAD = np.uint64(0xD1342543DE82EF95)
CHUNK = 1 << 16  # entries drawn at once: the scratch stays in the cache


def fnv1a64(text):
    """The 64-bit FNV-1a hash of a name."""
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = ((value ^ byte) * 0x100000001B3) % 2**64
    return value


def mix_in_place(z):
    """The finaliser of splitmix64 (Steele, Lea & Flood 2014) on an array of uint64."""
    scratch = np.empty_like(z)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, None)):
        np.right_shift(z, np.uint64(shift), out=scratch)
        np.bitwise_xor(z, scratch, out=z)
        if factor is not None:
            np.multiply(z, np.uint64(factor), out=z)


def fill(flat, name, seed, first=0):
    """Fills a 1-D array with the entries first, first + 1, ... of `name`."""
    hashed = np.uint64(fnv1a64(name))
    start = np.uint64(seed)

    def fill_chunk(begin):
        piece = flat[begin:begin + CHUNK]
        z = np.arange(first + begin, first + begin + piece.size, dtype=np.uint64)
        np.multiply(z, SPREAD, out=z)
        np.bitwise_xor(z, hashed, out=z)
        np.multiply(z, GAMMA, out=z)
        np.add(z, start, out=z)
        mix_in_place(z)
        np.right_shift(z, np.uint64(11), out=z)
        np.subtract(z * 2.0**-52, 1.0, out=piece, casting="same_kind")

    begins = range(0, flat.size, CHUNK)
    if len(begins) < 8:
        for begin in begins:
            fill_chunk(begin)
    else:
        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            list(pool.map(fill_chunk, begins))


def uniform(name, seed, first, count, dtype=np.float64):
    flat = np.empty(count, dtype)
    fill(flat, name, seed, first)
    return flat


def structured(entries, structure):
    """Entries in double, of shape (batch, ...), made to have a structure."""
    if structure == "spd":
        product = entries @ np.swapaxes(entries, -1, -2)
        return product / entries.shape[-1] + np.eye(entries.shape[-1])
    if structure == "sym":
        return (entries + np.swapaxes(entries, -1, -2)) / 2
    if structure in ("lower", "upper", "diag"):
        return kept_part(entries + 2 * np.eye(entries.shape[-1]), structure)
    if structure == "orth":
        v = entries[..., :1]
        return np.eye(entries.shape[-1]) - 2 * (v @ np.swapaxes(v, -1, -2)) / np.sum(
            v * v, axis=-2, keepdims=True)
    return entries


def kept_part(entries, structure):
    """The part of a matrix that a triangular or diagonal structure keeps."""
    if structure == "lower":
        return np.tril(entries)
    if structure == "upper":
        return np.triu(entries)
    if structure == "diag":
        return entries * np.eye(entries.shape[-1])
    return entries


def draw(operand, batch, seed):
    """An operand of a case as an array: (batch, ...) if it is batched, else without that axis."""
    problems = batch if operand.batched else 1
    shape = (problems, *operand.dims)
    count = operand.count
    if operand.structure is None and operand.dims:
        result = np.empty(shape, operand.dtype)
        fill(result.reshape(-1), operand.name, seed)
    else:
        entries = uniform(operand.name, seed, 0, problems * count).reshape(shape)
        if not operand.dims:
            entries = entries + 2
        result = structured(entries, operand.structure).astype(operand.dtype)
    return result if operand.batched else result[0]


def direction(operand, problem, seed):
    """The direction D, in double, in which the gradient of one problem is checked."""
    count = operand.count
    entries = uniform("d" + operand.name, seed, problem * count, count).reshape(operand.dims)
    if operand.structure in ("sym", "spd"):
        return (entries + entries.T) / 2
    return kept_part(entries, operand.structure)
