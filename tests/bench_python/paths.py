"""Where the modules under test lie; every test imports this first."""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "bench" / name) for name in ("peers", "report", "accuracy", "rounds")]
