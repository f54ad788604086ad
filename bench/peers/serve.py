#!/usr/bin/env python3
"""The peers of one library as a process that stays alive and answers requests, a line of JSON each:
bench/rounds measures them in turn with others. The requests are those of bench/serving.hpp, but
`prepare` brings matgrad's own row of the case:

    {"do": "about"}            what a results file says beside its rows
    {"do": "prepare", "row": {...}, "problems": [...]}
                               {"rows": [...]}: one for each executor that offers the case
    {"do": "measure", "executor": NAME, "seconds": S}
                               the fields of the time: "seconds", "low", "high", "repeats", "once",
                               "enqueue_seconds"
    {"do": "release"}          {}

What goes wrong is an answer {"error": "one line"}. Ends with its input; status 3 if the library is absent.
"""

import argparse
import ctypes
import gc
import json
import os
import sys

from process import fix_threads, keep_freed_memory, processor


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer", required=True, choices=["numpy", "torch", "jax", "cupy"])
    parser.add_argument("--matgrad", help="the command, for functions that no peer has by hand")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    return parser.parse_args()


class Server:
    def __init__(self, options, library):
        self.options = options
        self.library = library
        self.ready = {}  # by executor

    def answer(self, request):
        return getattr(self, "do_" + request["do"])(request)

    def do_about(self, request):
        del request
        device = processor() if self.library.device == "cpu" else self.library.device
        return {"tool": self.library.tool, "device": device, "versions": self.library.versions,
                "commit": None, "threads": self.options.threads, "ceilings": None}

    def do_prepare(self, request):
        from cases import Copies, parse_case
        from ready import make_ready, new_row, one_line, text_of
        from residual import Differentials

        self.do_release(request)
        case = parse_case(request["row"]["case"], request["row"])
        variants = [v for v in self.library.variants if v.offers(case)]
        if not variants or case.entry.get("threads", 0) not in (0, self.options.threads):
            return {"rows": []}
        known = Differentials.of_case(case, request["problems"])
        try:
            text = text_of(case, self.library, self.options.matgrad)
            copies = Copies(case, known.seed, self.library)
        except Exception as problem:  # out of memory, a word that is not supported
            return {"rows": [new_row(case, v, error=one_line(problem)) for v in variants]}
        rows = []
        for variant in variants:
            try:
                ready = make_ready(self.library, known, variant, copies, text)
            except Exception as problem:
                rows.append(new_row(case, variant, error=one_line(problem)))
                continue
            rows.append(new_row(case, variant, ok=not ready.error, **ready.fields()))
            if not ready.error:
                self.ready[variant.name] = ready
        return {"rows": rows}

    def do_measure(self, request):
        return self.ready[request["executor"]].measure(request["seconds"])

    def do_release(self, request):
        del request
        self.ready.clear()
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)  # the others need the memory
        return {}


def own_output():
    """Standard output for answers alone: what a library prints goes to the errors."""
    output = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return output


def serve(server, requests, output):
    for line in requests:
        try:
            answer = server.answer(json.loads(line))
        except Exception as problem:
            text = " ".join(str(problem).split())
            answer = {"error": f"{type(problem).__name__}: {text}"[:200]}
        print(json.dumps(answer), file=output, flush=True)


def main():
    options = arguments()
    keep_freed_memory()
    fix_threads(options.threads)
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # other contenders need a GPU's memory too
    output = own_output()
    try:
        module = __import__(f"with_{options.peer}")
        library = module.Library(options.threads, options.device)
    except ImportError as problem:
        print(f"{options.peer} is absent: {problem}", file=sys.stderr)
        return 3
    serve(Server(options, library), sys.stdin, output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
