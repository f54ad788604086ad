/// Which calls of the libraries a Program becomes, counted by the simulated GPU, and what explain says.

#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <string>

#include "cuda/device_run.hpp"
#include "executors/build_program.hpp"
#include "simulated_gpu/simulated_gpu.hpp"

namespace matgrad::test {
namespace {

struct Calls {
    std::int64_t before = 0;
    std::string name;
    explicit Calls(const std::string& function)
        : before(simulated::calls(function)), name(function) {}
    [[nodiscard]] std::int64_t now() const { return simulated::calls(name) - before; }
};

/// A step on X, per problem, and its result.
Program one_step(std::int64_t n, const std::function<Operation(ValueId x)>& operation) {
    ProgramBuilder build(ScalarType::float64);
    const ValueId x = build.operand("X", n, n, true);
    const ValueId copy = build.value(n, n);
    build.step(Copy{use(x)}, copy);
    const ValueId out = build.value(n, n);
    build.step(operation(copy), out);
    const ValueId top = build.value(1, 1);
    build.step(Copy{{out, false, 0, 0}}, top);
    build.output(top);
    return build.finish();
}

RunResult run_identity(const Executor& executor, std::int64_t n, std::int64_t batch,
                       bool captured = false) {
    Matrices x(ScalarType::float64, batch, n, n);
    for (std::int64_t p = 0; p < batch; ++p) {
        for (std::int64_t r = 0; r < n; ++r) {
            for (std::int64_t c = 0; c < n; ++c) {
                x.set(p, r, c, r == c ? 1 : 0);
            }
        }
    }
    Matrices top(ScalarType::float64, batch, 1, 1);
    DeviceRun run(executor, batch, {&x}, {&top});
    const TestStream stream;
    run.poison(stream.get());
    if (captured) {
        cudaGraph_t graph = nullptr;
        MATGRAD_MUST(cudaStreamBeginCapture(stream.get(), cudaStreamCaptureModeThreadLocal));
        run.enqueue(stream.get());
        MATGRAD_MUST(cudaStreamEndCapture(stream.get(), &graph));
        MATGRAD_MUST(cudaGraphDestroy(graph));
    } else {
        run.enqueue(stream.get());
    }
    stream.wait();
    return run.finish();
}

/// Of plans whose steps are calls of the libraries.
gpu::ExecutorOptions library_options() {
    gpu::ExecutorOptions options;
    options.executor = GpuExecutor::library;
    return options;
}

void expect_explained(const Executor& executor, const std::string& route) {
    EXPECT_NE(executor.explain().find(": " + route + "\n"), std::string::npos)
        << route << " in\n"
        << executor.explain();
}

TEST(Routes, OfACholeskyDependOnItsSizeAndTheBatch) {
    const auto potrf = [](ValueId x) { return Operation(Potrf{use(x)}); };
    const auto small = module_under_test().make_executor(one_step(20, potrf), library_options());
    const auto large = module_under_test().make_executor(one_step(512, potrf), library_options());
    const Calls batched("cusolverDnDpotrfBatched");
    const Calls alone("cusolverDnXpotrf");
    const Calls sizes("cusolverDnXpotrf_bufferSize");
    EXPECT_EQ(run_identity(*small, 20, 2).summary.failed, 0);
    EXPECT_EQ(batched.now(), 1);
    EXPECT_EQ(alone.now(), 0);
    EXPECT_EQ(run_identity(*large, 512, 1).summary.failed, 0);
    EXPECT_EQ(batched.now(), 1);
    EXPECT_EQ(alone.now(), 1);
    EXPECT_EQ(run_identity(*large, 512, 2).summary.failed, 0);
    EXPECT_EQ(batched.now(), 2);
    EXPECT_EQ(alone.now(), 1);
    EXPECT_EQ(sizes.now(), 0);  // asked when the plan was made
    expect_explained(*small, "copy, potrfBatched, status");
    expect_explained(*large, "copy, potrf of one problem, first status, status");
}

TEST(Routes, OfAPlanThatIsToBeCapturedDoWithoutCuSolver) {
    const auto potrf = [](ValueId x) { return Operation(Potrf{use(x)}); };
    gpu::ExecutorOptions options = library_options();
    options.capturable = true;
    const Calls solver("cusolverDn");
    for (const std::int64_t n : {20, 512}) {
        const auto executor = module_under_test().make_executor(one_step(n, potrf), options);
        EXPECT_EQ(run_identity(*executor, n, 2).summary.failed, 0);
        (void)run_identity(*executor, n, 2, true);
    }
    EXPECT_EQ(solver.now(), 0);
}

TEST(Routes, FollowTheThresholdsOfTheEnvironment) {
    const auto potrf = [](ValueId x) { return Operation(Potrf{use(x)}); };
    ASSERT_EQ(setenv("MATGRAD_GPU_CHOLESKY_ALONE_ORDER", "20", 1), 0);
    ASSERT_EQ(setenv("MATGRAD_GPU_CHOLESKY_ALONE_BATCH", "3", 1), 0);
    const auto executor = module_under_test().make_executor(one_step(20, potrf), library_options());
    const Calls alone("cusolverDnXpotrf");
    EXPECT_EQ(run_identity(*executor, 20, 3).summary.failed, 0);
    EXPECT_EQ(alone.now(), 3);
    EXPECT_NE(executor->explain().find("thresholds of the environment: "
                                       "MATGRAD_GPU_CHOLESKY_ALONE_ORDER=20 "
                                       "MATGRAD_GPU_CHOLESKY_ALONE_BATCH=3\n"),
              std::string::npos)
        << executor->explain();
    ASSERT_EQ(unsetenv("MATGRAD_GPU_CHOLESKY_ALONE_BATCH"), 0);
    for (const char* wrong : {"-1", "many", "12x", " 3", "99999999999999999999"}) {
        ASSERT_EQ(setenv("MATGRAD_GPU_CHOLESKY_ALONE_ORDER", wrong, 1), 0);
        try {
            (void)module_under_test().make_executor(one_step(20, potrf), library_options());
            ADD_FAILURE() << wrong << " was taken";
        } catch (const OperandError& error) {
            EXPECT_EQ(error.what(), "MATGRAD_GPU_CHOLESKY_ALONE_ORDER is '" + std::string(wrong) +
                                        "': expected a number of at least 0");
        }
    }
    ASSERT_EQ(unsetenv("MATGRAD_GPU_CHOLESKY_ALONE_ORDER"), 0);
}

/// One gemm of a batched X and a shared A.
TEST(Routes, OfAProductWithASharedMatrixIsOneCallForTheBatch) {
    ProgramBuilder build(ScalarType::float64);
    const ValueId x = build.operand("X", 4, 3, true);
    const ValueId a = build.operand("A", 3, 5, false);
    const ValueId out = build.value(4, 5);
    build.step(Gemm{use(x), use(a), 1, 0, {}}, out);
    build.output(out);
    Program program = build.finish();
    program.batch = 50;
    program.value(out).output = 0;  // as the planner has it
    const auto executor = module_under_test().make_executor(program, library_options());
    expect_explained(*executor, "one gemm over the rows of the batch");

    const auto gemms_for = [&](Order order) {
        Matrices X(ScalarType::float64, 50, 4, 3, order);
        Matrices A(ScalarType::float64, 1, 3, 5);
        Matrices R(ScalarType::float64, 50, 4, 5);
        X.fill_random(1);
        A.fill_random(2);
        DeviceRun run(*executor, 50, {&X, &A}, {&R});
        const TestStream stream;
        run.poison(stream.get());
        const Calls gemms("cublasGemmStridedBatchedEx");
        const Calls copies("cudaLaunchKernelExC");
        run.enqueue(stream.get());
        stream.wait();
        run.finish();
        EXPECT_EQ(gemms.now(), 1);
        return copies.now();
    };
    EXPECT_EQ(gemms_for(Order::rows), 0);     // read and written in place
    EXPECT_EQ(gemms_for(Order::columns), 0);  // a strided batch
    EXPECT_EQ(gemms_for(Order::strided), 1);  // gathered first
}

/// V u, per problem.
TEST(Routes, OfASharedMatrixTimesVectorsIsOneCallForTheBatch) {
    ProgramBuilder build(ScalarType::float64);
    const ValueId v = build.operand("V", 4, 3, false);
    const ValueId u = build.operand("u", 3, 1, true);
    const ValueId x = build.operand("x", 4, 1, true);
    const ValueId out = build.value(4, 1);
    build.step(Gemm{use(v), use(u), -1, 1, use(x)}, out);
    build.output(out);
    Program program = build.finish();
    program.batch = 50;
    const auto executor = module_under_test().make_executor(program, library_options());
    expect_explained(*executor, "copy, one gemm over the columns of the batch");
}

/// The sum over the batch of r u', of X'X and of X X'.
TEST(Routes, OfASumOfProductsAreProductsThatSumOverTheBatch) {
    ProgramBuilder build(ScalarType::float64);
    const ValueId r = build.operand("r", 4, 1, true);
    const ValueId u = build.operand("u", 3, 1, true);
    const ValueId x = build.operand("X", 5, 3, true);
    const ValueId outer = build.value(4, 3);
    const ValueId gram = build.value(3, 3);
    const ValueId wide = build.value(5, 5);
    build.step(Gemm{use(r), use_transposed(u), 1, 0, {}}, outer).fold = Fold::inner;
    build.step(Syrk{use_transposed(x), 1, true}, gram).fold = Fold::inner;
    build.step(Syrk{use(x), 1, true}, wide).fold = Fold::inner;
    for (const ValueId product : {outer, gram, wide}) {
        const Value value = build.of(product);
        const ValueId sum = build.value(value.rows.size, value.cols.size, Scope::reduced);
        build.step(BatchReduce{use(product)}, sum);
        build.output(sum);
    }
    Program program = build.finish();
    program.batch = 50;
    const auto executor = module_under_test().make_executor(program, library_options());
    const std::string text = executor->explain();
    const auto is_told = [&text](const std::string& line) {
        EXPECT_NE(text.find(line), std::string::npos) << line << " in\n" << text;
    };
    const std::string factor = "copy, status of what is not finite, 0 where a problem failed, ";
    is_told("= gemm(r, u'): " + factor + factor + "gemm that sums over the batch x 2\n");
    is_told("= syrk(X', X): " + factor + "gemm that sums over the batch x 2\n");
    // No columns one beside the other.
    is_told("= syrk(X, X'): gemm, strided batch, status of what is not finite\n");
}

TEST(Routes, OfALargeLowerSyrkIsHalfAProduct) {
    const auto syrk = [](ValueId x) { return Operation(Syrk{use(x), 1, false}); };
    const auto executor =
        module_under_test().make_executor(one_step(1024, syrk), library_options());
    expect_explained(*executor, "syrk");
}

}  // namespace
}  // namespace matgrad::test
