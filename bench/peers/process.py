"""What a process has to be before a library is imported into it: memory, threads, the processor."""

import os
import platform
import sys

# The C library keeps freed memory and uses large pages: libraries that allocate every result anew
# would otherwise spend their time on page faults, where matgrad is given its results' memory.
MALLOC = ("glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=68719476736:"
          "glibc.malloc.hugetlb=1")


def keep_freed_memory():
    """Starts this program again with those settings, which are read when a program starts."""
    if "GLIBC_TUNABLES" not in os.environ:
        os.environ["GLIBC_TUNABLES"] = MALLOC
        os.execv(sys.executable, [sys.executable, *sys.argv])


def fix_threads(threads):
    """The same number for all libraries; before any of them is imported."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(threads)
    processors = sorted(os.sched_getaffinity(0))
    # XLA starts as many threads as there are processors to run on.
    os.sched_setaffinity(0, processors[:threads])


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()
