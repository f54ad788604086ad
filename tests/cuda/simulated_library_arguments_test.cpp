/// The stand-ins of cuBLAS and cuSOLVER refuse wrong arguments with the codes of the real ones, and what
/// the executors' contract forbids with complaints.

#include "cuda/simulated_blas_support.hpp"
#include "cuda/simulated_solver_support.hpp"
#include "simulated_gpu/blas_handle.hpp"

namespace matgrad::simulated {
namespace {

constexpr double kOne = 1, kZero = 0;

/// Correct arguments of all functions, of order 3; a test spoils one at a time.
struct Arguments {
    cublasOperation_t transa = CUBLAS_OP_N, transb = CUBLAS_OP_T;
    cublasSideMode_t side = CUBLAS_SIDE_LEFT;
    cublasFillMode_t uplo = CUBLAS_FILL_MODE_LOWER;
    cublasDiagType_t diag = CUBLAS_DIAG_NON_UNIT;
    int m = 3, n = 2, k = 4, order = 3;
    int lda = 3, ldb = 3, ldc = 3, batch = 2;
    const double* alpha = &kOne;
    const double* beta = &kZero;
    bool null_a = false, null_b = false, null_c = false, null_info = false;
    cudaDataType type = CUDA_R_64F, result_type = CUDA_R_64F;
    cublasComputeType_t compute = CUBLAS_COMPUTE_64F;
    cublasGemmAlgo_t algorithm = CUBLAS_GEMM_DEFAULT;
};

class SimulatedArguments : public testing::Test {
public:
    SimulatedArguments()
        : a_(Layout::of(4, 4, 2), 1),
          b_(Layout::of(4, 4, 2), 2),
          c_(Layout::of(4, 4, 2), 3),
          ints_(64) {}
    ~SimulatedArguments() override {
        blas_.wait();
        solver_.wait();
        take_complaints();
    }

    template <typename P>
    static P* unless(bool null, P* p) {
        return null ? nullptr : p;
    }
    cublasStatus_t strided(const Arguments& x) {
        return cublasGemmStridedBatchedEx_64(
            blas_, x.transa, x.transb, x.m, x.n, x.k, x.alpha, unless(x.null_a, a_.base()), x.type,
            x.lda, 16, unless(x.null_b, b_.base()), x.type, x.ldb, 16, x.beta,
            unless(x.null_c, c_.base()), x.result_type, x.ldc, 16, x.batch, x.compute, x.algorithm);
    }
    cublasStatus_t batched(const Arguments& x) {
        return cublasGemmBatchedEx_64(
            blas_, x.transa, x.transb, x.m, x.n, x.k, x.alpha,
            reinterpret_cast<void**>(unless(x.null_a, a_.pointers())), x.type, x.lda,
            reinterpret_cast<void**>(unless(x.null_b, b_.pointers())), x.type, x.ldb, x.beta,
            reinterpret_cast<void**>(unless(x.null_c, c_.pointers())), x.result_type, x.ldc,
            x.batch, x.compute, x.algorithm);
    }
    cublasStatus_t syrk(const Arguments& x) {
        return cublasDsyrk_64(blas_, x.uplo, x.transa, x.m, x.k, x.alpha,
                              unless(x.null_a, a_.base()), x.lda, x.beta,
                              unless(x.null_c, c_.base()), x.ldc);
    }
    cublasStatus_t trsm(const Arguments& x) {
        return cublasDtrsm_64(blas_, x.side, x.uplo, x.transa, x.diag, x.m, x.n, x.alpha,
                              unless(x.null_a, a_.base()), x.lda, unless(x.null_b, b_.base()),
                              x.ldb);
    }
    cublasStatus_t trsm_batched(const Arguments& x) {
        return cublasDtrsmBatched_64(blas_, x.side, x.uplo, x.transa, x.diag, x.m, x.n, x.alpha,
                                     unless(x.null_a, a_.pointers()), x.lda,
                                     unless(x.null_b, b_.pointers()), x.ldb, x.batch);
    }
    cublasStatus_t getrf(const Arguments& x) {
        return cublasDgetrfBatched(blas_, x.order, unless(x.null_a, a_.pointers()), x.lda, nullptr,
                                   unless(x.null_info, ints_.data()), x.batch);
    }
    cublasStatus_t getrs(const Arguments& x) {
        info_ = 77;
        return cublasDgetrsBatched(blas_, x.transa, x.order, x.n, unless(x.null_a, a_.pointers()),
                                   x.lda, nullptr, unless(x.null_b, b_.pointers()), x.ldb,
                                   unless(x.null_info, &info_), x.batch);
    }
    cusolverStatus_t potrf_batched(const Arguments& x) {
        return cusolverDnDpotrfBatched(solver_, x.uplo, x.order, unless(x.null_a, a_.pointers()),
                                       x.lda, unless(x.null_info, ints_.data()), x.batch);
    }
    cusolverStatus_t potrf(const Arguments& x) {
        return solver_.potrf(x.uplo, x.order, x.type, unless(x.null_a, a_.base()), x.lda,
                             x.result_type, unless(x.null_info, ints_.data()));
    }
    cusolverStatus_t lu(const Arguments& x) {
        return solver_.getrf(x.m, x.order, x.type, unless(x.null_a, a_.base()), x.lda, nullptr,
                             x.result_type, unless(x.null_info, ints_.data()));
    }
    cusolverStatus_t lu_solve(const Arguments& x) {
        return cusolverDnXgetrs(solver_, solver_.parameters(), x.transa, x.order, x.n, x.type,
                                unless(x.null_a, a_.base()), x.lda, nullptr, x.result_type,
                                unless(x.null_b, b_.base()), x.ldb,
                                unless(x.null_info, ints_.data()));
    }

    /// Each of the functions refuses what `spoil` does to correct arguments.
    using Blas = cublasStatus_t (SimulatedArguments::*)(const Arguments&);
    using Solver = cusolverStatus_t (SimulatedArguments::*)(const Arguments&);
    template <typename Spoil>
    void refuse(const std::vector<Blas>& blas, const std::vector<Solver>& solver, Spoil spoil,
                cublasStatus_t blas_code = CUBLAS_STATUS_INVALID_VALUE,
                cusolverStatus_t solver_code = CUSOLVER_STATUS_INVALID_VALUE,
                int line = __builtin_LINE()) {
        const testing::ScopedTrace trace(__FILE__, line, "spoiled here");
        Arguments wrong;
        // Leading dimensions that suit every function.
        wrong.lda = wrong.ldb = wrong.ldc = 4;
        spoil(wrong);
        for (std::size_t f = 0; f < blas.size(); ++f) {
            EXPECT_EQ((this->*blas[f])(wrong), blas_code) << "function " << f;
        }
        for (std::size_t f = 0; f < solver.size(); ++f) {
            EXPECT_EQ((this->*solver[f])(wrong), solver_code) << "solver function " << f;
        }
        EXPECT_EQ(pending_tasks(), 0u);
    }

    /// A machine of its own, before anything is made on it.
    const bool fresh_ = (reset({}, {1, 0}), true);
    TestBlas blas_;
    TestSolver solver_;
    TestMatrices<double> a_, b_, c_;
    DeviceArray<int> ints_;
    int info_ = 0;
};

TEST_F(SimulatedArguments, ThatAreCorrectAreAccepted) {
    using S = SimulatedArguments;
    for (const Blas f :
         {&S::strided, &S::batched, &S::syrk, &S::trsm, &S::trsm_batched, &S::getrf}) {
        EXPECT_EQ((this->*f)({}), CUBLAS_STATUS_SUCCESS);
    }
    EXPECT_EQ(getrs({}), CUBLAS_STATUS_SUCCESS);
    EXPECT_EQ(info_, 0);
    EXPECT_EQ(pending_tasks(), 7u);
    for (const Solver f : {&S::potrf_batched, &S::potrf, &S::lu, &S::lu_solve}) {
        EXPECT_EQ((this->*f)({}), CUSOLVER_STATUS_SUCCESS);
        EXPECT_GT(pending_tasks(), 0u);
        blas_.wait();
        solver_.wait();
        EXPECT_EQ(pending_tasks(), 0u);
    }
    expect_no_complaints();
}

TEST_F(SimulatedArguments, SizesAreNotNegative) {
    using S = SimulatedArguments;
    refuse({&S::strided, &S::batched, &S::syrk, &S::trsm, &S::trsm_batched}, {&S::lu},
           [](Arguments& x) { x.m = -1; });
    refuse({&S::strided, &S::batched, &S::trsm, &S::trsm_batched, &S::getrs}, {&S::lu_solve},
           [](Arguments& x) { x.n = -1; });
    EXPECT_EQ(info_, -3);
    refuse({&S::strided, &S::batched, &S::syrk}, {}, [](Arguments& x) { x.k = -1; });
    refuse({&S::getrf, &S::getrs}, {&S::potrf_batched, &S::potrf, &S::lu, &S::lu_solve},
           [](Arguments& x) { x.order = -1; });
    EXPECT_EQ(info_, -2);
    refuse({&S::strided, &S::batched, &S::trsm_batched, &S::getrf, &S::getrs}, {&S::potrf_batched},
           [](Arguments& x) { x.batch = -1; });
    EXPECT_EQ(info_, -10);
}

TEST_F(SimulatedArguments, LeadingDimensionsHoldAColumn) {
    using S = SimulatedArguments;
    refuse({&S::strided, &S::batched, &S::syrk, &S::trsm, &S::trsm_batched, &S::getrf, &S::getrs},
           {&S::potrf_batched, &S::potrf, &S::lu, &S::lu_solve}, [](Arguments& x) { x.lda = 2; });
    EXPECT_EQ(info_, -5);
    // op(A) is m x k, so what is stored transposed has k rows.
    refuse({&S::strided, &S::batched, &S::syrk}, {}, [](Arguments& x) {
        x.transa = CUBLAS_OP_T;
        x.lda = 3;
    });
    refuse({&S::strided, &S::batched}, {}, [](Arguments& x) {
        x.transb = CUBLAS_OP_N;
        x.ldb = 3;
    });
    refuse({&S::strided, &S::batched}, {}, [](Arguments& x) { x.ldb = 1; });
    refuse({&S::trsm, &S::trsm_batched, &S::getrs}, {&S::lu_solve},
           [](Arguments& x) { x.ldb = 2; });
    EXPECT_EQ(info_, -8);
    refuse({&S::strided, &S::batched, &S::syrk}, {}, [](Arguments& x) { x.ldc = 2; });
    // The triangle of a right side has n rows.
    refuse({&S::trsm, &S::trsm_batched}, {}, [](Arguments& x) {
        x.side = CUBLAS_SIDE_RIGHT;
        x.lda = 1;
    });
    // 1 at least, where there is nothing.
    refuse({&S::strided, &S::batched, &S::syrk}, {}, [](Arguments& x) {
        x.m = 0;
        x.lda = 0;
    });
}

TEST_F(SimulatedArguments, WordsAreKnown) {
    using S = SimulatedArguments;
    refuse({&S::strided, &S::batched, &S::syrk, &S::trsm, &S::trsm_batched, &S::getrs},
           {&S::lu_solve}, [](Arguments& x) { x.transa = CUBLAS_OP_CONJG; });
    EXPECT_EQ(info_, -1);
    refuse({&S::strided, &S::batched}, {}, [](Arguments& x) { x.transb = CUBLAS_OP_CONJG; });
    refuse({&S::syrk, &S::trsm, &S::trsm_batched}, {&S::potrf_batched, &S::potrf},
           [](Arguments& x) { x.uplo = CUBLAS_FILL_MODE_FULL; });
    refuse({&S::strided, &S::batched}, {},
           [](Arguments& x) { x.algorithm = static_cast<cublasGemmAlgo_t>(50); });
}

TEST_F(SimulatedArguments, PointersAreNotNullWhereThereIsWork) {
    using S = SimulatedArguments;
    refuse({&S::strided, &S::batched, &S::syrk, &S::trsm, &S::trsm_batched}, {},
           [](Arguments& x) { x.alpha = nullptr; });
    refuse({&S::strided, &S::batched, &S::syrk}, {}, [](Arguments& x) { x.beta = nullptr; });
    refuse({&S::strided, &S::batched, &S::syrk, &S::trsm, &S::trsm_batched, &S::getrf, &S::getrs},
           {&S::potrf_batched, &S::potrf, &S::lu, &S::lu_solve},
           [](Arguments& x) { x.null_a = true; });
    EXPECT_EQ(info_, -4);
    refuse({&S::strided, &S::batched, &S::trsm, &S::trsm_batched, &S::getrs}, {&S::lu_solve},
           [](Arguments& x) { x.null_b = true; });
    EXPECT_EQ(info_, -7);
    refuse({&S::strided, &S::batched, &S::syrk}, {}, [](Arguments& x) { x.null_c = true; });
    refuse({&S::getrf, &S::getrs}, {&S::potrf_batched, &S::potrf, &S::lu, &S::lu_solve},
           [](Arguments& x) { x.null_info = true; });
}

TEST_F(SimulatedArguments, EmptyBatchesAndMatricesAreFine) {
    const auto nothing = [](Arguments& x) {
        x.null_a = x.null_b = x.null_c = x.null_info = true;
        x.lda = x.ldb = x.ldc = 4;
    };
    Arguments empty;
    nothing(empty);
    empty.batch = 0;
    EXPECT_EQ(strided(empty), CUBLAS_STATUS_SUCCESS);
    EXPECT_EQ(batched(empty), CUBLAS_STATUS_SUCCESS);
    EXPECT_EQ(trsm_batched(empty), CUBLAS_STATUS_SUCCESS);
    EXPECT_EQ(getrf(empty), CUBLAS_STATUS_SUCCESS);
    empty = {};
    nothing(empty);
    empty.m = empty.order = 0;
    EXPECT_EQ(strided(empty), CUBLAS_STATUS_SUCCESS);
    EXPECT_EQ(syrk(empty), CUBLAS_STATUS_SUCCESS);
    EXPECT_EQ(trsm(empty), CUBLAS_STATUS_SUCCESS);
    EXPECT_EQ(getrf(empty), CUBLAS_STATUS_SUCCESS);
    EXPECT_EQ(potrf_batched(empty), CUSOLVER_STATUS_SUCCESS);
    EXPECT_EQ(potrf(empty), CUSOLVER_STATUS_SUCCESS);
    EXPECT_EQ(lu(empty), CUSOLVER_STATUS_SUCCESS);
    EXPECT_EQ(lu_solve(empty), CUSOLVER_STATUS_SUCCESS);
    empty.null_info = false;
    EXPECT_EQ(getrs(empty), CUBLAS_STATUS_SUCCESS);
    EXPECT_EQ(pending_tasks(), 0u);
    expect_no_complaints();
}

TEST_F(SimulatedArguments, TypesAreThoseOfTheLibraries) {
    using S = SimulatedArguments;
    const auto unsupported = [&](auto spoil) {
        refuse({&S::strided, &S::batched}, {}, spoil, CUBLAS_STATUS_NOT_SUPPORTED);
    };
    unsupported([](Arguments& x) { x.result_type = CUDA_R_32F; });
    unsupported([](Arguments& x) { x.type = CUDA_R_32F; });
    unsupported([](Arguments& x) { x.compute = CUBLAS_COMPUTE_32F; });
    unsupported([](Arguments& x) { x.compute = CUBLAS_COMPUTE_32F_FAST_TF32; });
    unsupported([](Arguments& x) { x.type = x.result_type = CUDA_R_32F; });
    refuse(
        {}, {&S::potrf, &S::lu, &S::lu_solve}, [](Arguments& x) { x.result_type = CUDA_R_32F; },
        CUBLAS_STATUS_SUCCESS, CUSOLVER_STATUS_NOT_SUPPORTED);
    refuse(
        {}, {&S::potrf, &S::lu, &S::lu_solve},
        [](Arguments& x) { x.type = x.result_type = CUDA_C_64F; }, CUBLAS_STATUS_SUCCESS,
        CUSOLVER_STATUS_NOT_SUPPORTED);
}

TEST_F(SimulatedArguments, AWorkspaceIsSetAfterEachStream) {
    ASSERT_EQ(cublasSetStream(blas_, blas_.stream()), CUBLAS_STATUS_SUCCESS);
    EXPECT_EQ(strided({}), CUBLAS_STATUS_SUCCESS);
    expect_complaint("no cublasSetWorkspace since the last cublasSetStream");
    unsigned char* const data = blas_.workspace().data();
    EXPECT_EQ(cublasSetWorkspace(blas_, data + 8, 1024), CUBLAS_STATUS_INVALID_VALUE);
    EXPECT_EQ(cublasSetWorkspace(blas_, data, 65536), CUBLAS_STATUS_SUCCESS);
    EXPECT_EQ(strided({}), CUBLAS_STATUS_SUCCESS);
    expect_no_complaints();
}

TEST_F(SimulatedArguments, TheWorkspaceIsOverwritten) {
    std::vector<unsigned char> zeros(65536, 0);
    blas_.workspace().upload(zeros);
    EXPECT_EQ(strided({}), CUBLAS_STATUS_SUCCESS);
    blas_.wait();
    const std::vector<unsigned char> after = blas_.workspace().download();
    EXPECT_EQ(after.front(), 0xFF);
    EXPECT_EQ(after.back(), 0xFF);
    std::vector<unsigned char> on_host(2048);
    auto* const aligned = reinterpret_cast<unsigned char*>(
        (reinterpret_cast<std::uintptr_t>(on_host.data()) + 255) / 256 * 256);
    ASSERT_EQ(cublasSetWorkspace(blas_, aligned, 1024), CUBLAS_STATUS_SUCCESS);
    EXPECT_EQ(strided({}), CUBLAS_STATUS_SUCCESS);
    blas_.wait();
    expect_complaint("the workspace of cuBLAS");
}

TEST_F(SimulatedArguments, AHandleServesOneThreadAtATime) {
    BlasState* const state = find_blas(blas_, "test");
    ASSERT_NE(state, nullptr);
    {
        const HandleUse other(state->users, "another thread");
        EXPECT_EQ(syrk({}), CUBLAS_STATUS_SUCCESS);
    }
    expect_complaint("cublasDsyrk_64: two threads use one handle");
    EXPECT_EQ(syrk({}), CUBLAS_STATUS_SUCCESS);
    expect_no_complaints();
}

TEST_F(SimulatedArguments, HandlesAreLive) {
    cublasHandle_t handle = nullptr;
    ASSERT_EQ(cublasCreate(&handle), CUBLAS_STATUS_SUCCESS);
    const std::size_t before = live_blas_handles();
    ASSERT_EQ(cublasDestroy(handle), CUBLAS_STATUS_SUCCESS);
    EXPECT_EQ(live_blas_handles(), before - 1);
    EXPECT_EQ(cublasSetMathMode(handle, CUBLAS_DEFAULT_MATH), CUBLAS_STATUS_NOT_INITIALIZED);
    expect_complaint("no such handle");
    EXPECT_EQ(cublasDestroy(handle), CUBLAS_STATUS_NOT_INITIALIZED);
    expect_complaint("no such handle");
    cusolverDnHandle_t solver = nullptr;
    ASSERT_EQ(cusolverDnCreate(&solver), CUSOLVER_STATUS_SUCCESS);
    ASSERT_EQ(cusolverDnDestroy(solver), CUSOLVER_STATUS_SUCCESS);
    EXPECT_EQ(cusolverDnSetStream(solver, blas_.stream()), CUSOLVER_STATUS_NOT_INITIALIZED);
    expect_complaint("no such handle");
    cusolverDnParams_t parameters = nullptr;
    ASSERT_EQ(cusolverDnCreateParams(&parameters), CUSOLVER_STATUS_SUCCESS);
    ASSERT_EQ(cusolverDnDestroyParams(parameters), CUSOLVER_STATUS_SUCCESS);
    EXPECT_EQ(cusolverDnDestroyParams(parameters), CUSOLVER_STATUS_INVALID_VALUE);
    expect_complaint("no such parameters");
}

TEST_F(SimulatedArguments, HostDataAreOnTheHost) {
    Arguments x;
    x.alpha = a_.base();
    EXPECT_EQ(trsm(x), CUBLAS_STATUS_INVALID_VALUE);
    expect_complaint("alpha is device memory");
    // The info of getrsBatched alone is the host's.
    EXPECT_EQ(cublasDgetrsBatched(blas_, CUBLAS_OP_N, 3, 2, a_.pointers(), 4, nullptr,
                                  b_.pointers(), 4, ints_.data(), 2),
              CUBLAS_STATUS_INVALID_VALUE);
    expect_complaint("info is device memory");
    int info[2] = {5, 5};
    EXPECT_EQ(cublasDgetrfBatched(blas_, 3, a_.pointers(), 4, nullptr, info, 2),
              CUBLAS_STATUS_SUCCESS);
    blas_.wait();
    expect_complaint("infoArray (8 bytes) is not memory of device 0");
    EXPECT_EQ(info[0], 5);
}

TEST_F(SimulatedArguments, InjectedFailuresComeBackAndNothingRuns) {
    fail_call("cublasDtrsm", 1, CUBLAS_STATUS_EXECUTION_FAILED);
    EXPECT_EQ(trsm({}), CUBLAS_STATUS_EXECUTION_FAILED);
    fail_call("cusolver", 2, CUSOLVER_STATUS_INTERNAL_ERROR);
    EXPECT_EQ(potrf_batched({}), CUSOLVER_STATUS_SUCCESS);
    EXPECT_EQ(potrf_batched({}), CUSOLVER_STATUS_INTERNAL_ERROR);
    EXPECT_EQ(pending_tasks(), 1u);
    EXPECT_EQ(trsm({}), CUBLAS_STATUS_SUCCESS);
    EXPECT_EQ(calls("cublasDtrsm"), 2);
}

TEST_F(SimulatedArguments, ProductsAreCapturedAndTheSolversFor64BitsAreNot) {
    cudaGraph_t graph = nullptr;
    cudaGraphExec_t executable = nullptr;
    Arguments x;
    const double one = 1;
    x.beta = &one;
    ASSERT_EQ(cudaStreamBeginCapture(blas_.stream(), cudaStreamCaptureModeThreadLocal),
              cudaSuccess);
    EXPECT_EQ(strided(x), CUBLAS_STATUS_SUCCESS);
    ASSERT_EQ(cudaStreamEndCapture(blas_.stream(), &graph), cudaSuccess);
    ASSERT_EQ(cudaGraphInstantiate(&executable, graph, 0), cudaSuccess);
    TestMatrices<double> before = c_.fetch();
    ASSERT_EQ(cudaGraphLaunch(executable, blas_.stream()), cudaSuccess);
    blas_.wait();
    TestMatrices<double> first = c_.fetch();
    ASSERT_EQ(cudaGraphLaunch(executable, blas_.stream()), cudaSuccess);
    blas_.wait();
    TestMatrices<double> second = c_.fetch();
    // beta is 1, so each launch adds the product once more.
    EXPECT_NE(first.at(1, 0, 0), before.at(1, 0, 0));
    EXPECT_NEAR(second.at(1, 0, 0) - first.at(1, 0, 0), first.at(1, 0, 0) - before.at(1, 0, 0),
                1e-14);
    EXPECT_EQ(cudaGraphExecDestroy(executable), cudaSuccess);
    EXPECT_EQ(cudaGraphDestroy(graph), cudaSuccess);
    expect_no_complaints();

    for (const Solver f :
         {&SimulatedArguments::potrf, &SimulatedArguments::lu, &SimulatedArguments::lu_solve}) {
        EXPECT_EQ((this->*f)({}), CUSOLVER_STATUS_SUCCESS);  // its buffers are there from now on
        ASSERT_EQ(cudaStreamBeginCapture(solver_.stream(), cudaStreamCaptureModeThreadLocal),
                  cudaSuccess);
        EXPECT_EQ((this->*f)({}), CUSOLVER_STATUS_EXECUTION_FAILED);
        EXPECT_NE(cudaStreamEndCapture(solver_.stream(), &graph), cudaSuccess);
        EXPECT_FALSE(take_complaints().empty());
    }
    (void)cudaGetLastError();
}

TEST_F(SimulatedArguments, VersionsAreThoseOfTheHeaders) {
    int version = 0;
    EXPECT_EQ(cublasGetVersion(blas_, &version), CUBLAS_STATUS_SUCCESS);
    EXPECT_EQ(version, CUBLAS_VERSION);
    EXPECT_EQ(cusolverGetVersion(&version), CUSOLVER_STATUS_SUCCESS);
    EXPECT_EQ(version, CUSOLVER_VERSION);
    EXPECT_EQ(cublasGetVersion(blas_, nullptr), CUBLAS_STATUS_INVALID_VALUE);
    EXPECT_EQ(cusolverGetVersion(nullptr), CUSOLVER_STATUS_INVALID_VALUE);
}

TEST_F(SimulatedArguments, StatusesHaveNames) {
    EXPECT_STREQ(cublasGetStatusName(CUBLAS_STATUS_NOT_SUPPORTED), "CUBLAS_STATUS_NOT_SUPPORTED");
    EXPECT_STREQ(cublasGetStatusString(CUBLAS_STATUS_SUCCESS), "success");
}

TEST(SimulatedDevices, ThereAreNoHandlesWithoutADevice) {
    reset({0, 0, CUDART_VERSION});
    cublasHandle_t handle = nullptr;
    cusolverDnHandle_t solver = nullptr;
    EXPECT_EQ(cublasCreate(&handle), CUBLAS_STATUS_NOT_INITIALIZED);
    EXPECT_EQ(cusolverDnCreate(&solver), CUSOLVER_STATUS_NOT_INITIALIZED);
    reset();
}

TEST(SimulatedDevices, AHandleWorksOnItsOwnDeviceAlone) {
    reset({2, std::size_t{1} << 28, CUDART_VERSION});
    {
        const TestBlas blas;
        TestMatrices<double> a(Layout::of(2, 2, 1), 1);
        const auto multiply = [&](const double* from, double* to) {
            return cublasGemmStridedBatchedEx_64(blas, CUBLAS_OP_N, CUBLAS_OP_N, 2, 2, 2, &kOne,
                                                 from, CUDA_R_64F, 2, 4, from, CUDA_R_64F, 2, 4,
                                                 &kZero, to, CUDA_R_64F, 2, 4, 1,
                                                 CUBLAS_COMPUTE_64F, CUBLAS_GEMM_DEFAULT);
        };
        ASSERT_EQ(cudaSetDevice(1), cudaSuccess);
        const DeviceArray<double> elsewhere(4);
        TestMatrices<double> c(Layout::of(2, 2, 1), 2);
        EXPECT_EQ(multiply(a.base(), c.base()), CUBLAS_STATUS_SUCCESS);
        expect_complaint("the handle is of device 0, the current one is 1");
        blas.wait();
        expect_complaint("is not memory of device 0");
        ASSERT_EQ(cudaSetDevice(0), cudaSuccess);
        EXPECT_EQ(multiply(elsewhere.data(), a.base()), CUBLAS_STATUS_SUCCESS);
        blas.wait();
        expect_complaint("A of problem 0 (32 bytes) is not memory of device 0");
    }
    reset();
}

}  // namespace
}  // namespace matgrad::simulated
