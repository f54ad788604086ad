/// Failures of the machine, injected into the simulated GPU: the exception carries the call, its code
/// and the source line, and afterwards everything works again or says that it does not.

#include <gtest/gtest.h>

#include <regex>

#include "cuda/checked.hpp"
#include "cuda/device_run.hpp"
#include "executors/pipeline.hpp"
#include "simulated_gpu/simulated_gpu.hpp"

namespace matgrad::test {
namespace {

class Failures : public testing::Test {
protected:
    ~Failures() override {
        simulated::expect_no_complaints();
        simulated::reset();
    }
    /// "call failed with CODE: meaning (file.cpp:12)", one line.
    static void expect_words(const gpu::CudaError& error, const std::string& call,
                             const std::string& code) {
        const std::string message = error.what();
        EXPECT_TRUE(std::regex_search(message, std::regex(call + "[A-Za-z0-9_]* failed with " +
                                                          code + ": .+\\(\\w+\\.[ch]pp:\\d+\\)$")))
            << message;
        EXPECT_EQ(message.find('\n'), std::string::npos);
    }

    Pipeline pipeline_{ScalarType::float64, 6, 5, true};
    std::unique_ptr<const Executor> make(GpuExecutor way = GpuExecutor::automatic) const {
        gpu::ExecutorOptions options;
        options.executor = way;
        return module_under_test().make_executor(pipeline_.program, options);
    }
};

/// The pipeline's results, and one run of them.
struct Once {
    PipelineData data;
    Matrices sum, flipped, total, HC, V, G;
    DeviceRun run;
    TestStream stream;

    Once(const Executor& executor, const Pipeline& p)
        : data(p, 17),
          sum(p.program.type, 1, p.n, p.m),
          flipped(p.program.type, 1, p.m, p.n),
          total(p.program.type, 1, 1, 1),
          HC(p.program.type, 17, p.n, p.m),
          V(p.program.type, 17, 1, 1),
          G(p.program.type, 17, p.m, p.n),
          run(executor, 17, data.all(), {&sum, &flipped, &total, &HC, &V, &G}) {
        run.poison(stream.get());
    }
    /// Everything that comes back, in one piece.
    std::vector<std::byte> finish() {
        stream.wait();
        run.finish();
        std::vector<std::byte> all;
        for (const Matrices* matrices : {&sum, &flipped, &total, &HC, &V, &G}) {
            const auto bytes = matrices->memory();
            all.insert(all.end(), bytes.begin(), bytes.end());
        }
        return all;
    }
};

TEST_F(Failures, OfAnyLibraryCallInEnqueueAreToldAndTheNextCallWorks) {
    const auto executor = make(GpuExecutor::library);
    Once first(*executor, pipeline_);
    simulated::reset();
    first.run.enqueue(first.stream.get());
    const std::int64_t blas = simulated::calls("cublas");
    const std::int64_t solver = simulated::calls("cusolverDn");
    const std::vector<std::byte> want = first.finish();
    ASSERT_GT(blas, 3);
    struct Injection {
        std::string function;
        std::int64_t calls;
        int code;
        std::string name;
    };
    const Injection injections[] = {
        {"cublas", blas, CUBLAS_STATUS_EXECUTION_FAILED, "CUBLAS_STATUS_EXECUTION_FAILED"},
        {"cusolverDn", solver, CUSOLVER_STATUS_EXECUTION_FAILED, "cusolverStatus_t 6"}};
    for (const Injection& injection : injections) {
        for (int nth = 1; nth <= injection.calls; ++nth) {
            SCOPED_TRACE(testing::Message() << injection.function << " " << nth);
            Once broken(*executor, pipeline_);
            simulated::fail_call(injection.function, nth, injection.code);
            try {
                broken.run.enqueue(broken.stream.get());
                ADD_FAILURE() << "was not noticed";
            } catch (const gpu::CudaError& error) {
                expect_words(error, injection.function, injection.name);
                EXPECT_FALSE(error.device_lost());
                EXPECT_FALSE(error.out_of_memory());
            }
            broken.stream.wait();
            Once again(*executor, pipeline_);
            again.run.enqueue(again.stream.get());
            EXPECT_EQ(again.finish(), want);
        }
    }
}

TEST_F(Failures, OfAnyLaunchThatIsRefusedAreToldAndTheNextCallWorks) {
    for (const GpuExecutor way : {GpuExecutor::library, GpuExecutor::fused}) {
        const auto executor = make(way);
        Once first(*executor, pipeline_);
        simulated::reset();
        first.run.enqueue(first.stream.get());
        const std::int64_t launches = simulated::calls("cudaLaunchKernelExC");
        const std::vector<std::byte> want = first.finish();
        ASSERT_GT(launches, 1);
        for (int nth = 1; nth <= launches; ++nth) {
            SCOPED_TRACE(testing::Message() << "launch " << nth);
            Once broken(*executor, pipeline_);
            simulated::fail_call("cudaLaunchKernelExC", nth, cudaErrorLaunchOutOfResources);
            try {
                broken.run.enqueue(broken.stream.get());
                ADD_FAILURE() << "was not noticed";
            } catch (const gpu::CudaError& error) {
                expect_words(error, "cudaLaunchKernel", "cudaErrorLaunchOutOfResources");
                EXPECT_FALSE(error.device_lost());
            }
            broken.stream.wait();
            Once again(*executor, pipeline_);
            again.run.enqueue(again.stream.get());
            EXPECT_EQ(again.finish(), want);
        }
    }
}

TEST_F(Failures, OfARunningKernelBreakTheDeviceAndSaySo) {
    for (const GpuExecutor way : {GpuExecutor::library, GpuExecutor::fused}) {
        const auto executor = make(way);
        {
            Once broken(*executor, pipeline_);
            simulated::fail_call("cudaLaunchKernelExC", 1, cudaErrorLaunchFailure);
            try {
                broken.run.enqueue(
                    broken.stream.get());  // accepted, or late enough to be seen here
            } catch (const gpu::CudaError& error) {
                EXPECT_TRUE(error.device_lost()) << error.what();
            }
            EXPECT_EQ(cudaStreamSynchronize(broken.stream.get()), cudaErrorLaunchFailure);
            try {
                broken.run.enqueue(broken.stream.get());
                ADD_FAILURE() << "was not noticed";
            } catch (const gpu::CudaError& error) {
                EXPECT_TRUE(error.device_lost());
                EXPECT_NE(std::string(error.what()).find("cudaErrorLaunchFailure"),
                          std::string::npos)
                    << error.what();
                EXPECT_NE(std::string(error.what()).find("cannot be used by this process"),
                          std::string::npos)
                    << error.what();
            }
        }
        simulated::reset();
    }
}

TEST_F(Failures, OfTheCompilerAreToldByItsOwnWords) {
    ProgramBuilder build(ScalarType::float64);  // a kernel that no other test has compiled
    const ValueId a = build.operand("A", 3, 1, true);
    const ValueId out = build.value(3, 1);
    build.step(Map{{{{use(a), Broadcast::none}},
                    {{MapOp::load, 0, -1, 0}, {MapOp::scale, 0, -1, 0.123456}}}},
               out);
    build.output(out);
    const Program program = build.finish();
    simulated::fail_call("nvrtcCompileProgram", 1, NVRTC_ERROR_COMPILATION);
    EXPECT_THROW((void)module_under_test().make_executor(program, {}), MachineError);
    simulated::fail_call("nvrtcCreateProgram", 1, NVRTC_ERROR_OUT_OF_MEMORY);
    try {
        (void)module_under_test().make_executor(program, {});
        ADD_FAILURE() << "was not noticed";
    } catch (const gpu::CudaError& error) {
        expect_words(error, "nvrtcCreateProgram", "nvrtcResult 1");
        EXPECT_TRUE(error.out_of_memory());
    }
    // What failed once was not kept.
    Matrices A(ScalarType::float64, 2, 3, 1);
    A.fill_random(1);
    Matrices G(ScalarType::float64, 2, 3, 1);
    const auto executor = module_under_test().make_executor(program, {});
    DeviceRun run(*executor, 2, {&A}, {&G});
    const TestStream stream;
    run.poison(stream.get());
    run.enqueue(stream.get());
    stream.wait();
    run.finish();
    EXPECT_EQ(G.get(1, 2, 0), 0.123456 * A.get(1, 2, 0));
}

TEST_F(Failures, OfLoadingKernelsAreTold) {
    for (const std::string call : {"cudaLibraryLoadData", "cudaLibraryGetKernel"}) {
        simulated::fail_call(call, 1, cudaErrorMemoryAllocation);
        try {
            (void)make();
            ADD_FAILURE() << call << " was not noticed";
        } catch (const gpu::CudaError& error) {
            expect_words(error, call, "cudaErrorMemoryAllocation");
            EXPECT_TRUE(error.out_of_memory());
        }
        EXPECT_NE(make(), nullptr);
    }
}

TEST_F(Failures, PlansThatAreDroppedLeaveNothingOnTheDevice) {
    (void)make();
    const std::size_t before = simulated::allocated_bytes(0);
    for (int i = 0; i < 3; ++i) {
        (void)make();
    }
    EXPECT_EQ(simulated::allocated_bytes(0), before);
}

}  // namespace
}  // namespace matgrad::test
