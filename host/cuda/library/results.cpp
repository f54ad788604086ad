#include "cuda/library/results.hpp"

#include <algorithm>
#include <limits>

#include "batch_state.hpp"
#include "cuda/library/step_status.hpp"
#include "program/uses.hpp"

namespace matgrad::gpu {
namespace {

/// Factors keep the order of the library, by columns for LU, and no leading dimension of the caller's.
bool is_factor(const Program& program, ValueId id) {
    const int producer = find_producers(program)[static_cast<std::size_t>(id)];
    return producer >= 0 &&
           is_factorization(program.steps[static_cast<std::size_t>(producer)].operation);
}

double beta_of(const DeviceCall& call, std::size_t output) {
    return call.beta.empty() ? 0 : call.beta[output];
}

}  // namespace

DeviceView result_view(const Program& program, std::size_t output, const Strided& to) {
    const ProgramOutput& o = program.outputs[output];
    const Value& value = program.value(o.value);
    DeviceView v{static_cast<std::byte*>(to.data),
                 program.type,
                 value.rows.size,
                 value.cols.size,
                 to.row_stride,
                 to.col_stride,
                 to.batch_stride};
    if (o.transposed) {
        std::swap(v.row_stride, v.col_stride);
    }
    return v;
}

Results::Results(StepSetup& setup, const std::vector<std::size_t>& written)
    : program_(setup.program()) {
    for (std::size_t i = 0; i < program_.outputs.size(); ++i) {
        const ProgramOutput& o = program_.outputs[i];
        const Value& value = setup.value(o.value);
        Output output;
        output.value = o.value;
        output.per_problem = is_per_problem(program_, o);
        output.is_mean = o.mean;
        output.may_be_direct = value.scope == Scope::problem && value.operand < 0 &&
                               value.output == static_cast<int>(i) && value.type == program_.type &&
                               !o.transposed && !is_factor(program_, o.value);
        output.is_written = std::find(written.begin(), written.end(), i) != written.end();
        output.is_marked = setup.is_marked(o.value);
        if (o.mean) {
            output.divide =
                setup.kernels().add_divide(value.rows.size, value.cols.size, program_.type);
        }
        outputs_.push_back(output);
    }
}

int Results::direct_output(ValueId id, const DeviceCall& call) const {
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
        if (outputs_[i].value != id || !outputs_[i].may_be_direct || outputs_[i].is_written) {
            continue;
        }
        const DeviceView v = result_view(program_, i, call.results[i]);
        const bool by_rows = v.col_stride == 1 &&
                             v.row_stride >= std::max<std::int64_t>(1, v.cols) &&
                             v.row_stride <= std::numeric_limits<std::int32_t>::max();
        // No stride but a positive one sets problems apart.
        return by_rows && v.batch_stride > 0 && beta_of(call, i) == 0 ? static_cast<int>(i) : -1;
    }
    return -1;
}

void Results::write_slice(StepRun& run, const DeviceCall& call, std::int64_t first) const {
    run.begin_step(nullptr);
    std::vector<Matrices> unmarked;
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
        const Output& output = outputs_[i];
        const DeviceView& value = run.value(output.value);
        if (!output.per_problem || output.is_written || value.count() == 0) {
            continue;
        }
        const DeviceView to = from_problem(result_view(program_, i, call.results[i]), first);
        if (beta_of(call, i) != 0) {
            run.add(value, beta_of(call, i), to, run.batch, run.status.data);
        } else if (to.data != value.data) {
            run.copy(value, to, run.batch, run.lost());
        } else if (!output.is_marked) {
            unmarked.push_back(as_matrices(to));
        }
    }
    if (run.lost() != nullptr) {
        run.mark_failed(unmarked);
    }
}

void Results::write_single(StepRun& run, const DeviceCall& call, const std::int64_t* failed) const {
    run.begin_step(nullptr);
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
        const Output& output = outputs_[i];
        const DeviceView& value = run.value(output.value);
        if (value.count() == 0) {
            continue;
        }
        const DeviceView to = result_view(program_, i, call.results[i]);
        if (output.per_problem) {
            // Each problem's result is written; a mean divides it, and adds it to nothing.
            if (output.is_mean && call.batch > 0 && !call.sums_for_means) {
                run.enqueue("mean", [&] {
                    run.kernels.divide(output.divide, to, call.batch, failed, call.batch,
                                       run.stream);
                });
            }
            continue;
        }
        const bool is_shared = program_.value(output.value).scope == Scope::shared;
        const std::int32_t* const lost = is_shared ? run.status.data : nullptr;
        if (beta_of(call, i) != 0) {
            const bool divides = output.is_mean && call.batch > 0 && !call.sums_for_means;
            run.add(value, beta_of(call, i), to, 1, lost, {divides ? failed : nullptr, call.batch});
            continue;
        }
        run.copy(value, to, 1, lost);
        if (output.is_mean && call.batch > 0 && !call.sums_for_means) {
            run.enqueue("mean", [&] {
                run.kernels.divide(output.divide, to, 1, failed, call.batch, run.stream);
            });
        }
    }
}

bool Results::has_means() const {
    for (const Output& output : outputs_) {
        if (output.is_mean) {
            return true;
        }
    }
    return false;
}

}  // namespace matgrad::gpu
