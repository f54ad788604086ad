#include "api/kernel.hpp"

#include "api/plan_making.hpp"
#include "cuda/loader.hpp"

namespace matgrad::detail {
namespace {

const gpu::Module& cuda_module() {
    std::string why;
    const gpu::Module* module = gpu::load_module(why);
    if (module == nullptr) {
        throw MachineError(why);
    }
    return *module;
}

Program program_of(const KernelQuestion& question, const PlanOptions& options) {
    return make_program(make_request(question.f, question.operands, options));
}

}  // namespace

gpu::KernelReport report_kernel(const KernelQuestion& question) {
    const gpu::Module& module = cuda_module();
    return module.report_kernel(program_of(question, question.options), question.architecture,
                                question.options.expected_batch);
}

std::string standalone_kernel(const KernelQuestion& question, const KernelData& data) {
    const gpu::Module& module = cuda_module();
    PlanOptions value = question.options;
    value.value = true;
    value.wrt.clear();
    value.type = ScalarType::float64;
    gpu::KernelCheck check;
    check.value = program_of(question, value);
    check.function = question.text;
    for (const Declaration& symbol : symbols(question.f)) {
        check.structures.emplace_back(symbol.name, symbol.structure);
    }
    check.free_entries = question.options.convention == Convention::free_entries;
    check.positive_entries = data.positive_entries;
    check.small_variables = data.small_variables;
    return module.standalone_kernel(program_of(question, question.options), question.architecture,
                                    question.options.expected_batch, check);
}

}  // namespace matgrad::detail
