#include "cuda/library/batch_sums.hpp"

#include "cuda/placement.hpp"
#include "program/uses.hpp"

namespace matgrad::gpu {
namespace {

/// The type of partial sums: that of the step which makes them.
ScalarType partial_type(const Program& program, ValueId id) {
    const int producer = find_producers(program)[static_cast<std::size_t>(id)];
    return producer < 0 ? program.value(id).type
                        : program.steps[static_cast<std::size_t>(producer)].type;
}

void add_up(StepRun& run, KernelId kernel, const DeviceView& a, const std::int32_t* status,
            double* totals, std::byte* scratch, std::int64_t count) {
    const auto call = [&] {
        run.kernels.batch_sum(kernel, a, status, totals, scratch, count, run.stream);
    };
    run.enqueue("batch sum kernel", call);
    if (run.log != nullptr && run.kernels.sums_in_two(kernel, count)) {
        run.enqueue("sum of its parts", call);
    }
}

}  // namespace

void BatchSums::add(StepSetup& setup, const BatchReduce& step) {
    const Program& program = setup.program();
    Sum sum;
    sum.step = &setup.step();
    sum.use = step.a;
    sum.out = setup.step().out;
    const int producer = find_producers(program)[static_cast<std::size_t>(step.a.value)];
    sum.is_given =
        producer < 0 || program.steps[static_cast<std::size_t>(producer)].scope != Scope::problem;
    sum.rows = rows_of(program, step.a).size;
    sum.cols = cols_of(program, step.a).size;
    if (sum.rows * sum.cols == 0) {
        return;
    }
    sum.first = bytes();
    sum.add = setup.kernels().add_batch_sum(sum.rows, sum.cols, setup.value(step.a.value).type);
    sum.add_partial =
        setup.kernels().add_batch_sum(sum.rows, sum.cols, partial_type(program, step.a.value));
    setup.reserve(0, Kernels::batch_sum_scratch_bytes(sum.rows * sum.cols));
    sums_.push_back(sum);
}

std::int64_t BatchSums::bytes() const {
    if (sums_.empty()) {
        return 0;
    }
    const Sum& last = sums_.back();
    return last.first + aligned(last.rows * last.cols * size_of(ScalarType::float64));
}

void BatchSums::mark_not_finite(StepRun& run, ValueId value) const {
    for (const Sum& sum : sums_) {
        if (sum.use.value == value &&
            run.partial_sums[static_cast<std::size_t>(value)].count == 0) {
            run.mark_not_finite(run.view(sum.use));
        }
    }
}

void BatchSums::mark_given(StepRun& run) const {
    for (const Sum& sum : sums_) {
        if (sum.is_given) {
            run.begin_step(sum.step);
            run.mark_not_finite(run.view(sum.use));
        }
    }
}

void BatchSums::clear(StepRun& run, std::byte* totals) const {
    if (!sums_.empty()) {
        run.enqueue("sums to 0", [&] {
            MATGRAD_CUDA(cudaMemsetAsync(totals, 0, static_cast<std::size_t>(bytes()), run.stream));
        });
    }
}

void BatchSums::add_slice(StepRun& run, std::byte* totals) const {
    for (const Sum& sum : sums_) {
        run.begin_step(sum.step);
        std::byte* const scratch = run.take(Kernels::batch_sum_scratch_bytes(sum.rows * sum.cols));
        auto* const to = reinterpret_cast<double*>(totals + sum.first);
        const PartialSums& parts = run.partial_sums[static_cast<std::size_t>(sum.use.value)];
        if (parts.count > 0) {  // without the problems that failed
            add_up(run, sum.add_partial, use_of(sum.use, parts.view), nullptr, to, scratch,
                   parts.count);
        } else {
            add_up(run, sum.add, run.view(sum.use), run.status.data, to, scratch, run.batch);
        }
    }
}

void BatchSums::write_values(StepRun& run, std::byte* totals) const {
    for (const Sum& sum : sums_) {
        run.begin_step(sum.step);
        const DeviceView total =
            row_major(totals + sum.first, ScalarType::float64, sum.rows, sum.cols);
        run.copy(total, run.value(sum.out), 1);
    }
}

}  // namespace matgrad::gpu
