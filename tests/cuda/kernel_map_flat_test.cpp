// Maps whose entries lie alike in all matrices: 16 bytes at a time where alignment allows it, the same
// numbers where it does not, NaN for problems that lost theirs.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "cuda/kernel_bench.hpp"
#include "matgrad/status.hpp"

namespace matgrad::test {
namespace {

class FlatMap : public OnSimulatedGpu {};

/// Row-major matrices in memory aligned to 256 bytes, `offset` entries behind its begin. Entries are
/// small integers, so sums and products of a few are exact in either type.
class Numbers {
public:
    Numbers(ScalarType type, std::int64_t batch, std::int64_t rows, std::int64_t cols,
            std::int64_t batch_stride, std::int64_t offset = 0)
        : type_(type), count_(offset + batch * std::max(batch_stride, rows * cols) + 8) {
        std::vector<std::byte> bytes(static_cast<std::size_t>(count_ * size_of(type)));
        for (std::int64_t i = 0; i < count_; ++i) {
            if (type == kFloat) {
                reinterpret_cast<float*>(bytes.data())[i] = static_cast<float>(number(i));
            } else {
                reinterpret_cast<double*>(bytes.data())[i] = number(i);
            }
        }
        memory_.emplace(bytes);
        view_ = gpu::row_major(memory_->data() + offset * size_of(type), type, rows, cols);
        view_.batch_stride = batch_stride;
        offset_ = offset;
    }

    [[nodiscard]] static double number(std::int64_t i) { return static_cast<double>(i * 7 % 61); }
    [[nodiscard]] std::int64_t index(std::int64_t p, std::int64_t r, std::int64_t c) const {
        return offset_ + p * view_.batch_stride + r * view_.row_stride + c * view_.col_stride;
    }
    [[nodiscard]] double before(std::int64_t p, std::int64_t r, std::int64_t c) const {
        return number(index(p, r, c));
    }
    [[nodiscard]] std::vector<double> now() const {
        const std::vector<std::byte> bytes = memory_->content();
        std::vector<double> numbers;
        for (std::int64_t i = 0; i < count_; ++i) {
            numbers.push_back(type_ == kFloat ? static_cast<double>(
                                                    reinterpret_cast<const float*>(bytes.data())[i])
                                              : reinterpret_cast<const double*>(bytes.data())[i]);
        }
        return numbers;
    }
    [[nodiscard]] gpu::DeviceView& view() { return view_; }

private:
    ScalarType type_;
    std::int64_t count_, offset_ = 0;
    std::optional<DeviceBuffer> memory_;
    gpu::DeviceView view_;
};

/// s*a + b
MapBody scaled_sum() {
    return {{{use(0), Broadcast::scalar}, {use(1), Broadcast::none}, {use(2), Broadcast::none}},
            {load_of(0), load_of(1), load_of(2), {MapOp::mul, 0, 1, 0}, {MapOp::add, 3, 2, 0}}};
}

/// s*a + b of five problems, and how it was computed.
struct Case {
    ScalarType a_type, b_type, out_type;
    std::int64_t rows, cols;
    std::int64_t a_stride, b_stride, out_stride, s_stride;  ///< from problem to problem
    std::int64_t a_offset = 0, out_offset = 0;
    bool has_status = false;
};
constexpr std::int64_t kBatch = 5;
constexpr std::int32_t kStatus[kBatch] = {0, make_status(StatusKind::singular, 2), 0, 0,
                                          make_status(StatusKind::not_finite, 1)};

simulated::Launch run(const Case& c, cudaStream_t stream) {
    gpu::KernelSource source;
    const ScalarType types[] = {kDouble, c.a_type, c.b_type};
    const gpu::KernelId id =
        source.add_map(scaled_sum(), c.rows, c.cols, kDouble, types, c.out_type);
    const gpu::Kernels kernels = kernels_of(source);
    Numbers s(kDouble, kBatch, 1, 1, c.s_stride, 3);
    Numbers a(c.a_type, kBatch, c.rows, c.cols, c.a_stride, c.a_offset);
    Numbers b(c.b_type, kBatch, c.rows, c.cols, c.b_stride);
    Numbers out(c.out_type, kBatch, c.rows, c.cols, c.out_stride, c.out_offset);
    const DeviceBuffer status(std::as_bytes(std::span(kStatus)));
    const gpu::DeviceView views[] = {s.view(), a.view(), b.view()};
    kernels.map(id, views, out.view(), kBatch, stream,
                c.has_status ? reinterpret_cast<const std::int32_t*>(status.data()) : nullptr);
    MATGRAD_MUST(cudaStreamSynchronize(stream));
    std::vector<double> got = out.now();
    for (std::int64_t i = 0; i < kBatch * c.rows * c.cols; ++i) {
        const std::int64_t p = i / (c.rows * c.cols);
        const std::int64_t row = i / c.cols % c.rows;
        const std::int64_t col = i % c.cols;
        double& entry = got[static_cast<std::size_t>(out.index(p, row, col))];
        if (c.has_status && kStatus[p] != 0) {
            EXPECT_TRUE(std::isnan(entry)) << p << " " << row << " " << col;
        } else {
            EXPECT_EQ(entry, s.before(p, 0, 0) * a.before(p, row, col) + b.before(p, row, col))
                << p << " " << row << " " << col;
        }
        entry = out.before(p, row, col);
    }
    // Nothing else has changed.
    for (std::size_t i = 0; i < got.size(); ++i) {
        EXPECT_EQ(got[i], Numbers::number(static_cast<std::int64_t>(i))) << i;
    }
    return simulated::launches().back();
}

/// Groups of `group` entries in blocks of 1024, the rest one by one.
std::int64_t stores_of(std::int64_t entries, std::int64_t group) {
    constexpr std::int64_t kOfBlock = 1024;
    const std::int64_t whole = entries - entries % kOfBlock;
    return whole / group + entries - whole;
}

TEST_F(FlatMap, MovesSixteenBytesOfTheWidestMatrixAtATime) {
    for (const ScalarType a : kTypes) {
        for (const ScalarType b : kTypes) {
            for (const ScalarType out : kTypes) {
                const bool all_float = a == kFloat && b == kFloat && out == kFloat;
                for (const bool has_status : {false, true}) {
                    SCOPED_TRACE(testing::Message()
                                 << size_of(a) << size_of(b) << size_of(out) << " " << has_status);
                    constexpr std::int64_t kCount = 64 * 16;
                    const simulated::Launch launch = run(
                        {a, b, out, 64, 16, kCount, kCount, kCount, 1, 0, 0, has_status}, stream());
                    const std::int64_t groups = kBatch * kCount / (all_float ? 4 : 2);
                    EXPECT_EQ(launch.stores, groups);
                    EXPECT_EQ(launch.loads, groups * (has_status ? 4 : 3));
                    EXPECT_EQ(launch.store_bytes, kBatch * kCount * size_of(out));
                }
            }
        }
    }
}

TEST_F(FlatMap, MovesEachSectorOnce) {
    constexpr std::int64_t kCount = 64 * 16;
    constexpr std::int64_t kSectors = kBatch * kCount * 4 / 32;
    simulated::profile_launches();
    const simulated::Launch launch =
        run({kFloat, kFloat, kFloat, 64, 16, kCount, kCount, kCount, 1}, stream());
    simulated::profile_launches(false);
    const simulated::Profile profile = launch.profile.value();
    EXPECT_EQ(profile.blocks, launch.grid);
    EXPECT_EQ(profile.stores.transfers, kSectors);
    EXPECT_EQ(profile.stores.partial, 0);
    EXPECT_EQ(profile.distinct_store_bytes, kSectors * 32);
    // Two matrices; and s, one number for all threads of a warp.
    EXPECT_EQ(profile.loads.accesses, 3 * profile.stores.accesses);
    EXPECT_EQ(profile.loads.transfers, 2 * kSectors + profile.stores.accesses);
    EXPECT_EQ(profile.loads.partial, 0);
}

TEST_F(FlatMap, EndsOneByOneWhereABlockIsNotFull) {
    for (const std::int64_t cols : {4, 8, 204, 205, 206, 207, 412}) {
        SCOPED_TRACE(cols);
        const bool whole = cols % 4 == 0;
        const std::int64_t s_stride = whole ? 1 : 0;
        const simulated::Launch launch =
            run({kFloat, kFloat, kFloat, 1, cols, cols, cols, cols, s_stride}, stream());
        EXPECT_EQ(launch.stores, stores_of(kBatch * cols, 4));
        // Problems of whole groups may have a status each.
        const simulated::Launch with_status = run(
            {kFloat, kFloat, kFloat, 1, cols, cols, cols, cols, s_stride, 0, 0, true}, stream());
        EXPECT_EQ(with_status.stores, whole ? stores_of(kBatch * cols, 4) : kBatch * cols);
    }
}

TEST_F(FlatMap, SharedMatricesAndGapsBetweenProblemsKeepWholeGroups) {
    constexpr std::int64_t kCount = 12 * 36;
    for (const bool has_status : {false, true}) {
        for (const std::int64_t a_stride : {std::int64_t{0}, kCount, kCount + 4, kCount + 40}) {
            for (const std::int64_t out_stride : {kCount, kCount + 8}) {
                for (const std::int64_t s_stride : {0, 1, 7}) {
                    SCOPED_TRACE(testing::Message() << a_stride << " " << out_stride << " "
                                                    << s_stride << " " << has_status);
                    const simulated::Launch launch =
                        run({kFloat, kFloat, kFloat, 12, 36, a_stride, kCount, out_stride, s_stride,
                             0, 0, has_status},
                            stream());
                    EXPECT_EQ(launch.stores, stores_of(kBatch * kCount, 4));
                }
            }
        }
    }
}

TEST_F(FlatMap, GoesOneByOneWhereSixteenBytesAreNotInPlace) {
    constexpr std::int64_t kCount = 12 * 36;
    const Case cases[] = {
        {kFloat, kFloat, kFloat, 12, 36, kCount, kCount, kCount, 1, 1, 0},
        {kFloat, kFloat, kFloat, 12, 36, kCount, kCount, kCount, 1, 2, 0},
        {kFloat, kFloat, kFloat, 12, 36, kCount, kCount, kCount, 1, 0, 3},
        {kFloat, kFloat, kFloat, 12, 36, kCount + 1, kCount, kCount, 1},
        {kFloat, kFloat, kFloat, 12, 36, kCount, kCount, kCount + 2, 1},
        {kDouble, kFloat, kFloat, 12, 36, kCount, kCount, kCount, 1, 1, 0},
        {kDouble, kDouble, kDouble, 12, 36, kCount + 1, kCount, kCount, 1},
        {kDouble, kDouble, kDouble, 12, 36, kCount, kCount, kCount, 1, 0, 1},
        // Problems of 9 entries: a scalar, a gap or a shared matrix would be for parts of groups.
        {kFloat, kFloat, kFloat, 3, 103, 309, 309, 309, 1},
        {kFloat, kFloat, kFloat, 3, 103, 0, 309, 309, 0},
        {kFloat, kFloat, kFloat, 3, 103, 309, 309, 310, 0}};
    for (std::size_t i = 0; i < std::size(cases); ++i) {
        SCOPED_TRACE(i);
        Case c = cases[i];
        EXPECT_EQ(run(c, stream()).stores, kBatch * c.rows * c.cols);
        c.has_status = true;
        EXPECT_EQ(run(c, stream()).stores, kBatch * c.rows * c.cols);
    }
}

TEST_F(FlatMap, TakesMatricesByColumnsToo) {
    gpu::KernelSource source;
    const ScalarType types[] = {kDouble, kFloat, kFloat};
    const gpu::KernelId id = source.add_map(scaled_sum(), 33, 31, kFloat, types, kFloat);
    const gpu::Kernels kernels = kernels_of(source);
    Numbers s(kDouble, 1, 1, 1, 0);
    Numbers a(kFloat, kBatch, 33, 31, 1023), b(kFloat, kBatch, 33, 31, 1023),
        out(kFloat, kBatch, 33, 31, 1023);
    for (gpu::DeviceView* const v : {&a.view(), &b.view(), &out.view()}) {
        v->row_stride = 1;
        v->col_stride = 33;
    }
    const gpu::DeviceView views[] = {s.view(), a.view(), b.view()};
    kernels.map(id, views, out.view(), kBatch, stream());
    EXPECT_EQ(finish().at(0).stores, stores_of(kBatch * 1023, 4));
    const std::vector<double> got = out.now();
    for (std::int64_t i = 0; i < kBatch * 1023; ++i) {
        const std::int64_t p = i / 1023;
        const std::int64_t r = i % 33;
        const std::int64_t c = i / 33 % 31;
        ASSERT_EQ(got[static_cast<std::size_t>(out.index(p, r, c))],
                  s.before(0, 0, 0) * a.before(p, r, c) + b.before(p, r, c));
    }
}

TEST_F(FlatMap, MayWriteOverAnOperand) {
    gpu::KernelSource source;
    const ScalarType types[] = {kDouble, kDouble, kDouble};
    const gpu::KernelId id = source.add_map(scaled_sum(), 40, 60, kDouble, types, kDouble);
    const gpu::Kernels kernels = kernels_of(source);
    Numbers s(kDouble, kBatch, 1, 1, 1);
    Numbers a(kDouble, kBatch, 40, 60, 2400);
    const gpu::DeviceView views[] = {s.view(), a.view(), a.view()};
    kernels.map(id, views, a.view(), kBatch, stream());
    EXPECT_EQ(finish().at(0).stores, stores_of(kBatch * 2400, 2));
    const std::vector<double> got = a.now();
    for (std::int64_t i = 0; i < kBatch * 2400; ++i) {
        const double x = Numbers::number(i);
        ASSERT_EQ(got[static_cast<std::size_t>(i)], s.before(i / 2400, 0, 0) * x + x);
    }
}

TEST_F(FlatMap, InPiecesGivesTheSameNumbers) {
    gpu::KernelSource source;
    const ScalarType types[] = {kDouble, kFloat, kFloat};
    const gpu::KernelId id = source.add_map(scaled_sum(), 40, 60, kFloat, types, kFloat);
    Numbers s(kDouble, kBatch, 1, 1, 1);
    Numbers a(kFloat, kBatch, 40, 60, 2400), whole(kFloat, kBatch, 40, 60, 2400),
        pieces(kFloat, kBatch, 40, 60, 2400);
    const gpu::DeviceView views[] = {s.view(), a.view(), a.view()};
    const gpu::Kernels at_once = kernels_of(source);
    at_once.map(id, views, whole.view(), kBatch, stream());
    const gpu::Kernels few_blocks = kernels_of(source, 2);
    few_blocks.map(id, views, pieces.view(), kBatch, stream());
    EXPECT_EQ(finish().size(), 1U + 6U);  // 12 blocks of 1024
    EXPECT_EQ(pieces.now(), whole.now());
}

TEST_F(FlatMap, ReductionsOfProblemsThatLostTheirNumbersAreNan) {
    for (const ReduceOver over : {ReduceOver::all, ReduceOver::rows, ReduceOver::cols}) {
        Reduce step;
        step.over = over;
        step.rows = {"m", 6};
        step.cols = {"n", 7};
        step.body = {{{use(0), Broadcast::none}}, {load_of(0)}};
        gpu::KernelSource source;
        const ScalarType type = kFloat;
        const gpu::KernelId id = source.add_reduce(step, kFloat, {&type, 1}, kDouble);
        const gpu::Kernels kernels = kernels_of(source);
        const std::int64_t results = over == ReduceOver::rows   ? 6
                                     : over == ReduceOver::cols ? 7
                                                                : 1;
        Numbers a(kFloat, kBatch, 6, 7, 42);
        Numbers out(kDouble, kBatch, results, 1, results);
        const DeviceBuffer status(std::as_bytes(std::span(kStatus)));
        kernels.reduce(id, {&a.view(), 1}, nullptr, out.view(), kBatch, stream(),
                       reinterpret_cast<const std::int32_t*>(status.data()));
        (void)finish();
        const std::vector<double> got = out.now();
        for (std::int64_t i = 0; i < kBatch * results; ++i) {
            const std::int64_t p = i / results;
            double want = 0;
            for (std::int64_t e = 0; e < 42; ++e) {
                const bool in = over == ReduceOver::all ||
                                (over == ReduceOver::rows ? e / 7 : e % 7) == i % results;
                want += in ? a.before(p, e / 7, e % 7) : 0;
            }
            const double found = got[static_cast<std::size_t>(i)];
            if (kStatus[p] != 0) {
                EXPECT_TRUE(std::isnan(found)) << i;
            } else {
                EXPECT_EQ(found, want) << i;
            }
        }
    }
}

TEST(FlatOrder, IsNoneForStridesThatLeadTooFarInABlock) {
    gpu::KernelSource source;
    const ScalarType types[] = {kDouble, kFloat, kFloat};
    (void)source.add_map(scaled_sum(), 1, 4, kFloat, types, kFloat);
    const gpu::KernelInfo& info = source.kernels()[0];
    alignas(16) std::byte somewhere[16];
    const gpu::DeviceView close = gpu::row_major(somewhere, kFloat, 1, 4);
    const gpu::DeviceView scalar = gpu::row_major(somewhere, kDouble, 1, 1);
    constexpr std::int64_t kMany = std::int64_t{1} << 40;
    const auto order = [&](std::int64_t s_stride, std::int64_t a_stride) {
        gpu::DeviceView views[] = {scalar, close, close};
        views[0].batch_stride = s_stride;
        views[1].batch_stride = a_stride;
        return gpu::flat_order(info, views, close, kMany, true);
    };
    EXPECT_EQ(order(1, 4), gpu::EntryOrder::rows);
    EXPECT_EQ(order(1, -8), gpu::EntryOrder::rows);
    // 256 problems in a block: 2^31 behind it.
    EXPECT_EQ(order(1, std::int64_t{1} << 23), std::nullopt);
    EXPECT_EQ(order(std::int64_t{1} << 23, 4), std::nullopt);
    EXPECT_EQ(gpu::flat_blocks(info, kMany), std::int64_t{1} << 32);
    EXPECT_EQ(gpu::flat_blocks(info, 257), 2);
}

TEST(FlatOrder, IsNoneWherePlacesMatterOrARowIsSpreadOrComputingTakesTheTime) {
    gpu::KernelSource source;
    const ScalarType type = kDouble;
    const MapBody position{{{use(0), Broadcast::none}},
                           {load_of(0), {MapOp::is_lower, -1, -1, 0}, {MapOp::mask, 0, 1, 0}}};
    const MapBody spread{{{use(0), Broadcast::row}}, {load_of(0)}};
    MapBody heavy{{{use(0), Broadcast::none}}, {load_of(0)}};
    for (int i = 0; i < 3; ++i) {
        heavy.code.push_back({MapOp::exp, i, -1, 0});
    }
    for (const MapBody& body : {position, spread, heavy}) {
        (void)source.add_map(body, 4, 4, type, {&type, 1}, type);
        EXPECT_EQ(source.kernels().back().group, 0);
    }
    // One that the result does not depend on does not matter.
    MapBody unused = spread;
    unused.operands.push_back({use(1), Broadcast::none});
    unused.code.push_back(load_of(1));
    const ScalarType types[] = {kDouble, kFloat};
    (void)source.add_map(unused, 4, 4, kFloat, types, kFloat);
    EXPECT_EQ(source.kernels().back().group, 4);
}

}  // namespace
}  // namespace matgrad::test
