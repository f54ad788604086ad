#include "cuda/host_run.hpp"

#include "cuda/device_run.hpp"
#include "executor/workers.hpp"

namespace matgrad::test {
namespace {

/// A copy of Matrices in pinned memory, addressed alike.
class PinnedMatrices {
public:
    explicit PinnedMatrices(const Matrices& matrices) : matrices_(matrices.input()) {
        const auto bytes = matrices.memory();
        void* data = nullptr;
        MATGRAD_MUST(cudaHostAlloc(&data, bytes.size(), cudaHostAllocDefault));
        data_ = static_cast<std::byte*>(data);
        std::memcpy(data_, bytes.data(), bytes.size());
        origin_ = matrices.origin_bytes();
    }
    PinnedMatrices(const PinnedMatrices&) = delete;
    PinnedMatrices& operator=(const PinnedMatrices&) = delete;
    ~PinnedMatrices() { (void)cudaFreeHost(data_); }
    [[nodiscard]] Strided view() const {
        return {data_ + origin_, matrices_.row_stride, matrices_.col_stride,
                matrices_.batch_stride};
    }
    void copy_to(Matrices& matrices) const {
        std::memcpy(matrices.memory().data(), data_, matrices.memory().size());
    }

private:
    ConstStrided matrices_;
    std::byte* data_ = nullptr;
    std::int64_t origin_ = 0;
};

}  // namespace

HostResults::HostResults(const Pipeline& p, std::int64_t batch, Order order, bool reversed)
    : sum(p.program.type, 1, p.n, p.m, order),
      flipped(p.program.type, 1, p.m, p.n, order),
      total(p.program.type, 1, 1, 1, order),
      HC(p.program.type, batch, p.n, p.m, order, reversed),
      V(p.program.type, batch, 1, 1, order, reversed),
      G(p.program.type, batch, p.m, p.n, order, reversed),
      status(static_cast<std::size_t>(batch), -1),
      pipeline(&p) {}

std::vector<Matrices*> HostResults::all() {
    if (pipeline->program.outputs.size() == 3) {
        return {&HC, &V, &G};
    }
    return {&sum, &flipped, &total, &HC, &V, &G};
}

void HostResults::expect_like(const HostResults& other) const {
    const ScalarType type = pipeline->program.type;
    EXPECT_EQ(status, other.status);
    for (std::size_t i = 0; i < status.size(); ++i) {
        const auto p = static_cast<std::int64_t>(i);
        if (status[i] != 0) {
            EXPECT_TRUE(std::isnan(V.get(p, 0, 0)) && std::isnan(HC.get(p, 0, 0)) &&
                        std::isnan(G.get(p, pipeline->m - 1, pipeline->n - 1)));
            continue;
        }
        expect_solutions_agree(matrix(G, p), matrix(other.G, p), type, PipelineData::kShift);
        if (testing::Test::HasFatalFailure()) {
            return;
        }
    }
    if (pipeline->program.outputs.size() == 3) {
        return;
    }
    // Of what this very run gave, summed in double in chunks that are rounded once each.
    const auto chunks = static_cast<double>(status.size() + 2);
    const double u =
        static_cast<double>(unit(type)) + chunks * static_cast<double>(unit(ScalarType::float64));
    for (std::int64_t r = 0; r < sum.rows(); ++r) {
        for (std::int64_t c = 0; c < sum.cols(); ++c) {
            double want = 0;
            for (std::size_t i = 0; i < status.size(); ++i) {
                want += status[i] == 0 ? HC.get(static_cast<std::int64_t>(i), r, c) : 0;
            }
            const double bound = 4 * u * absolute_sum(r, c);
            EXPECT_NEAR(sum.get(0, r, c), want, bound);
            EXPECT_NEAR(flipped.get(0, c, r), want, bound);
        }
    }
}

double HostResults::absolute_sum(std::int64_t r, std::int64_t c) const {
    double result = 0;
    for (std::size_t i = 0; i < status.size(); ++i) {
        result += status[i] == 0 ? std::abs(HC.get(static_cast<std::int64_t>(i), r, c)) : 0;
    }
    return result;
}

HostRun::HostRun(Program program, const gpu::ExecutorOptions& options)
    : program_(std::move(program)), options_(options) {
    options_.threads = 2;
    options_.run_workers = detail::run_workers;
    executor_ = module_under_test().make_executor(program_, options_);
}

void HostRun::take_at_most(std::size_t bytes) {
    options_.device_memory = bytes;
    executor_.reset();
    executor_ = module_under_test().make_executor(program_, options_);
}

std::size_t HostRun::workspace_bytes() const {
    gpu::ExecutorOptions one = options_;
    one.all_devices = false;
    return module_under_test().make_executor(program_, one)->workspace_bytes();
}

RunSummary HostRun::run(std::int64_t batch, std::span<const ConstStrided> operands,
                        std::span<const Strided> results, std::span<std::int32_t> status) {
    reports_.clear();
    const RunHooks hooks{[this](std::int64_t done) {
        reports_.push_back(done);
        return refuse_after_ < 0 || reports_.size() < static_cast<std::size_t>(refuse_after_);
    }};
    HostCall call{batch, operands, results, status};
    call.beta = beta_;
    return executor_->run(call, hooks);
}

RunSummary HostRun::operator()(const PipelineData& data, HostResults& results) {
    std::vector<ConstStrided> operands;
    for (const Matrices* matrices : data.all()) {
        operands.push_back(matrices->input());
    }
    std::vector<Strided> outputs;
    for (Matrices* matrices : results.all()) {
        outputs.push_back(matrices->output());
    }
    const RunSummary summary = run(data.S.batch(), operands, outputs, results.status);
    for (const Matrices* matrices : results.all()) {
        EXPECT_TRUE(matrices->guards_intact()) << "written outside a result";
    }
    return summary;
}

RunSummary HostRun::from_pinned_memory(const PipelineData& data, HostResults& results) {
    std::vector<std::unique_ptr<PinnedMatrices>> copies;
    std::vector<ConstStrided> operands;
    for (const Matrices* matrices : data.all()) {
        const Strided view =
            copies.emplace_back(std::make_unique<PinnedMatrices>(*matrices))->view();
        operands.push_back({view.data, view.row_stride, view.col_stride, view.batch_stride});
    }
    std::vector<Strided> outputs;
    const std::size_t first = copies.size();
    for (const Matrices* matrices : results.all()) {
        outputs.push_back(copies.emplace_back(std::make_unique<PinnedMatrices>(*matrices))->view());
    }
    const RunSummary summary = run(data.S.batch(), operands, outputs, results.status);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        copies[first + i]->copy_to(*results.all()[i]);
        EXPECT_TRUE(results.all()[i]->guards_intact()) << "written outside a result";
    }
    return summary;
}

HostRun small_run(const Pipeline& pipeline, bool mean, bool all_devices, GpuExecutor executor) {
    gpu::ExecutorOptions options;
    options.executor = executor;
    options.workspace_limit = 1;
    const std::size_t least =
        module_under_test().make_executor(pipeline.program, options)->workspace_bytes();
    options.workspace_limit = least + (std::size_t{32} << 10);
    options.all_devices = all_devices;
    Program program = pipeline.program;
    for (ProgramOutput& output : program.outputs) {
        output.mean = mean && program.value(output.value).scope != Scope::shared;
    }
    HostRun run(std::move(program), options);
    // Three slots of some 300 problems with about 130 numbers each.
    constexpr std::size_t kNumbers = std::size_t{3} * 300 * 130;
    run.take_at_most(run.workspace_bytes() +
                     kNumbers * static_cast<std::size_t>(size_of(pipeline.program.type)));
    return run;
}

}  // namespace matgrad::test
