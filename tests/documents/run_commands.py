#!/usr/bin/env python3
"""run_commands.py MATGRAD SOURCE DOCUMENT...: runs every command of matgrad that a document shows.

A command is a line of a code block that begins with `$ `; the lines behind it, up to an empty one, are what it
prints. In running text it is `matgrad ...` between backticks. Commands with `...` in them or that need a GPU
are not run. Of scripts and presets that are shown it is asked that they exist: scripts/test is what runs this.
"""
import json
import os
import re
import shlex
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

NEEDS_A_GPU = re.compile(r"--device cuda|--executor library")
# Operands that commands name, in files of that name: shapes.
FILES = {"A.npy": (20, 6, 3), "x.npy": (20, 3), "b.npy": (20, 6), "X.npy": (20, 6, 3)}


def write_npy(path: Path, shape: tuple) -> None:
    """Float64 in C order, as the format's documentation has it; numbers without a pattern."""
    count = 1
    for extent in shape:
        count *= extent
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    numbers = [(i * 37 % 101) / 50 - 1 for i in range(count)]
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() +
                     struct.pack(f"<{count}d", *numbers))


def commands(text: str):
    """Line numbers, commands and the lines that follow; None where no output is shown."""
    lines = text.splitlines()
    fence = None
    for i, line in enumerate(lines):
        if line.startswith("```"):
            fence = line[3:] or "text" if fence is None else None
            continue
        in_code = fence in ("text", "sh", "console", "bash") or fence is None and line.startswith("    ")
        if not in_code:
            if fence is None:
                for command in re.findall(r"`((?:matgrad |scripts/|cmake --)[^`]*)`", line):
                    yield i + 1, command, None
            continue
        line = line.strip()
        command = line[2:] if line.startswith("$ ") else line
        if not line.startswith("$ ") and not re.match(r"scripts/|cmake ", line):
            continue
        command = re.sub(r" +# .*", "", command)
        shown = []
        for follower in lines[i + 1:]:
            if not follower.strip() or follower.startswith("```") or follower.strip().startswith("$ "):
                break
            shown.append(follower[4:] if fence is None else follower)
        yield i + 1, command, shown if line.startswith("$ ") and shown else None


def fault(command: str, shown, matgrad: str, source: Path, folder: str) -> str:
    """What is wrong with a command that is shown; empty: nothing."""
    if not command.startswith("matgrad"):
        presets = json.loads((source / "CMakePresets.json").read_text())
        names = {p["name"] for kind in ("configurePresets", "workflowPresets") for p in presets.get(kind, [])}
        for script in re.findall(r"scripts/[\w.-]+", command):
            if not os.access(source / script, os.R_OK if "." in script else os.X_OK):
                return f"there is no {script}"
        for preset in re.findall(r"(?:--preset|--workflow --preset) (\S+)", command):
            if preset not in names:
                return f"CMakePresets.json has no preset {preset}"
        return ""
    words = shlex.split(command)[1:]
    if "..." in words or "COMMAND" in words or NEEDS_A_GPU.search(command):
        print(f"not run: {command}")
        return ""
    run = subprocess.run([matgrad, *words], cwd=folder, capture_output=True, text=True, timeout=120)
    if run.returncode != 0:
        return f"'{command}' ended with status {run.returncode}: {run.stderr.strip()}"
    printed = run.stdout.rstrip("\n").split("\n")
    if shown is not None and printed != shown:
        return f"'{command}' printed\n" + "\n".join(printed) + "\nwhere this is shown\n" + "\n".join(shown)
    return ""


def main(matgrad: str, source: str, documents: list) -> None:
    faults = []
    count = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, shape in FILES.items():
            write_npy(Path(folder) / name, shape)
        for document in documents:
            for number, command, shown in commands(Path(document).read_text()):
                count += 1
                found = fault(command, shown, matgrad, Path(source), folder)
                if found:
                    faults.append(f"{Path(document).name}:{number}: {found}")
    print(f"{count} commands in {len(documents)} documents")
    if faults or count == 0:
        sys.exit("\n".join(faults) or "no command was found")


main(os.path.abspath(sys.argv[1]), sys.argv[2], sys.argv[3:])
