"""Two processes of this machine that talk by gloo."""

import os

import torch
import torch.distributed

COUNT = 2


def _begin(rank, work, store, arguments):
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=COUNT)
    try:
        work(rank, *arguments)
    finally:
        torch.distributed.destroy_process_group()


def in_two_processes(work, folder, *arguments):
    """Runs work(rank, *arguments) in both; what one of them raises is raised here."""
    torch.multiprocessing.spawn(_begin, (work, str(folder / "store"), arguments), nprocs=COUNT)
