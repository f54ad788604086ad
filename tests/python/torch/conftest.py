"""Makes the files beside this one importable, also in processes that a test starts."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
