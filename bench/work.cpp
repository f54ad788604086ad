#include "bench/work.hpp"

#include <algorithm>

namespace matgrad::bench {

Work minimal_work(const Case& c) {
    const std::vector<Operand> operands = c.operands();
    const PlanCost cost = make_plan(c.expression(), operands, c.options(Device{}, 1)).cost();
    return {cost.bytes, cost.operations};
}

double bound_seconds(const Work& work, const Rates& rates) {
    return std::max(work.bytes / rates.copy_bytes_per_s,
                    work.operations / rates.multiply_add_flops_per_s);
}

}  // namespace matgrad::bench
