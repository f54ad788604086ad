"""The data of the examples, described with their sources in examples/data/README.md of matgrad's sources."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from matgrad.examples._report import CannotRun


def folder() -> Path:
    """Beside this file in an installed package, else examples/data of the sources that this file lies in."""
    here = Path(__file__).resolve()
    for candidate in (here.parent / "data", *(parent / "examples" / "data" for parent in here.parents)):
        if (candidate / "diabetes.csv").is_file():
            return candidate
    raise CannotRun(f"the data are missing: found neither {here.parent / 'data'} nor matgrad's sources around it")


def diabetes() -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Ten variables of 442 patients (442, 10), the progression of the disease one year later (442,), their names."""
    path = folder() / "diabetes.csv"
    table = np.loadtxt(path, delimiter=",", skiprows=1)
    names = path.read_text().partition("\n")[0].strip().lower().split(",")
    return table[:, :-1], table[:, -1], names[:-1]


def breast_cancer() -> tuple[np.ndarray, np.ndarray]:
    """Ten features of 569 tumours (569, 10); 1 for a malignant one, -1 for a benign one (569,)."""
    table = np.loadtxt(folder() / "breast_cancer" / "data.csv", delimiter=",", skiprows=1)
    return table[:, :-1], np.where(table[:, -1] > 0, 1.0, -1.0)


def breast_cancer_resamples() -> tuple[np.ndarray, np.ndarray]:
    """How often each tumour is drawn, for the data and eight resamples (9, 569), and what scikit-learn's logistic
    regression finds for each: ten coefficients and the intercept (9, 11)."""
    counts = np.loadtxt(folder() / "breast_cancer" / "counts.csv", delimiter=",")
    coefficients = np.loadtxt(folder() / "breast_cancer" / "coefficients.csv", delimiter=",", skiprows=1)
    return np.vstack([np.ones(counts.shape[1]), counts]), coefficients


def digits() -> tuple[np.ndarray, np.ndarray]:
    """1797 handwritten digits of 64 pixels from 0 to 1 (1797, 64), and which they are, 0 to 9 (1797,)."""
    lines = (folder() / "digits" / "images.txt").read_text().split()
    images = np.array([[int(pixel, 17) for pixel in line] for line in lines]) / 16
    return images, np.loadtxt(folder() / "digits" / "labels.txt", dtype=np.int64)


def standardised(columns: np.ndarray) -> np.ndarray:
    """Each column of mean 0 and variance 1."""
    return (columns - columns.mean(axis=0)) / columns.std(axis=0)
