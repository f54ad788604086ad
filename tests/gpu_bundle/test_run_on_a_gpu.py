#!/usr/bin/env python3
"""run.sh over a bundle as on a machine with a GPU: driver, toolkit, tools and programs are made up.

usage: test_run_on_a_gpu.py PATH/run.sh FOLDER, where libcuda.so.1, a toolkit and a module lie in FOLDER
"""

import ctypes
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import unittest

FAKE = pathlib.Path(sys.argv.pop())
RUN = pathlib.Path(sys.argv.pop())
sys.path.append(str(RUN.with_name("run")))

import at_once
import tools
from fake_programs import (COMMAND, DEVICE, TEST_PROGRAM, chosen_tests, processes_of, results,
                           write_program)

MOST_LINES = 40
TOOLKIT = "libcublas_of_a_fake_toolkit.so.13"
TIMES = {"cache": "CACHE", "rows": [{"correct": True, "function": "f", "type": "float32", "accuracy": "fast", "batch": 1,
                   "error_over_bound": 0.5}]}
# Prints JSON, to standard output or into the file that is named.
PRINTER = '''#!{python}
import os, sys
cache = os.environ.get("MATGRAD_CACHE", "")
text = {text!r}.replace("ENVIRONMENT", os.environ.get("LD_LIBRARY_PATH", ""))
if cache and "CACHE" in text:
    text = text.replace("CACHE", cache + " holds " + str(len(os.listdir(cache))))
if "--json" in sys.argv:
    open(sys.argv[sys.argv.index("--json") + 1], "w").write(text)
else:
    print(text)
'''
# Runs what it is given, as compute-sanitizer and ncu do, and says something of it.
TOOL = '''#!{python}
import os, subprocess, sys
words = sys.argv[1:]
while words and not os.access(words[0], os.X_OK):
    words.pop(0)
status = subprocess.run(words).returncode
print({text!r})
sys.exit({status} or status)
'''


class OnAGpu(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="run-test.")
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        self.bundle = self.folder / "bundle"
        self.tools = self.folder / "tools"
        self.out = self.folder / "out"
        shutil.copytree(RUN.parent, self.bundle)
        for path in ("lib/matgrad/libmatgrad_cuda.so", "lib/libmatgrad_cublas_peer.so"):
            (self.bundle / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(FAKE / "libfake_module.so", self.bundle / path)
        (self.bundle / "tests/data").mkdir(parents=True)
        (self.bundle / "COMMIT").write_text("0123456789ab\n", encoding="utf-8")
        for name, cases in chosen_tests().items():
            self.program(f"bin/gpu_{name}_test", TEST_PROGRAM, tests=cases)
        self.ours = results([f"case {k}" for k in range(25)], 1e-3)
        self.program("bin/matgrad", COMMAND, devices=DEVICE, bench=self.ours, answers="{}")
        self.program("bin/matgrad_cpp_peers", COMMAND, devices="", bench=self.ours, answers="")
        self.program("bin/gpu_times", PRINTER, text=json.dumps(TIMES))
        self.program("bin/gpu_probe", PRINTER, text='{"library_path": "ENVIRONMENT", "parts": []}')
        self.program("bench/peers/run.py", PRINTER, text=results(["case 0"], 2e-3).replace(
            '"tool": "matgrad"', '"tool": "ENVIRONMENT"'))
        self.tool("compute-sanitizer", "========= ERROR SUMMARY: 0 errors")
        self.tool("ncu", "    Memory Throughput   %   50")
        write_program(self.tools / "nvidia-smi", "#!/bin/sh\necho as nvidia-smi says\n")

    def program(self, path, source, **how):
        write_program(self.bundle / path, source.format(python=sys.executable, **how))

    def tool(self, name, text, status=0):
        write_program(self.tools / name, TOOL.format(python=sys.executable, text=text, status=status))

    def run_bundle(self, *options, driver=True, toolkit=True):
        env = {"PATH": f"{self.tools}:{os.environ['PATH']}", "HOME": str(self.folder),
               "FAKE_GPU_LOST": str(self.folder / "lost"),
               "LD_LIBRARY_PATH": str(FAKE / "driver") if driver else "",
               "OUT": str(self.out)}
        if toolkit:
            env["CUDA_HOME"] = str(FAKE / "toolkit")
        result = subprocess.run(["bash", str(self.bundle / "run.sh"), *options], env=env, timeout=60,
                                capture_output=True, text=True, check=False)
        content = json.loads((self.out / "results.json").read_text(encoding="utf-8"))
        return result, {part["part"]: part for part in content["parts"]}, content

    def test_every_part_passes(self):
        peers = json.loads(self.ours)
        peers["rows"].append({**peers["rows"][0], "executor": "mathdx", "seconds": 3e-3})
        self.program("bin/matgrad_cpp_peers", COMMAND, devices="", bench=json.dumps(peers), answers="")
        result, parts, content = self.run_bundle()
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertEqual({name for name, part in parts.items() if part["result"] != "passed"}, {"again", "python"})
        self.assertEqual(len(parts), 14)
        self.assertEqual(content["commit"], "0123456789ab")
        summary = (self.out / "summary.txt").read_text(encoding="utf-8")
        self.assertTrue(result.stdout.endswith(summary))
        lines = summary.splitlines()
        self.assertEqual(len(lines), MOST_LINES)
        self.assertEqual([line.split() for line in lines if line.startswith("case 0 ")],
                         [["case", "0", "1", "ms", "50%", "1", "ms", "3", "ms", "2", "ms", "2", "ms"]])

    def test_libraries_are_found_for_our_programs_and_not_for_python(self):
        _, parts, _ = self.run_bundle("--only", "probe", "bench", "torch")
        ours = parts["probe"]["results"]["library_path"].split(":")
        self.assertEqual(ours[0], str(self.bundle / "lib"))
        self.assertIn(str(FAKE / "toolkit/lib64"), ours)
        self.assertEqual(parts["torch"]["results"]["tool"], str(FAKE / "driver"))

    def test_peers_go_on_with_the_rows_of_a_bench_that_crashed(self):
        self.program("bin/matgrad", COMMAND, devices=DEVICE, answers="{}",
                     bench="rows and crash " + self.ours)
        result, parts, _ = self.run_bundle("--only", "bench", "torch")
        self.assertEqual(result.returncode, 1)
        self.assertEqual(parts["bench"]["note"], "25 of 25 rows timed")
        self.assertRegex(parts["bench"]["failures"][0], "crashed: SIGABRT")
        self.assertEqual(parts["torch"]["result"], "passed")

    def test_a_missing_library_ends_the_run_at_once(self):
        result, parts, _ = self.run_bundle(toolkit=False)
        self.assertEqual(result.returncode, 1)
        self.assertEqual(list(parts), ["machine"])
        self.assertRegex(parts["machine"]["note"], "^set CUDA_HOME or LD_LIBRARY_PATH to the folder of "
                         f"{TOOLKIT}, not found in /")
        self.assertRegex(result.stdout, "\nFake GPU, commit ")

    def test_without_a_driver(self):
        try:
            ctypes.CDLL("libcuda.so.1")
            self.skipTest("this machine has one")
        except OSError:
            pass
        result, parts, _ = self.run_bundle(driver=False)
        self.assertEqual(result.returncode, 3)
        self.assertRegex(result.stderr, "run.sh: no GPU: libcuda.so.1: ")
        self.assertEqual(list(parts), ["machine"])
        self.assertRegex(result.stdout, "\nno GPU, commit ")
        self.assertIn("as nvidia-smi says", self.log("machine"))

    def log(self, name):
        with tarfile.open(self.out / "logs.tar.gz") as archive:
            return archive.extractfile(f"logs/{name}.log").read().decode()

    def test_a_gpu_that_is_lost_ends_the_run(self):
        self.program("bin/matgrad_cpp_peers", "#!/bin/sh\ntouch \"$FAKE_GPU_LOST\"\nexit 3\n")
        result, parts, content = self.run_bundle("--only", "bench", "cublas", "torch", "memcheck")
        self.assertEqual(result.returncode, 1)
        self.assertEqual(list(parts), ["machine", "bench", "cublas"])
        self.assertEqual(parts["cublas"]["result"], "failed")
        self.assertEqual(result.stdout.splitlines()[-2],
                         "GPU lost during cublas: cuInit: no CUDA-capable device is detected")

    def test_a_failure_is_none_of_a_gpu_that_is_still_there(self):
        self.program("bin/matgrad_cpp_peers", "#!/bin/sh\nexit 3\n")
        result, parts, _ = self.run_bundle("--only", "cublas", "bench")
        self.assertEqual(list(parts), ["machine", "bench", "cublas"])
        self.assertNotIn("GPU lost", result.stdout)

    def test_plans_are_timed_without_kernels_of_before(self):
        result, parts, _ = self.run_bundle("--only", "times", "bench", "cublas")
        self.assertEqual(result.returncode, 0)
        folders = [parts[name]["results"]["cache"] for name in ("times", "bench")]
        self.assertEqual([folder.split()[1:] for folder in folders], [["holds", "0"]] * 2)
        self.assertEqual(len(set(folders)), 2)
        for name in ("bench", "cublas"):
            self.assertRegex(self.log(name), " --budget [1-9][0-9]* ")

    def test_ncu_looks_at_our_kernels_and_ends_after_a_few(self):
        result, _, content = self.run_bundle("--only", "ncu")
        self.assertEqual(result.returncode, 0)
        command = self.log("ncu").splitlines()[0]
        self.assertIn(" --launch-count 6 --kill yes ", command)
        pattern = re.search(r"--kernel-name regex:(\S+)", command)[1]
        for kernel in ("matgrad_copy_f32", "map_0", "reduce_12", "batch_sum_1", "divide_3"):
            self.assertRegex(kernel, pattern)
        self.assertNotRegex("gemm_batched", pattern)

    def test_a_sanitizer_that_refuses_is_told_once(self):
        write_program(self.tools / "compute-sanitizer", "#!/bin/sh\necho '========= Error: Device not "
                      "supported. Please refer to the documentation.'\nexit 1\n")
        result, parts, _ = self.run_bundle("--only", "memcheck", "racecheck")
        self.assertEqual(result.returncode, 0)
        for name in ("memcheck", "racecheck"):
            self.assertEqual(parts[name]["result"], "skipped")
            self.assertRegex(parts[name]["note"], "^compute-sanitizer refuses: Error: Device not supported")

    def test_rows_of_gpu_times_before_a_crash_are_kept(self):
        self.program("bin/gpu_times", PRINTER + "os.abort()\n", text=json.dumps(TIMES))
        result, parts, _ = self.run_bundle("--only", "times")
        self.assertEqual(parts["times"]["note"], "1 rows")
        self.assertRegex(parts["times"]["failures"][0], "crashed: SIGABRT")

    def test_a_tool_that_hangs_is_asked_once(self):
        write_program(self.tools / "nvidia-smi", f"#!{sys.executable}\nimport signal, time\n"
                      "signal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(1000)\n")
        begun = time.monotonic()
        result, parts, _ = self.run_bundle("--deadline", "10", "--only", "bench")
        self.assertLess(time.monotonic() - begun, 10)
        self.assertEqual(result.returncode, 0)
        self.assertEqual(list(parts), ["machine", "bench"])
        self.assertEqual(processes_of(self.folder), [])

    def test_what_a_sanitizer_finds_is_a_failure(self):
        self.tool("compute-sanitizer", "========= Invalid __global__ write of size 4 bytes\n"
                  "========= ERROR SUMMARY: 1 error", status=9)
        result, parts, _ = self.run_bundle("--only", "memcheck", "racecheck")
        self.assertEqual(result.returncode, 1)
        self.assertEqual(parts["racecheck"]["result"], "failed")
        self.assertRegex(parts["memcheck"]["failures"][0], "Invalid __global__ write of size 4 bytes$")

    def test_failing_tests_run_again_under_memcheck(self):
        self.program("bin/gpu_some_test", TEST_PROGRAM, tests={"Suite.One": "fail"})
        result, parts, _ = self.run_bundle("--only", "tests", "again")
        self.assertEqual(result.returncode, 1)
        self.assertEqual(parts["again"]["again"], [
            "some: Suite.One: again: exit status 1",
            "some: Suite.One: each launch waited for: exit status 1",
            "some: Suite.One: under memcheck: exit status 1"])

    def test_wrong_numbers_of_gpu_times_are_a_failure(self):
        wrong = {**TIMES, "rows": [{**TIMES["rows"][0], "correct": False}]}
        self.program("bin/gpu_times", PRINTER, text=json.dumps(wrong))
        result, parts, _ = self.run_bundle("--only", "times")
        self.assertEqual(result.returncode, 1)
        self.assertEqual(parts["times"]["failures"],
                         ["f float32 fast batch 1: error 0.5 of its bound"])

    def test_a_machine_without_tools_skips_their_parts(self):
        if any(tools.tool(name) for name in ("compute-sanitizer", "ncu")):
            self.skipTest("this machine has them")
        shutil.rmtree(self.tools)
        result, parts, _ = self.run_bundle("--only", "memcheck", "ncu")
        self.assertEqual(result.returncode, 0)
        self.assertRegex(parts["memcheck"]["note"], "^no compute-sanitizer; ")
        self.assertEqual(parts["ncu"]["note"], "no ncu")

    def test_an_archive_is_unpacked_and_removed_again(self):
        archive = self.folder / "elsewhere" / "bundle.tar.gz"
        archive.parent.mkdir()
        subprocess.run(["tar", "-czf", archive, "-C", self.bundle, "."], check=True)
        shutil.copy(RUN, archive.parent)
        shutil.rmtree(self.bundle)
        self.bundle = archive.parent
        temporary = self.folder / "temporary"
        temporary.mkdir()
        # As tar says on a disk that is full, of that folder alone.
        tar = shutil.which("tar")
        write_program(self.tools / "tar", f'#!/bin/sh\ncase "$*" in *"$FULL"*)\n    echo "tar: no space"\n'
                      f'    exit 2\nesac\nexec {tar} "$@"\n')
        for folder, full in ((temporary, "/nowhere"), (self.folder / "missing", "/nowhere"),
                             (temporary, f"-C {temporary}")):
            with self.subTest(folder=folder, full=full):
                env = {"PATH": f"{self.tools}:{os.environ['PATH']}", "TMPDIR": str(folder),
                       "FULL": full, "OUT": str(self.out), "CUDA_HOME": str(FAKE / "toolkit"),
                       "LD_LIBRARY_PATH": str(FAKE / "driver")}
                result = subprocess.run(["bash", str(archive.parent / "run.sh"), "--only", "tests"],
                                        env=env, timeout=60, capture_output=True, text=True, check=False)
                self.assertEqual((result.returncode, result.stderr), (0, ""), result.stdout)
                self.assertEqual(list(temporary.iterdir()), [])
        env["FULL"] = "-C"
        result = subprocess.run(["bash", str(archive.parent / "run.sh")], env=env, timeout=60,
                                capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, "^run.sh: .* cannot be unpacked in .*: tar: no space\n$")


if __name__ == "__main__":
    at_once.main()
