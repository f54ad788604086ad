#include "bench/runner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <new>

namespace matgrad::bench {

std::vector<OutputInfo> results_of(const Case& c) {
    std::vector<OutputInfo> infos;
    const bool batched = !c.batched.empty();
    if (c.outputs != Outputs::gradient) {
        infos.push_back({OutputKind::value, "", 1, 1, batched});
    }
    if (c.outputs != Outputs::value) {
        for (const Operand& operand : c.operands()) {
            if (operand.name == c.wrt) {
                infos.push_back({OutputKind::gradient, c.wrt, operand.rows, operand.cols, batched});
            }
        }
    }
    return infos;
}

Row Runner::run(const Case& c, const std::string& executor, const Pace& pace) {
    Row row;
    row.c = c;
    row.executor = executor;
    try {
        row.work = minimal_work(c);
        row.bound_seconds =
            bound_seconds(row.work, ceilings(c.threads > 0 ? c.threads : threads_).of(c.type));
        measure(row, answers_.of(c), pace);
        row.ok = row.residual.passes();
        if (!row.ok) {
            row.error = fmt::format("residual {:.1e} exceeds its bound {:.1e}",
                                    row.residual.residual, row.residual.bound);
        }
    } catch (const Interrupted&) {
        throw;
    } catch (const std::bad_alloc&) {
        row.error = "out of memory";
    } catch (const Error& error) {
        row.error = error.what();
    }
    return row;
}

}  // namespace matgrad::bench
