// The kernel that marks triangles by their condition, against the condition in the 2-norm by power iteration in
// long double.

#include <algorithm>
#include <cmath>
#include <limits>

#include "condition.hpp"
#include "cuda/kernel_bench.hpp"
#include "executors/naive.hpp"
#include "matgrad/status.hpp"

namespace matgrad::test {
namespace {

constexpr std::int32_t kIll = make_status(StatusKind::ill_conditioned);
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// The largest singular value, from below.
long double norm(const Naive& a) {
    Naive x(a.cols, 1);
    for (std::size_t i = 0; i < x.data.size(); ++i) {
        x.data[i] = 1 + 0.3L * static_cast<long double>(i % 3);
    }
    long double result = 0;
    for (int step = 0; step < 40; ++step) {
        x = multiply(transpose(a), multiply(a, x));
        long double square = 0;
        for (const long double entry : x.data) {
            square += entry * entry;
        }
        x = scaled(1 / std::sqrt(square), x);
        result = std::sqrt(std::sqrt(square));
    }
    return result;
}

class ConditionKernel : public OnSimulatedGpu {
protected:
    static gpu::Matrices matrices(const gpu::DeviceView& v) {
        return {v.data, true, v.rows, v.cols, v.row_stride, v.col_stride, v.batch_stride};
    }
    /// The status of each problem afterwards.
    std::vector<std::int32_t> marks(OnDevice& l, double most, std::vector<std::int32_t> status) {
        const gpu::DeviceView v = l.upload();
        const auto batch = static_cast<std::int64_t>(status.size());
        const DeviceBuffer on_device(std::as_bytes(std::span(status)));
        const DeviceBuffer work(
            static_cast<std::size_t>(batch * gpu::condition_work_bytes(v.rows, 0)));
        gpu::mark_ill_conditioned(matrices(v), most, {}, work.data(),
                                  reinterpret_cast<std::int32_t*>(on_device.data()), batch,
                                  stream());
        (void)finish();
        on_device.download(std::as_writable_bytes(std::span(status)));
        return status;
    }
    /// Lower triangles whose rows are ever smaller, and NaN above the diagonal.
    static void fill(Matrices& l, std::int64_t n) {
        l.fill_random(static_cast<std::uint32_t>(n));
        for (std::int64_t p = 0; p < l.batch(); ++p) {
            for (std::int64_t r = 0; r < n; ++r) {
                const double size =
                    std::pow(0.1, static_cast<double>(p * r) / static_cast<double>(n));
                for (std::int64_t c = 0; c < n; ++c) {
                    l.set(p, r, c, size * l.get(p, r, c) / static_cast<double>(n));
                }
                l.set(p, r, r, size);
                for (std::int64_t c = r + 1; c < n; ++c) {
                    l.set(p, r, c, std::nan(""));
                }
            }
        }
    }
};

TEST_F(ConditionKernel, EstimatesAtMostTheConditionAndAtLeastASixthOfIt) {
    constexpr std::int64_t kBatch = 4;
    for (const std::int64_t n : {2, 3, 31, 32, 33, 128, 129}) {
        std::vector<double> conditions;
        for (const Order order : {Order::rows, Order::columns, Order::reversed_both}) {
            if (n > 33 && order != Order::rows) {
                continue;
            }
            SCOPED_TRACE(testing::Message() << n << " " << static_cast<int>(order));
            OnDevice l(kDouble, kBatch, n, n, order);
            fill(l.host, n);
            for (std::int64_t p = 0; p < kBatch; ++p) {
                if (order == Order::rows) {
                    const Naive triangle = lower_part(matrix(l.host, p));
                    conditions.push_back(static_cast<double>(
                        norm(triangle) * norm(inverse_of_triangle(triangle, true))));
                }
                const auto at = static_cast<std::size_t>(p);
                const double condition = conditions[at];
                EXPECT_EQ(marks(l, condition * 1.001, std::vector<std::int32_t>(kBatch))[at], 0)
                    << "condition " << condition << " of problem " << p;
                EXPECT_EQ(marks(l, condition / 6, std::vector<std::int32_t>(kBatch))[at], kIll)
                    << "condition " << condition << " of problem " << p;
            }
        }
    }
}

TEST_F(ConditionKernel, LeavesStatusesOfOthersAloneAndMarksWhatIsNotANumber) {
    for (const std::int64_t n : {4, 140}) {
        OnDevice l(kDouble, 6, n, n);
        fill(l.host, n);
        l.host.set(1, n - 1, 0, std::nan(""));
        l.host.set(2, n - 1, 0, kInfinity);
        l.host.set(3, n - 1, n - 1, 1e-200);
        const std::int32_t failed = make_status(StatusKind::not_positive, 2);
        l.host.set(4, 0, 0, -1);
        EXPECT_EQ(marks(l, 1e8, {0, 0, 0, 0, failed, 0}),
                  (std::vector<std::int32_t>{0, kIll, kIll, kIll, failed, 0}));
    }
}

/// The largest entry of Q'Q - I, for Q = scale * root * inv(L').
double distance_from_orthogonal(const Naive& root, double scale, const Naive& l) {
    const Naive q = scaled(scale, multiply(root, transpose(inverse_of_triangle(l, true))));
    const Naive square = multiply(transpose(q), q);
    long double most = 0;
    for (std::int64_t i = 0; i < square.rows; ++i) {
        for (std::int64_t j = 0; j < square.cols; ++j) {
            most = std::max(most, std::abs(square(i, j) - (i == j ? 1 : 0)));
        }
    }
    return static_cast<double>(most);
}

/// By rows, from those to its left.
void set_factor(Matrices& l, std::int64_t p, const Naive& gram) {
    for (std::int64_t r = 0; r < gram.rows; ++r) {
        for (std::int64_t c = 0; c <= r; ++c) {
            auto sum = static_cast<double>(gram(r, c));
            for (std::int64_t k = 0; k < c; ++k) {
                sum -= l.get(p, r, k) * l.get(p, c, k);
            }
            l.set(p, r, c, r == c ? std::sqrt(sum) : sum / l.get(p, c, c));
        }
    }
}

TEST_F(ConditionKernel, SharpensFactorsThatAreNotFarFromWell) {
    constexpr double kScale = 0.5;
    constexpr double kNear = 1e-5;
    constexpr std::int64_t kBatch = 3;
    struct Sizes {
        std::int64_t rows, n;
    };
    for (const auto& [rows, n] : {Sizes{3, 2}, Sizes{40, 17}, Sizes{33, 33}, Sizes{140, 130}}) {
        for (const Order order : {Order::rows, Order::columns}) {
            SCOPED_TRACE(testing::Message() << rows << "x" << n);
            OnDevice root(kDouble, kBatch, rows, n, order);
            OnDevice l(kDouble, kBatch, n, n, order);
            root.host.fill_random(static_cast<std::uint32_t>(n));
            l.host.fill_random(1);
            for (std::int64_t p = 0; p < kBatch; ++p) {
                // A diagonal that dominates, and a last column that is nearly a multiple of the first; problem 2 is far
                // from well.
                for (std::int64_t k = 0; k < n; ++k) {
                    root.host.set(p, k, k, static_cast<double>(n));
                }
                for (std::int64_t r = 0; r < rows; ++r) {
                    root.host.set(p, r, n - 1,
                                  root.host.get(p, r, 0) +
                                      (p == 2 ? 1e-10 : kNear) * root.host.get(p, r, n - 1));
                }
                const Naive x = matrix(root.host, p);
                set_factor(l.host, p, scaled(kScale * kScale, multiply(transpose(x), x)));
            }
            const Matrices before = l.host;
            const gpu::DeviceView v = l.upload();
            std::vector<std::int32_t> after(kBatch);
            const DeviceBuffer status(std::as_bytes(std::span(after)));
            const DeviceBuffer work(
                static_cast<std::size_t>(kBatch * gpu::condition_work_bytes(n, rows)));
            gpu::mark_ill_conditioned(matrices(v), 10, {matrices(root.upload()), kScale, 1e7},
                                      work.data(), reinterpret_cast<std::int32_t*>(status.data()),
                                      kBatch, stream());
            (void)finish();
            status.download(std::as_writable_bytes(std::span(after)));
            EXPECT_EQ(after, (std::vector<std::int32_t>{0, 0, kIll}));
            l.download();
            for (std::int64_t p = 0; p < 2; ++p) {
                const auto distance = [&](const Matrices& factor) {
                    return distance_from_orthogonal(matrix(root.host, p), kScale,
                                                    lower_part(matrix(factor, p)));
                };
                // A change of the root by some last places, and not of its square.
                const double bound = 40 * static_cast<double>(n * unit(kDouble)) / kNear;
                EXPECT_GT(distance(before), bound) << "there is nothing to sharpen";
                EXPECT_LE(distance(l.host), bound) << p;
            }
            EXPECT_EQ(l.host.get(0, 0, n - 1), before.get(0, 0, n - 1)) << "above the diagonal";
        }
    }
}

TEST_F(ConditionKernel, OfNothingLaunchesNothing) {
    OnDevice l(kDouble, 2, 3, 3);
    const gpu::DeviceView v = l.upload();
    gpu::Matrices some{v.data, true, 3, 3, v.row_stride, v.col_stride, v.batch_stride};
    gpu::mark_ill_conditioned(some, 1, {}, nullptr, nullptr, 0, stream());
    some.rows = some.cols = 0;
    gpu::mark_ill_conditioned(some, 1, {}, nullptr, nullptr, 2, stream());
    EXPECT_TRUE(finish().empty());
    gpu::load_condition_kernels();
}

}  // namespace
}  // namespace matgrad::test
