#!/usr/bin/env python3
"""Writes the three files beside it with scikit-learn's copy of the digits and NumPy (pip install scikit-learn).

images.txt: an image a line, 8 by 8 pixels row after row, each the digit of its value 0 to 16 in base 17.
labels.txt: which digit each image is, in the order of the images.
singular_values.txt: those of the 1797-by-64 matrix of the pixels over 16, columns centred, by LAPACK.
"""

import pathlib

import numpy as np
from sklearn.datasets import load_digits

here = pathlib.Path(__file__).parent
digits = load_digits()
pixels = digits.data.astype(int)
with open(here / "images.txt", "w", newline="\n") as out:
    for row in pixels:
        print("".join("0123456789abcdefg"[value] for value in row), file=out)
(here / "labels.txt").write_text("".join(f"{label}\n" for label in digits.target), newline="\n")
x = pixels / 16
with open(here / "singular_values.txt", "w", newline="\n") as out:
    for value in np.linalg.svd(x - x.mean(axis=0), compute_uv=False):
        print(repr(float(value)), file=out)
