"""`python -m matgrad.bench`: everybody computes the same, and who does not is said to be wrong."""

import dataclasses
import json
import math

import numpy as np
import pytest

import matgrad as mg
from matgrad import bench

SMALL = {"m": 5, "n": 3, "p": 2, "k": 4}


@pytest.mark.parametrize("case", bench.CASES, ids=lambda case: case.name)
def test_numpy_by_hand_is_the_formula_and_its_gradient_by_differences(case):
    case = dataclasses.replace(case, sizes={name: SMALL[name] for name in case.sizes})
    function = mg.function(f"@{case.name}")
    given = bench.operands(case, function, 2, "float64")
    value, gradient = case.by_hand(**given)
    for problem in range(2):
        one = {name: array if name in case.shared else array[problem] for name, array in given.items()}
        assert value[problem] == pytest.approx(float(case.formula(np, **one)), rel=1e-13)
        direction = np.random.default_rng(8).standard_normal(one[function.wrt[0]].shape)

        up, down = (
            float(case.formula(np, **{**one, function.wrt[0]: one[function.wrt[0]] + step * direction}))
            for step in (1e-5, -1e-5)
        )
        slope = (up - down) / 2e-5
        assert slope == pytest.approx((gradient[problem] * direction).sum(), rel=1e-7, abs=1e-8)


@pytest.fixture
def neither_jax_nor_torch(monkeypatch):
    """They take seconds to import and to compile."""
    installed = bench.importlib.util.find_spec
    monkeypatch.setattr(
        bench.importlib.util, "find_spec", lambda name: None if name in ("jax", "torch") else installed(name)
    )


def test_a_row_has_the_median_of_every_contender_and_their_distances(neither_jax_nor_torch):
    row = bench.measure(bench.CASES[1], 10, "float64", 0.0)
    assert set(row["seconds"]) == set(row["distance"]) == {"matgrad", "numpy"}
    assert row["calls"] >= 3 and row["distance"]["numpy"] < 1e-13
    assert row["text"] == "norm2(A*x - b)^2" and row["problems"] == 10


def test_whoever_has_other_gradients_is_wrong():
    row = {"case": "c", "sizes": {"m": 2}, "problems": 3, "dtype": "float64",
           "seconds": {"matgrad": 1e-3, "numpy": 2e-3, "jax": 5e-4, "torch": 1e-3},
           "distance": {"matgrad": 0.0, "numpy": 1e-14, "jax": 1e-3, "torch": math.nan}}
    assert bench.line(row).split() == ["c", "m=2", "3", "float64", "1.000", "2.00x", "wrong", "wrong"]


def test_the_command_prints_a_table_and_writes_its_rows(tmp_path, capsys, neither_jax_nor_torch):
    path = tmp_path / "rows.json"
    assert bench.main(["--problems", "5", "--seconds", "0", "--dtype", "float32", "--json", str(path)]) == 0
    rows = json.loads(path.read_text())["rows"]
    assert [row["case"] for row in rows] == [case.name for case in bench.CASES]
    printed = capsys.readouterr().out.splitlines()
    assert "matgrad, ms" in printed[2] and printed[3].startswith("frobenius") and "x" in printed[3]


@pytest.mark.full
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", bench.CASES, ids=lambda case: case.name)
def test_jax_and_pytorch_have_the_same_gradients(case, dtype):
    row = bench.measure(case, 20, dtype, 0.0)
    bound = 1e-4 if dtype == "float32" else 1e-11
    assert all(distance < bound for distance in row["distance"].values()), row["distance"]
