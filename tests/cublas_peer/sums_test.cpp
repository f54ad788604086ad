// The kernels of the peer on a GPU, past every edge of their blocks.

#include "bench/cpp_peers/cublas/sums.hpp"

#include <cmath>
#include <limits>
#include <random>

#include "cuda/simulated_support.hpp"

namespace matgrad::bench {
namespace {

using simulated::DeviceArray;

template <typename T>
std::vector<T> random_entries(std::size_t count, unsigned seed) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<T> entry(T(0.5), T(2));
    std::vector<T> entries(count);
    for (T& e : entries) {
        e = entry(random);
    }
    return entries;
}

template <typename T>
class PeerSums : public simulated::SimulatedTest {
protected:
    /// One kind of sum against a loop in long double.
    template <typename Enqueue, typename Term>
    void expect_sums(std::int64_t batch, std::int64_t count, std::int64_t parts, T weight,
                     Enqueue enqueue, Term term) {
        const simulated::TestStream stream;
        const auto size = static_cast<std::size_t>(batch);
        const DeviceArray<T> partial(size * static_cast<std::size_t>(parts));
        const DeviceArray<T> out(size);
        enqueue(Sums<T>(batch, count, parts, partial.data(), stream), weight, out.data());
        ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
        const std::vector<T> found = out.download();
        for (std::int64_t p = 0; p < batch; ++p) {
            long double sum = 0;
            long double magnitude = 0;
            for (std::int64_t i = 0; i < count; ++i) {
                sum += term(p, i);
                magnitude += std::abs(term(p, i));
            }
            // Each term takes a few roundings, each of the sums one more.
            const long double bound = static_cast<long double>(count + 8) *
                                      std::numeric_limits<T>::epsilon() * magnitude *
                                      std::abs(weight);
            ASSERT_LE(std::abs(found[static_cast<std::size_t>(p)] - weight * sum), bound)
                << count << " terms in " << parts << " parts, problem " << p << " of " << batch;
        }
    }
};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(PeerSums, Types);

TYPED_TEST(PeerSums, AreTheSumsForEveryCountBatchAndPart) {
    using T = TypeParam;
    for (const std::int64_t count : {1, 2, 4, 5, 31, 33, 255, 257, 1023, 1025, 3000}) {
        for (const std::int64_t batch : {1, 3, 65}) {
            const auto size = static_cast<std::size_t>(batch * count);
            const std::vector<T> a = random_entries<T>(size, 1);
            const std::vector<T> b = random_entries<T>(size, 2);
            const DeviceArray<T> on_a(a);
            const DeviceArray<T> on_b(b);
            const auto at = [&](const std::vector<T>& from, std::int64_t i) {
                return static_cast<long double>(from[static_cast<std::size_t>(i)]);
            };
            for (const std::int64_t parts : {1, 2, 7}) {
                this->expect_sums(
                    batch, count, parts, T(0.5),
                    [&](const Sums<T>& sums, T weight, T* out) {
                        sums.products(weight, {on_a.data(), count}, {on_b.data(), count}, out);
                    },
                    [&](auto p, auto i) { return at(a, p * count + i) * at(b, p * count + i); });
                this->expect_sums(
                    batch, count, parts, T(1),
                    [&](const Sums<T>& sums, T weight, T* out) {
                        sums.products(weight, {on_a.data(), 0}, {on_b.data(), count}, out);
                    },
                    [&](auto p, auto i) { return at(a, i) * at(b, p * count + i); });
                this->expect_sums(
                    batch, count, parts, T(-2),
                    [&](const Sums<T>& sums, T weight, T* out) {
                        sums.squares(weight, {on_a.data(), count}, out);
                    },
                    [&](auto p, auto i) { return at(a, p * count + i) * at(a, p * count + i); });
            }
        }
    }
}

TYPED_TEST(PeerSums, OfLogarithmsFollowADiagonal) {
    using T = TypeParam;
    for (const std::int64_t n : {1, 2, 16, 40}) {
        const std::int64_t batch = 5;
        const std::vector<T> a = random_entries<T>(static_cast<std::size_t>(batch * n * n), 3);
        const DeviceArray<T> on_a(a);
        this->expect_sums(
            batch, n, 1, T(2),
            [&](const Sums<T>& sums, T weight, T* out) {
                sums.logs(weight, {on_a.data(), n * n, n + 1}, out);
            },
            [&](auto p, auto i) {
                return std::log(
                    static_cast<long double>(a[static_cast<std::size_t>(p * n * n + i * (n + 1))]));
            });
    }
}

TYPED_TEST(PeerSums, AreCutIntoPartsOnlyWhereThereAreFewAndLongOnes) {
    using S = Sums<TypeParam>;
    EXPECT_EQ(S::parts(1, 16, 132), 1);
    EXPECT_EQ(S::parts(100000, 1 << 20, 132), 1);
    EXPECT_GT(S::parts(1, 1 << 20, 132), 100);
    EXPECT_LE(S::parts(1, std::int64_t{1} << 40, 132), 8 * 132);
    EXPECT_GE(S::parts(0, 0, 1), 1);
}

TYPED_TEST(PeerSums, KeepNaNToItsProblem) {
    using T = TypeParam;
    std::vector<T> a(3 * 10, T(1));
    a[13] = std::numeric_limits<T>::quiet_NaN();
    const DeviceArray<T> on_a(a);
    const DeviceArray<T> out(3);
    const simulated::TestStream stream;
    Sums<T>(3, 10, 1, nullptr, stream).squares(1, {on_a.data(), 10}, out.data());
    ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
    const std::vector<T> found = out.download();
    EXPECT_EQ(found[0], T(10));
    EXPECT_TRUE(std::isnan(found[1]));
    EXPECT_EQ(found[2], T(10));
}

TYPED_TEST(PeerSums, SpreadWritesOneVectorForEveryProblem) {
    using T = TypeParam;
    for (const std::int64_t count : {1, 3, 255, 1024, 1025, 5000}) {
        for (const std::int64_t copies : {0, 1, 2, 17}) {
            const std::vector<T> from = random_entries<T>(static_cast<std::size_t>(count), 4);
            const DeviceArray<T> on_device(from);
            const auto total = static_cast<std::size_t>(count * copies);
            const std::vector<T> before(total + 1, T(-1));
            const DeviceArray<T> to(before);
            const simulated::TestStream stream;
            spread(on_device.data(), count, to.data(), copies, stream);
            ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
            const std::vector<T> found = to.download();
            for (std::size_t i = 0; i < total; ++i) {
                ASSERT_EQ(found[i], from[i % static_cast<std::size_t>(count)]) << i;
            }
            EXPECT_EQ(found[total], T(-1));
        }
    }
}

}  // namespace
}  // namespace matgrad::bench
