#include "matgrad/plan.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <new>
#include <thread>

#include "api/arguments.hpp"
#include "calculus/prepare.hpp"
#include "cpu/executor.hpp"
#include "planner/planner.hpp"

namespace matgrad {
namespace {

constexpr std::size_t kAlignment = 64;

std::size_t round_up(std::size_t bytes) {
    return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

int thread_count(int asked) {
    return asked > 0 ? asked : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

/// Workspace of its own for one run.
class AlignedBytes {
public:
    explicit AlignedBytes(std::size_t size)
        : data_(size == 0 ? nullptr : ::operator new (size, std::align_val_t{kAlignment})),
          size_(size) {}
    ~AlignedBytes() { ::operator delete (data_, std::align_val_t{kAlignment}); }
    AlignedBytes(const AlignedBytes&) = delete;
    AlignedBytes& operator=(const AlignedBytes&) = delete;
    [[nodiscard]] std::span<std::byte> span() const {
        return {static_cast<std::byte*>(data_), size_};
    }

private:
    void* data_;
    std::size_t size_;
};

const Operand& operand_named(std::span<const Operand> operands, const std::string& name) {
    return *std::find_if(operands.begin(), operands.end(),
                         [&](const Operand& o) { return o.name == name; });
}

/// The symbols of f, and the directions of the Hessian-vector products.
std::vector<Declaration> symbols_needed(const Expr& f, const PlanOptions& options) {
    const std::vector<Declaration> of_f = symbols(f);
    std::vector<Declaration> needed = of_f;
    for (const HvpRequest& request : options.hvp) {
        const auto variable = std::find_if(of_f.begin(), of_f.end(), [&](const Declaration& s) {
            return s.name == request.variable;
        });
        const bool is_new = std::none_of(needed.begin(), needed.end(), [&](const Declaration& s) {
            return s.name == request.direction;
        });
        if (variable != of_f.end() && is_new) {
            needed.push_back({request.direction, variable->shape, Structure::general});
        }
    }
    return needed;
}

std::vector<OutputRequest> closed_forms(const Expr& f, const PlanOptions& options) {
    std::vector<OutputRequest> outputs;
    if (options.value) {
        const auto is_variable = [&options](const Expr& e) {
            return e->op == Op::symbol &&
                   std::find(options.wrt.begin(), options.wrt.end(), e->name) != options.wrt.end();
        };
        outputs.push_back({OutputKind::value, "", prepared(f, is_variable), std::nullopt});
    }
    if (!options.wrt.empty()) {
        const Derivation derivation = derive(f, options.wrt, options.convention, Lines::omit);
        for (std::size_t i = 0; i < options.wrt.size(); ++i) {
            outputs.push_back({OutputKind::gradient, options.wrt[i], derivation.gradients[i].form,
                               options.entry});
        }
    }
    for (const HvpRequest& request : options.hvp) {
        outputs.push_back(
            {OutputKind::hvp, request.variable,
             hessian_vector_product(f, request.variable, request.direction, options.convention),
             std::nullopt});
    }
    return outputs;
}

void check_entry(const Entry& entry, const Operand& variable) {
    if (entry.row < 0 || entry.row >= variable.rows || entry.col < 0 ||
        entry.col >= variable.cols) {
        throw OperandError("entry " + std::to_string(entry.row) + "," + std::to_string(entry.col) +
                           " is outside gradient " + variable.name + ", which is " +
                           std::to_string(variable.rows) + "-by-" + std::to_string(variable.cols) +
                           ": expected indices that count from 0");
    }
}

template <typename T>
void for_each_entry(const OutputInfo& info, const Batch& result, std::int64_t problem, T&& action) {
    for (std::int64_t i = 0; i < info.rows; ++i) {
        for (std::int64_t j = 0; j < info.cols; ++j) {
            action(i, j,
                   problem * result.batch_stride + i * result.row_stride + j * result.col_stride);
        }
    }
}

/// Every problem gets the matrix all of them share; the failed ones get NaN.
template <typename T>
void spread(const OutputInfo& info, const T* from, const Batch& to, std::int64_t batch,
            std::span<const std::int32_t> status) {
    T* data = static_cast<T*>(to.data);
    for (std::int64_t k = 0; k < batch; ++k) {
        const bool failed = status[static_cast<std::size_t>(k)] != 0;
        for_each_entry(info, to, k, [&](std::int64_t i, std::int64_t j, std::int64_t offset) {
            data[offset] = failed ? std::numeric_limits<T>::quiet_NaN() : from[i * info.cols + j];
        });
    }
}

/// The mean over no problem at all is 0 as its sum is; over failed ones alone it is NaN.
template <typename T>
void divide(const OutputInfo& info, const Batch& result, const RunSummary& summary) {
    if (summary.problems == 0) {
        return;
    }
    const T count = static_cast<T>(summary.problems - summary.failed);
    T* data = static_cast<T*>(result.data);
    for_each_entry(info, result, 0, [&](std::int64_t, std::int64_t, std::int64_t offset) {
        data[offset] = data[offset] / count;
    });
}

}  // namespace

struct Plan::Impl {
    Program program;
    std::vector<Operand> operands;
    std::vector<OutputInfo> outputs;
    std::vector<std::size_t> operand_of;  ///< of each of the program's operands, its place in ours
    std::vector<bool> spread_outputs;     ///< computed once, written for every problem
    Reduction reduction = Reduction::none;
    int threads = 1;
    std::size_t executor_bytes = 0;
    std::size_t scratch_bytes = 0;

    [[nodiscard]] bool any_spread() const { return scratch_bytes > 0; }
    RunSummary run(std::int64_t batch, std::span<const ConstBatch> given,
                   std::span<const Batch> results, std::span<std::int32_t> status,
                   std::span<std::byte> workspace, const RunHooks& hooks) const;
};

RunSummary Plan::Impl::run(std::int64_t batch, std::span<const ConstBatch> given,
                           std::span<const Batch> results, std::span<std::int32_t> status,
                           std::span<std::byte> workspace, const RunHooks& hooks) const {
    std::vector<ConstBatch> ordered;
    for (const std::size_t index : operand_of) {
        ordered.push_back(given[index]);
    }
    std::vector<Batch> targets(results.begin(), results.end());
    std::byte* scratch = workspace.data() + executor_bytes;
    for (std::size_t i = 0; i < targets.size(); ++i) {
        if (spread_outputs[i]) {
            targets[i] = Batch::contiguous(scratch, outputs[i].rows, outputs[i].cols);
            scratch += round_up(static_cast<std::size_t>(outputs[i].rows * outputs[i].cols *
                                                         size_of(program.type)));
        }
    }
    std::vector<std::int32_t> own_status;
    if (any_spread() && status.empty()) {
        own_status.resize(static_cast<std::size_t>(batch));
        status = own_status;
    }
    const RunSummary summary = run_on_cpu(program, batch, ordered, targets, status,
                                          workspace.first(executor_bytes), threads, hooks);
    const bool is_float = program.type == ScalarType::float32;
    for (std::size_t i = 0; i < targets.size(); ++i) {
        if (spread_outputs[i]) {
            is_float ? spread(outputs[i], static_cast<const float*>(targets[i].data), results[i],
                              batch, status)
                     : spread(outputs[i], static_cast<const double*>(targets[i].data), results[i],
                              batch, status);
        } else if (reduction == Reduction::mean) {
            is_float ? divide<float>(outputs[i], results[i], summary)
                     : divide<double>(outputs[i], results[i], summary);
        }
    }
    return summary;
}

const std::vector<Operand>& Plan::operands() const {
    return impl_->operands;
}

const std::vector<OutputInfo>& Plan::outputs() const {
    return impl_->outputs;
}

std::size_t Plan::workspace_bytes() const {
    return impl_->executor_bytes + impl_->scratch_bytes;
}

std::string Plan::explain() const {
    return to_text(impl_->program) + explain_cpu(impl_->program, impl_->threads);
}

RunSummary Plan::run(std::int64_t batch, std::span<const ConstBatch> operands,
                     std::span<const Batch> results, std::span<std::int32_t> status,
                     std::span<std::byte> workspace, const RunHooks& hooks) const {
    detail::check_run({impl_->operands, impl_->outputs, impl_->program.type, workspace_bytes()},
                      batch, operands, results, status, workspace);
    return impl_->run(batch, operands, results, status, workspace, hooks);
}

RunSummary Plan::run(std::int64_t batch, std::span<const ConstBatch> operands,
                     std::span<const Batch> results, std::span<std::int32_t> status,
                     const RunHooks& hooks) const {
    const AlignedBytes workspace(workspace_bytes());
    return run(batch, operands, results, status, workspace.span(), hooks);
}

Plan make_plan(const Expr& f, std::span<const Operand> operands, std::int64_t batch,
               const PlanOptions& options) {
    detail::check_options(f, batch, options);
    PlanRequest request;
    request.outputs = closed_forms(f, options);
    request.symbols = symbols_needed(f, options);
    detail::check_operands(request.symbols, operands);
    request.operands.assign(operands.begin(), operands.end());
    request.batch = batch;
    request.type = options.type;
    request.accuracy = options.accuracy;
    request.reduction = options.reduction;

    auto impl = std::make_shared<Plan::Impl>();
    impl->operands = request.operands;
    impl->reduction = options.reduction;
    impl->threads = thread_count(options.threads);
    const bool any_batched =
        std::any_of(operands.begin(), operands.end(), [](const Operand& o) { return o.batched; });
    for (const OutputRequest& output : request.outputs) {
        OutputInfo info{output.kind, output.name, 1, 1,
                        any_batched && options.reduction == Reduction::none};
        if (output.kind != OutputKind::value) {
            const Operand& variable = operand_named(operands, output.name);
            if (output.entry) {
                check_entry(*output.entry, variable);
            } else {
                info.rows = variable.rows;
                info.cols = variable.cols;
            }
        }
        impl->outputs.push_back(std::move(info));
    }

    impl->program = make_program(request);
    for (const ProgramOperand& operand : impl->program.operands) {
        const auto at = std::find_if(operands.begin(), operands.end(),
                                     [&](const Operand& o) { return o.name == operand.name; });
        impl->operand_of.push_back(static_cast<std::size_t>(at - operands.begin()));
    }
    impl->executor_bytes = round_up(cpu_workspace_bytes(impl->program, impl->threads));
    for (std::size_t i = 0; i < impl->outputs.size(); ++i) {
        const OutputInfo& info = impl->outputs[i];
        const auto value = static_cast<std::size_t>(impl->program.outputs[i].value);
        const bool once = impl->program.values[value].scope != Scope::problem;
        impl->spread_outputs.push_back(info.batched && once);
        if (impl->spread_outputs.back()) {
            impl->scratch_bytes +=
                round_up(static_cast<std::size_t>(info.rows * info.cols * size_of(options.type)));
        }
    }
    return Plan(std::move(impl));
}

}  // namespace matgrad
