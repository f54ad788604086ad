#!/usr/bin/env python3
"""architectures.py FILE: the compute capabilities that a library has machine code for, as `80 90 100`.

Reads the fat binaries that nvcc leaves in the file: a header (magic number, version, bytes of header, bytes
of what follows), then entries with a header each (kind: 2 is machine code, 1 PTX; its own bytes; bytes of
the content; the capability).
"""

import struct
import sys

MAGIC = struct.pack("<I", 0xBA55ED50)
MACHINE_CODE = 2


def capabilities(content):
    found = set()
    at = content.find(MAGIC)
    while at >= 0:
        header_bytes, all_bytes = struct.unpack_from("<HQ", content, at + 6)
        entry, end = at + header_bytes, at + header_bytes + all_bytes
        while entry + 64 <= min(end, len(content)):
            kind, _, entry_header, size = struct.unpack_from("<HHIQ", content, entry)
            if entry_header < 64:
                break  # not what it looked like
            if kind == MACHINE_CODE:
                found.add(struct.unpack_from("<I", content, entry + 28)[0])
            entry += entry_header + size
        at = content.find(MAGIC, at + 4)
    return sorted(found)


if __name__ == "__main__":
    with open(sys.argv[1], "rb") as file:
        print(*capabilities(file.read()))
