// What is kept for each problem: the Thrust functions of kernels/batch_state.cu, as plain C++.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "batch_state.hpp"
#include "cuda/checked.hpp"
#include "cuda/kernel_bench.hpp"
#include "matgrad/status.hpp"

namespace matgrad::test {
namespace {

class BatchState : public OnSimulatedGpu {
protected:
    template <typename T>
    static T* device(const DeviceBuffer& buffer) {
        return reinterpret_cast<T*>(buffer.data());
    }
    template <typename T>
    static DeviceBuffer put(const std::vector<T>& values) {
        return DeviceBuffer(std::as_bytes(std::span(values)));
    }
    static gpu::Statuses old(const DeviceBuffer& status) {
        return {device<std::int32_t>(status), false, nullptr};
    }
    static gpu::Statuses fresh(const DeviceBuffer& status, const std::int32_t* shared = nullptr) {
        return {device<std::int32_t>(status), true, shared};
    }
    static gpu::Matrices matrices(const gpu::DeviceView& v) {
        return {v.data,       v.type == kDouble, v.rows,        v.cols,
                v.row_stride, v.col_stride,      v.batch_stride};
    }
    template <typename T>
    static std::vector<T> get(const DeviceBuffer& buffer) {
        std::vector<T> values(buffer.size() / sizeof(T));
        buffer.download(std::as_writable_bytes(std::span(values)));
        return values;
    }
};

std::int32_t not_positive(std::int64_t pivot) {
    return make_status(StatusKind::not_positive, pivot);
}
std::int32_t not_finite(std::int64_t pivot) {
    return make_status(StatusKind::not_finite, pivot);
}
std::int32_t singular(std::int64_t pivot) {
    return make_status(StatusKind::singular, pivot);
}

const double kNan = std::nan("");
const double kInfinity = std::numeric_limits<double>::infinity();

TEST_F(BatchState, PointersOfEveryArrayStepThroughTheBatch) {
    for (const std::size_t count : {std::size_t{1}, std::size_t{3}, gpu::kMostPointerArrays}) {
        const DeviceBuffer pointers(count * 5 * sizeof(void*));
        char base[4000];
        std::vector<gpu::PointerArray> arrays;
        for (std::size_t k = 0; k < count; ++k) {
            arrays.push_back(
                {base + 2000 + k, k % 2 == 0 ? -24 : static_cast<std::int64_t>(8 * k)});
        }
        gpu::fill_pointers(device<void*>(pointers), arrays, 5, stream());
        gpu::fill_pointers(nullptr, arrays, 0, stream());
        gpu::fill_pointers(nullptr, {}, 5, stream());
        (void)finish();
        const std::vector<void*> got = get<void*>(pointers);
        for (std::size_t k = 0; k < count; ++k) {
            for (std::size_t p = 0; p < 5; ++p) {
                EXPECT_EQ(got[k * 5 + p],
                          static_cast<char*>(arrays[k].base) +
                              static_cast<std::int64_t>(p) * arrays[k].stride_bytes);
            }
        }
    }
}

TEST_F(BatchState, StatusStartsAsThatOfTheSharedSteps) {
    const DeviceBuffer status = put<std::int32_t>({7, 7, 7});
    gpu::start_status(device<std::int32_t>(status), nullptr, 3, stream());
    (void)finish();
    EXPECT_EQ(get<std::int32_t>(status), (std::vector<std::int32_t>{0, 0, 0}));
    // The shared status is read when the stream gets there, not when this is enqueued.
    const DeviceBuffer shared = put<std::int32_t>({0});
    const std::int32_t later = 4;
    MATGRAD_MUST(
        cudaMemcpyAsync(shared.data(), &later, sizeof(later), cudaMemcpyHostToDevice, stream()));
    gpu::start_status(device<std::int32_t>(status), device<std::int32_t>(shared), 3, stream());
    (void)finish();
    EXPECT_EQ(get<std::int32_t>(status), (std::vector<std::int32_t>{4, 4, 4}));
}

/// Pivots of a batch, n of a problem, in a strided diagonal of either type.
class PivotCase {
public:
    PivotCase(ScalarType type, std::int64_t batch, std::int64_t n)
        : n_(n), matrices_(type, batch, n, n, Order::padded_rows) {
        for (std::int64_t p = 0; p < batch; ++p) {
            for (std::int64_t r = 0; r < n; ++r) {
                for (std::int64_t c = 0; c < n; ++c) {
                    matrices_.host.set(p, r, c, r == c ? 1.0 + static_cast<double>(r) : -1.0);
                }
            }
        }
    }
    void set(std::int64_t p, std::int64_t pivot, double value) {
        matrices_.host.set(p, pivot, pivot, value);
    }
    void set_entry(std::int64_t p, std::int64_t row, std::int64_t col, double value) {
        matrices_.host.set(p, row, col, value);
    }
    [[nodiscard]] double get(std::int64_t p, std::int64_t pivot) {
        matrices_.download();
        return matrices_.host.get(p, pivot, pivot);
    }
    gpu::Diagonals upload() {
        const gpu::DeviceView view = matrices_.upload();
        return {view.data,         view.type == kDouble, n_, view.row_stride + view.col_stride,
                view.batch_stride, view.col_stride};
    }

private:
    std::int64_t n_;
    OnDevice matrices_;
};

TEST_F(BatchState, CholeskyFailsAtItsFirstPivotThatIsNotFiniteOrNotPositive) {
    for (const ScalarType type : kTypes) {
        for (const std::int64_t n : {5, 64, 65, 300}) {
            SCOPED_TRACE(testing::Message() << n << " " << size_of(type));
            const std::int64_t last = n - 1;
            PivotCase pivots(type, 9, n);
            pivots.set(1, last, 0);
            pivots.set(2, 0, -1);
            pivots.set(3, 2, kNan);
            pivots.set(3, last, kNan);
            pivots.set(4, 3, kInfinity);
            pivots.set(4, 1, -0.0);
            pivots.set(6, last, kNan);  // after what the library says
            pivots.set(7, 1, kNan);     // before what the library says
            pivots.set(8, 2, kNan);     // but it had failed before
            const std::vector<int> info = {0, 0, 0, 0, 0, 4, 3, 5, 0};
            const DeviceBuffer device_info = put(info);
            const std::vector<std::int32_t> before = {0, 0, 0, 0, 0, 0, 0, 0, 77};
            DeviceBuffer status = put(before);
            gpu::read_cholesky_status(pivots.upload(), device<int>(device_info), old(status), 9,
                                      stream());
            (void)finish();
            EXPECT_EQ(get<std::int32_t>(status),
                      (std::vector<std::int32_t>{0, not_positive(n), not_positive(1), not_finite(3),
                                                 not_positive(2), not_positive(4), not_positive(3),
                                                 not_finite(2), 77}));
            status.upload(std::as_bytes(std::span(before)));
            gpu::read_cholesky_status(pivots.upload(), nullptr, old(status), 9, stream());
            (void)finish();
            EXPECT_EQ(
                get<std::int32_t>(status),
                (std::vector<std::int32_t>{0, not_positive(n), not_positive(1), not_finite(3),
                                           not_positive(2), 0, not_finite(n), not_finite(2), 77}));
            // New ones: what was there is not looked at.
            gpu::read_cholesky_status(pivots.upload(), nullptr, fresh(status), 9, stream());
            (void)finish();
            EXPECT_EQ(get<std::int32_t>(status),
                      (std::vector<std::int32_t>{0, not_positive(n), not_positive(1), not_finite(3),
                                                 not_positive(2), 0, not_finite(n), not_finite(2),
                                                 not_finite(3)}));
            const DeviceBuffer shared = put<std::int32_t>({6});
            gpu::read_cholesky_status(pivots.upload(), nullptr,
                                      fresh(status, device<std::int32_t>(shared)), 9, stream());
            (void)finish();
            EXPECT_EQ(get<std::int32_t>(status), std::vector<std::int32_t>(9, 6));
        }
    }
}

TEST_F(BatchState, APivotThatTheLibraryNamesIsNotPositiveUnlessItsRowSaysOtherwise) {
    constexpr std::int64_t kOrder = 6;
    PivotCase pivots(kDouble, 6, kOrder);
    pivots.set(0, 3, -2);  // the pivot
    // 1: what was there before.
    pivots.set(2, 3, kNan);  // the root of a negative number
    pivots.set(3, 3, -kInfinity);
    pivots.set_entry(4, 3, 1, kNan);
    pivots.set_entry(5, 3, 4, kNan);       // right of the diagonal, where anything may be
    pivots.set_entry(5, 2, 1, kInfinity);  // another row
    const DeviceBuffer info = put(std::vector<int>(6, 4));
    const DeviceBuffer status = put(std::vector<std::int32_t>(6, 0));
    gpu::read_cholesky_status(pivots.upload(), device<int>(info), old(status), 6, stream());
    (void)finish();
    EXPECT_EQ(get<std::int32_t>(status),
              (std::vector<std::int32_t>{not_positive(4), not_positive(4), not_positive(4),
                                         not_finite(4), not_finite(4), not_positive(4)}));
}

TEST_F(BatchState, LuFailsAtItsFirstPivotThatIsNotFiniteOrZero) {
    for (const ScalarType type : kTypes) {
        for (const std::int64_t n : {5, 64, 65, 300}) {
            SCOPED_TRACE(testing::Message() << n << " " << size_of(type));
            const std::int64_t last = n - 1;
            PivotCase pivots(type, 5, n);
            pivots.set(0, 0, -3);  // no failure
            pivots.set(1, last, -0.0);
            pivots.set(2, 1, -kInfinity);
            pivots.set(2, 2, 0);
            pivots.set(3, last, kNan);
            pivots.set(4, 0, 0);
            const DeviceBuffer status = put<std::int32_t>({0, 0, 0, 0, 9});
            gpu::read_lu_status(pivots.upload(), true, old(status), 5, stream());
            (void)finish();
            EXPECT_EQ(get<std::int32_t>(status),
                      (std::vector<std::int32_t>{0, singular(n), not_finite(2), not_finite(n), 9}));
            gpu::read_lu_status(pivots.upload(), true, fresh(status), 5, stream());
            (void)finish();
            EXPECT_EQ(get<std::int32_t>(status),
                      (std::vector<std::int32_t>{0, singular(n), not_finite(2), not_finite(n),
                                                 singular(1)}));
        }
    }
}

TEST_F(BatchState, BehindAZeroPivotThatDoesNotFailTheDiagonalIsOne) {
    for (const ScalarType type : kTypes) {
        constexpr std::int64_t kOrder = 130;
        PivotCase pivots(type, 4, kOrder);
        pivots.set(0, 100, 0);
        pivots.set(0, 101, kNan);
        pivots.set(0, 102, 0);
        pivots.set(1, 3, kInfinity);
        pivots.set(1, 5, 0);
        const DeviceBuffer status = put<std::int32_t>({0, 0, 0, 8});
        const gpu::Diagonals diagonals = pivots.upload();
        gpu::read_lu_status(diagonals, false, old(status), 4, stream());
        (void)finish();
        EXPECT_EQ(get<std::int32_t>(status), (std::vector<std::int32_t>{0, not_finite(4), 0, 8}));
        gpu::read_lu_status(diagonals, false, fresh(status), 4, stream());
        (void)finish();
        EXPECT_EQ(get<std::int32_t>(status), (std::vector<std::int32_t>{0, not_finite(4), 0, 0}));
        for (std::int64_t k = 0; k < kOrder; ++k) {
            const double as_before = 1.0 + static_cast<double>(k);
            EXPECT_EQ(pivots.get(0, k), k < 100 ? as_before : k == 100 ? 0 : 1);
            EXPECT_EQ(pivots.get(2, k), as_before);
        }
    }
}

TEST_F(BatchState, PivotsAreNarrowed) {
    const DeviceBuffer wide = put<std::int64_t>({3, 2, 1'000'000});
    const DeviceBuffer narrow = put<std::int32_t>({0, 0, 0, -5});
    gpu::narrow_pivots(device<std::int64_t>(wide), device<std::int32_t>(narrow), 3, stream());
    (void)finish();
    EXPECT_EQ(get<std::int32_t>(narrow), (std::vector<std::int32_t>{3, 2, 1'000'000, -5}));
}

TEST_F(BatchState, FillsEveryEntryOfFailedProblemsAndNoOther) {
    struct Sizes {
        std::int64_t m, n;
    };
    for (const ScalarType type : kTypes) {
        for (const auto& [m, n] : {Sizes{0, 3}, Sizes{1, 1}, Sizes{7, 9}, Sizes{33, 40}}) {
            for (const Order order : kOrders) {
                SCOPED_TRACE(testing::Message() << m << "x" << n << " " << static_cast<int>(order));
                OnDevice a(type, 4, m, n, order);
                a.host.fill_random(1);
                OnDevice before(type, 4, m, n, order);
                before.host = a.host;
                const gpu::DeviceView view = a.upload();
                const DeviceBuffer status = put<std::int32_t>({0, singular(2), 0, not_positive(1)});
                // Others of the other type beside it, one of them empty.
                OnDevice other(type == kDouble ? kFloat : kDouble, 4, 2, 3);
                const gpu::DeviceView beside = other.upload();
                gpu::DeviceView empty = beside;
                empty.rows = 0;
                const gpu::Matrices batches[] = {matrices(empty), matrices(view), matrices(beside)};
                gpu::fill_failed(batches, kNan, device<std::int32_t>(status), 4, stream());
                (void)finish();
                other.download();
                for (std::int64_t p = 0; p < 4; ++p) {
                    ASSERT_EQ(std::isnan(other.host.get(p, 1, 2)), p % 2 == 1);
                }
                a.download();
                for (std::int64_t p = 0; p < 4; ++p) {
                    for (std::int64_t i = 0; i < m * n; ++i) {
                        const double got = a.host.get(p, i / n, i % n);
                        if (p % 2 == 1) {
                            ASSERT_TRUE(std::isnan(got));
                        } else {
                            ASSERT_EQ(got, before.host.get(p, i / n, i % n));
                        }
                    }
                }
            }
        }
    }
}

TEST_F(BatchState, ProblemsWithAnEntryThatIsNotFiniteAreMarkedUnlessTheyHaveFailed) {
    for (const ScalarType type : kTypes) {
        for (const Order order : kOrders) {
            OnDevice a(type, 6, 9, 20, order);
            a.host.fill_random(1);
            a.host.set(1, 8, 19, kNan);
            a.host.set(2, 0, 0, kInfinity);
            a.host.set(3, 4, 4, -kInfinity);
            a.host.set(4, 5, 5, kNan);
            const std::int32_t jittered = make_status(StatusKind::jittered, 3);
            const DeviceBuffer status =
                put<std::int32_t>({0, 0, jittered, singular(2), not_finite(7), jittered});
            gpu::mark_not_finite(matrices(a.upload()), device<std::int32_t>(status), 6, stream());
            (void)finish();
            EXPECT_EQ(get<std::int32_t>(status),
                      (std::vector<std::int32_t>{0, not_finite(0), not_finite(0), singular(2),
                                                 not_finite(7), jittered}));
        }
    }
}

TEST_F(BatchState, AFactorThatFailsCountsForMoreThanATermThatIsNotFinite) {
    for (const std::int64_t n : {5, 65}) {
        PivotCase pivots(kDouble, 3, n);
        pivots.set(0, 2, -1);
        pivots.set(2, 1, kNan);
        const DeviceBuffer status =
            put<std::int32_t>({not_finite(0), not_finite(0), not_finite(0)});
        gpu::read_cholesky_status(pivots.upload(), nullptr, old(status), 3, stream());
        (void)finish();
        EXPECT_EQ(get<std::int32_t>(status),
                  (std::vector<std::int32_t>{not_positive(3), not_finite(0), not_finite(2)}));
    }
}

TEST_F(BatchState, AProblemThatIsNotFiniteKeepsItsResultsAndLosesItsTerms) {
    for (const unsigned losing : {block::kLosingResults, block::kAnyFailure}) {
        OnDevice a(kFloat, 3, 2, 2);
        a.host.fill_random(1);
        const Matrices before = a.host;
        const DeviceBuffer status = put<std::int32_t>({0, not_finite(0), not_finite(1)});
        const gpu::Matrices all = matrices(a.upload());
        gpu::fill_failed({&all, 1}, 0, device<std::int32_t>(status), 3, stream(), losing);
        (void)finish();
        a.download();
        EXPECT_EQ(a.host.get(0, 1, 0), before.get(0, 1, 0));
        EXPECT_EQ(a.host.get(1, 1, 0), losing == block::kAnyFailure ? 0 : before.get(1, 1, 0));
        EXPECT_EQ(a.host.get(2, 1, 0), 0);
    }
}

TEST_F(BatchState, ARefusedLaunchIsAnErrorThatNamesTheAlgorithm) {
    const DeviceBuffer status = put<std::int32_t>({0});
    simulated::fail_call("thrust", 1, cudaErrorInvalidConfiguration);
    try {
        gpu::start_status(device<std::int32_t>(status), nullptr, 1, stream());
        FAIL();
    } catch (const gpu::CudaError& error) {
        EXPECT_EQ(std::string(error.what()).rfind("thrust::tabulate failed with ", 0), 0U)
            << error.what();
    }
}

}  // namespace
}  // namespace matgrad::test
