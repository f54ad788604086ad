"""torch.distributed: each process has a part of the batch, sums are all-reduced."""

import pytest

torch = pytest.importorskip("torch", minversion="2.6")
if not torch.distributed.is_available():
    pytest.skip("this PyTorch has no torch.distributed", allow_module_level=True)

from batch_in_parts import one_of_two, operands, results  # noqa: E402
from two_processes import COUNT, in_two_processes  # noqa: E402

from catalogue_in_torch import assert_close  # noqa: E402


@pytest.mark.full
def test_two_processes_have_what_one_has(tmp_path):
    in_two_processes(one_of_two, tmp_path, str(tmp_path))
    own, summed = results(*operands())
    parts = [torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(COUNT)]
    for k, whole in enumerate(own):
        assert torch.equal(torch.cat([part[0][k] for part in parts]), whole)  # bit for bit
    for part in parts:
        assert_close(part[1], summed, rtol=1e-12)
