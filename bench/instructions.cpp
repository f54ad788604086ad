/// \file A small fixed set of runs whose instructions are counted: one thread, the compact layout
/// (our own code, no BLAS), AVX2.
///
///     matgrad_instructions              the names of the cases
///     matgrad_instructions NAME         runs one; callgrind counts what is inside counted_run
///
/// bench/count_instructions compares the counts with those in bench/instruction_counts.json.

#include "cpu/highway_targets.hpp"
// The targets before Highway.
#include <fmt/format.h>
#include <hwy/targets.h>

#include <cstdio>
#include <exception>
#include <string>

#include "bench/runner.hpp"
#include "bench/suite.hpp"

namespace {

using namespace matgrad;
using namespace matgrad::bench;

constexpr const char* kCases = R"({"name": "instructions", "cases": [
    {"name": "log_det_gram_f32_robust", "function": "log_det_gram", "type": "float32",
     "sizes": {"m": 16, "n": 8}, "batch": 2048},
    {"name": "log_det_gram_f64", "function": "log_det_gram", "sizes": {"m": 16, "n": 8},
     "batch": 2048},
    {"name": "frobenius_f32", "function": "frobenius", "type": "float32",
     "sizes": {"m": 16, "n": 8, "p": 8}, "batch": 2048},
    {"name": "least_squares_f32", "function": "least_squares", "type": "float32",
     "sizes": {"m": 16, "n": 8}, "batch": 2048},
    {"name": "bilinear_trace_f64", "function": "bilinear_trace", "sizes": {"p": 8, "m": 8, "n": 8},
     "batch": 2048},
    {"name": "logistic_f32", "function": "logistic", "type": "float32",
     "sizes": {"m": 16, "n": 4}, "batch": 2048}]})";

void use_avx2() {
    if ((hwy::SupportedTargets() & HWY_AVX2) == 0) {
        throw MachineError("this machine has no AVX2");
    }
    hwy::SetSupportedTargetsForTest(HWY_AVX2 | HWY_STATIC_TARGET);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

}  // namespace

/// What is counted.
extern "C" [[gnu::noinline]] void counted_run(const Call& call,
                                              std::span<const ConstStrided> operands,
                                              std::span<const Strided> results) {
    call(operands, results);
}

int main(int argc, char** argv) {
    try {
        const Suite suite = parse_suite(kCases, "instructions");
        for (const Case& c : suite.cases) {
            if (argc < 2) {
                fmt::print("{}\n", c.name);
            } else if (c.name == argv[1]) {
                use_avx2();
                const std::vector<OutputInfo> outputs = results_of(c);
                const Layout layout(c, outputs);
                const HostMemory memory(layout.bytes);
                fill_operands(c, layout, memory.data());
                const Call call = matgrad_on_cpu().prepare(c, 1).call;
                counted_run(call, layout.operands_at(memory.data(), c),
                            layout.results_at(memory.data(), outputs));
            }
        }
    } catch (const std::exception& error) {
        fmt::print(stderr, "matgrad_instructions: {}\n", error.what());
        return 1;
    }
    return 0;
}
