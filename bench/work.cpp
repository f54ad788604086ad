#include "bench/work.hpp"

#include <algorithm>

#include "api/plan_cost.hpp"
#include "api/plan_making.hpp"

namespace matgrad::bench {
namespace {

double entries_of(const OutputInfo& output, std::int64_t batch) {
    return static_cast<double>(output.rows * output.cols * (output.batched ? batch : 1));
}

}  // namespace

Work minimal_work(const Case& c) {
    const std::vector<Operand> operands = c.operands();
    const PlanRequest request =
        detail::make_request(c.expression(), operands, c.options(Device{DeviceKind::cpu, 0}, 1));
    const std::vector<OutputInfo> outputs = detail::output_infos(request);
    const Program program = make_program(request);
    Work work;
    for (const OutputInfo& output : outputs) {
        work.bytes_written += entries_of(output, c.batch) * static_cast<double>(size_of(c.type));
    }
    work.bytes_read = detail::cost_of(program, outputs).bytes - work.bytes_written;
    work.float_operations = detail::operations_in(program, ScalarType::float32);
    work.double_operations = detail::operations_in(program, ScalarType::float64);
    return work;
}

double bound_on_processor(const Work& work, const Ceilings& ceilings) {
    return std::max({work.bytes() / ceilings.float64.copy_bytes_per_s,
                     work.bytes_read / ceilings.float64.read_bytes_per_s,
                     work.float_operations / ceilings.float32.multiply_add_flops_per_s +
                         work.double_operations / ceilings.float64.multiply_add_flops_per_s});
}

double bound_on_gpu(const Work& work, const Rates& rates) {
    return std::max(work.bytes() / rates.copy_bytes_per_s,
                    work.operations() / rates.multiply_add_flops_per_s);
}

}  // namespace matgrad::bench
