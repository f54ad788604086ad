"""The machine: whether there is a GPU, where its libraries lie, and what is said of it."""

import glob
import os
import re
import selectors
import shutil
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

from process import Job, dying_with_this, run
from results import Part

HOLDER = Path(__file__).with_name("holder.py")
DRIVER_FOLDERS = ["/usr/local/nvidia/lib64", "/usr/local/nvidia/lib", "/usr/lib/wsl/lib",
                  "/usr/lib/x86_64-linux-gnu", "/usr/lib64"]
# Cores that OpenBLAS has kernels of AVX2 or more for. It takes those of old processors on what it does
# not know.
MODERN_CORES = {"haswell", "zen", "skylakex", "cooperlake", "sapphirerapids"}


# What a reader needs who has to find out why there is no driver or no library.
WHERE_LIBRARIES_LIE = """\
PATH=$PATH:/sbin:/usr/sbin
ldconfig -p | grep -E 'lib(cuda|cublas|cusolver|nvrtc)[.]so'
for folder; do
    for name in cuda cublas cusolver nvrtc; do
        ls -d "$folder/lib$name".so* 2>/dev/null
    done
done
nvidia-smi
true
"""


class NoGpu(Exception):
    pass


def look(run_, limit):
    """The part `machine`. Sets the environments of the run; NoGpu where there is none."""
    brief = min(8, limit / 5)  # for each of what is only told
    facts = run_.results.about["machine"]
    facts.update(processor=processor(), cores=run_.cores, python=sys.version.split()[0])
    log = run_.log("machine")
    if run_.programs.missing:
        return Part("machine", "failed", "absent: " + ", ".join(run_.programs.missing))
    if not run_.programs.simulated:
        folders = candidate_folders()
        inherited = folders_of(run_.own_env)
        if not any(os.path.exists(f"{folder}/libcuda.so.1") for folder in inherited):
            # Where the system itself would not look.
            extra = [f for f in DRIVER_FOLDERS[:3] if os.path.exists(f"{f}/libcuda.so.1")]
            set_folders(run_.own_env, inherited + extra)
        where = dict.fromkeys([*DRIVER_FOLDERS, *folders])
        told = run(Job(["sh", "-c", WHERE_LIBRARIES_LIE, "sh", *where], log, limit=brief), run_.end)
        run_.holder, answer = start_holder(run_.own_env, run_.end)
        if not answer.startswith("ready:"):
            raise NoGpu(answer.partition(":")[2].strip() or "the driver does not answer")
        facts["device"] = answer.partition(":")[2].strip()
        missing = find_libraries(run_, folders)
        if missing:
            return Part("machine", "failed", "set CUDA_HOME or LD_LIBRARY_PATH to the folder of " +
                        f"{', '.join(missing)}, not found in " + ", ".join(folders))
        old = old_core(run_)
        if old:
            run_.own_env["OPENBLAS_CORETYPE"] = "Haswell"
            facts["openblas"] = f"takes this processor for {old}: told Haswell"
        facts["library_path"] = run_.own_env.get("LD_LIBRARY_PATH", "")
        commands = [["nvcc", "--version"], ["lscpu"], ["free", "-m"]]
        if not told.outcome:  # else nvidia-smi hangs
            facts.update(ask_smi(run_))
            commands.append(["nvidia-smi", "-q"])
        for command in commands:
            if shutil.which(command[0]):
                run(Job(command, log, limit=brief), run_.end)
    devices = run(Job([run_.programs.matgrad, "devices"], run_.log("devices"), env=run_.own_env,
                      limit=15), run_.end)
    if devices.outcome:
        return Part("machine", "failed", f"matgrad devices: {devices.outcome}")
    lines = devices.output().splitlines()
    gpus = [line for line in lines if line.startswith("cuda:")]
    if not gpus:
        reason = next((line for line in lines if line.startswith("cuda ")), "cuda  none: no answer")
        raise NoGpu(reason.partition("none:")[2].strip())
    facts["devices"] = gpus
    facts["device"] = gpus[0].partition("  ")[2].partition(",")[0]
    return Part("machine", note=f"{', '.join(gpus[0].split(', ')[:2])}; {run_.cores} cores, "
                                f"{facts['processor']}")


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        return next((line.partition(":")[2].strip() for line in file
                     if line.startswith("model name")), "unknown")


def ask_smi(run_):
    """A few words for the head of the results; none where nvidia-smi has none."""
    fields = ["driver_version", "vbios_version", "compute_mode", "persistence_mode", "power.limit",
              "clocks.max.sm", "clocks.max.memory", "memory.total"]
    answer = said(run_, "smi", ["nvidia-smi", "--query-gpu=" + ",".join(fields),
                                "--format=csv,noheader", "--id=0"])
    return dict(zip(fields, answer.split(", "))) if answer else {}


def said(run_, name, command):
    """What a command that may be absent, fail or hang prints: "" then."""
    job = run(Job(command, run_.log(name), env=run_.own_env, limit=8, stdout=run_.file(name + ".out")),
              run_.end)
    return "" if job.outcome else job.output(job.stdout).strip()


def why_lost(run_):
    """Asks a fresh process for the GPU; "" where there still is one."""
    if run_.programs.simulated:
        return ""
    job = run(Job([sys.executable, HOLDER], run_.log("still_there"), env=run_.own_env, limit=10,
                  stdout=run_.file("still_there.out")))
    answer = job.output(job.stdout).strip()
    return "" if answer.startswith("ready:") else answer.partition(":")[2].strip() or job.outcome


def start_holder(env, end):
    """The process and its first line. It ends when its input does, so with this process."""
    holder = subprocess.Popen([sys.executable, HOLDER], stdin=subprocess.PIPE, env=env,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                              preexec_fn=dying_with_this())
    with selectors.DefaultSelector() as ready:
        ready.register(holder.stdout, selectors.EVENT_READ)
        patience = max(1, min(20, end - time.monotonic()))
        answer = holder.stdout.readline() if ready.select(timeout=patience) else ""
    return holder, answer.strip()


# --- Libraries ---------------------------------------------------------------------------------------

def folders_of(env):
    return [folder for folder in env.get("LD_LIBRARY_PATH", "").split(":") if folder]


def set_folders(env, folders):
    if folders:
        env["LD_LIBRARY_PATH"] = ":".join(dict.fromkeys(folders))


def candidate_folders():
    """Where a toolkit and Python packages keep CUDA's libraries, the toolkit's first."""
    toolkits = [os.environ.get(name, "") for name in ("CUDA_HOME", "CUDA_PATH")]
    nvcc = shutil.which("nvcc")
    if nvcc:
        toolkits.append(os.path.dirname(os.path.dirname(os.path.realpath(nvcc))))
    toolkits += ["/usr/local/cuda", *sorted(glob.glob("/usr/local/cuda-*"), reverse=True)]
    folders = []
    for toolkit in filter(None, toolkits):
        folders += [f"{toolkit}/lib64", f"{toolkit}/targets/x86_64-linux/lib", f"{toolkit}/lib"]
    for packages in dict.fromkeys([*sys.path, sysconfig.get_path("platlib")]):
        folders += sorted(glob.glob(f"{packages}/nvidia/*/lib"), reverse=True)
    folders += DRIVER_FOLDERS
    return [folder for folder in dict.fromkeys(folders) if os.path.isdir(folder)]


def find_libraries(run_, folders):
    """Adds to the programs' search path the folders of what is not found without. Returns what is
    missing."""
    missing = set()
    for _ in range(8):  # a library that is found may need others
        missing, found = resolve(run_)
        new = []
        for name in sorted(missing):
            new += [f for f in folders if os.path.exists(f"{f}/{name}")][:1]
        new = [f for f in dict.fromkeys(new) if f not in folders_of(run_.own_env)]
        if not new:
            break
        set_folders(run_.own_env, folders_of(run_.own_env) + new)
    # NVRTC opens its builtins by name.
    for path in {path for name, path in found.items() if name.startswith("libnvrtc.so")}:
        places = [os.path.dirname(path), os.path.dirname(os.path.realpath(path)), *folders]
        builtins = [f for f in places if glob.glob(f"{f}/libnvrtc-builtins.so*")]
        if builtins:
            set_folders(run_.own_env, folders_of(run_.own_env) + builtins[:1])
        else:
            missing.add("libnvrtc-builtins.so")
    return sorted(missing)


def resolve(run_):
    """What the programs' libraries are found as: (names not found, name -> path)."""
    missing, found = set(), {}
    log = run_.log("ldd")
    Path(log).unlink(missing_ok=True)
    run(Job(["ldd", *run_.programs.linked()], log, env=run_.own_env, limit=15), run_.end)
    Path(log).touch()
    with open(log, encoding="utf-8", errors="replace") as text:
        for line in text:
            match = re.match(r"\s+(\S+) => (not found|\S+)", line)
            if match and match[2] == "not found":
                missing.add(match[1])
            elif match:
                found[match[1]] = match[2]
            elif "version `" in line and "not found" in line:
                missing.add(line.strip().partition("version `")[2].partition("'")[0])
    return missing, found


def old_core(run_):
    """The core that OpenBLAS takes this processor for, where it is one without AVX2 and this has it."""
    if run_.programs.libraries is None or "OPENBLAS_CORETYPE" in os.environ:
        return ""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        if " avx2 " not in file.read():
            return ""
    ask = ("import ctypes, sys; f = ctypes.CDLL(sys.argv[1]).openblas_get_corename; "
           "f.restype = ctypes.c_char_p; print(f().decode())")
    core = said(run_, "openblas", [sys.executable, "-c", ask,
                                   run_.programs.libraries / "libopenblas.so.0"])
    return "" if core.lower() in MODERN_CORES else core
