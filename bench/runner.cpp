#include "bench/runner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <new>

namespace matgrad::bench {
namespace {

/// What `work` throws becomes the row's error.
template <typename PartOfARow>
void keep_errors(Row& row, const PartOfARow& work) {
    try {
        work();
    } catch (const Interrupted&) {
        throw;
    } catch (const std::bad_alloc&) {
        row.error = "out of memory";
    } catch (const Error& error) {
        row.error = error.what();
    }
}

}  // namespace

std::vector<OutputInfo> results_of(const Case& c) {
    std::vector<OutputInfo> infos;
    // What is differentiated by a batched variable cannot be summed (suite_fields.cpp).
    const bool batched = !c.batched.empty() && c.reduction == Reduction::none;
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

Checked Runner::prepare(const Case& c, const std::string& executor) {
    Checked checked;
    Row& row = checked.row;
    row.c = c;
    row.executor = executor;
    keep_errors(row, [&] {
        row.work = minimal_work(c);
        row.bound_seconds = bound_seconds(row.work, c.type, c.threads > 0 ? c.threads : threads_);
        std::unique_ptr<Ready> ready = make_ready(row, answers_.of(c));
        if (row.residual.passes()) {
            checked.ready = std::move(ready);
        } else {
            row.error = fmt::format("residual {:.1e} exceeds its bound {:.1e}",
                                    row.residual.residual, row.residual.bound);
        }
    });
    return checked;
}

Row Runner::run(const Case& c, const std::string& executor, const Pace& pace) {
    Checked checked = prepare(c, executor);
    if (checked.ready != nullptr) {
        keep_errors(checked.row, [&] {
            checked.row.timing = checked.ready->measure(pace);
            checked.row.ok = true;
        });
    }
    return std::move(checked.row);
}

}  // namespace matgrad::bench
