// The copy kernels that are compiled ahead, as plain C++ on the simulated GPU: every pair of types,
// memory orders, alignments and pieces.

#include <gtest/gtest.h>

#include <cmath>

#include "copy.hpp"
#include "cuda/checked.hpp"
#include "cuda/kernel_bench.hpp"
#include "matgrad/status.hpp"

namespace matgrad::test {
namespace {

class CopyEntries : public OnSimulatedGpu {};

struct Sizes {
    std::int64_t m, n;
};
constexpr Sizes kShapes[] = {{0, 3},   {3, 0},   {1, 1},   {1, 257}, {256, 1},  {4, 5},   {8, 4},
                             {31, 33}, {32, 32}, {33, 64}, {3, 400}, {65, 100}, {16, 128}};
constexpr Order kOfResults[] = {Order::rows, Order::columns, Order::padded_rows, Order::strided};

gpu::Matrices of(const gpu::DeviceView& view) {
    return {view.data,       view.type == kDouble, view.rows,        view.cols,
            view.row_stride, view.col_stride,      view.batch_stride};
}

double rounded(double x, ScalarType type) {
    return type == kFloat ? static_cast<double>(static_cast<float>(x)) : x;
}

constexpr std::int32_t kNotPositive = make_status(StatusKind::not_positive, 1);
constexpr std::int32_t kSingular = make_status(StatusKind::singular, 3);

DeviceBuffer status_of(const std::vector<std::int32_t>& status) {
    return DeviceBuffer(std::as_bytes(std::span(status)));
}

const std::int32_t* pointer(const DeviceBuffer& status) {
    return reinterpret_cast<const std::int32_t*>(status.data());
}

/// Calls test(from type, to type, shape, from order, to order, batch).
template <typename Function>
void for_each_case(Function test) {
    for (const Sizes& size : kShapes) {
        for (const ScalarType from : kTypes) {
            for (const ScalarType to : kTypes) {
                for (const Order in : kOrders) {
                    for (const Order out : kOfResults) {
                        for (const std::int64_t batch : {0, 1, 4}) {
                            SCOPED_TRACE(testing::Message()
                                         << size.m << "x" << size.n << " batch " << batch
                                         << " from " << static_cast<int>(in) << " to "
                                         << static_cast<int>(out) << " types " << size_of(from)
                                         << size_of(to));
                            test(from, to, size, in, out, batch);
                        }
                    }
                }
            }
        }
    }
}

TEST_F(CopyEntries, ReadsAndWritesEveryEntryOnceInAnyMemoryOrder) {
    for_each_case([this](ScalarType from, ScalarType to, Sizes size, Order in_order,
                         Order out_order, std::int64_t batch) {
        OnDevice in(from, batch, size.m, size.n, in_order, batch == 4);
        OnDevice out(to, batch, size.m, size.n, out_order);
        in.host.fill_random(3);
        gpu::copy_entries(of(in.upload()), of(out.upload()), batch, stream());
        const std::vector<simulated::Launch> launches = finish();
        out.download();
        const std::int64_t total = batch * size.m * size.n;
        ASSERT_EQ(launches.size(), total > 0 ? 1U : 0U);
        if (total > 0) {
            EXPECT_EQ(launches[0].load_bytes, total * size_of(from));
            EXPECT_EQ(launches[0].store_bytes, total * size_of(to));
        }
        for (std::int64_t p = 0; p < batch; ++p) {
            for (std::int64_t i = 0; i < size.m * size.n; ++i) {
                const std::int64_t r = i / size.n;
                const std::int64_t c = i % size.n;
                ASSERT_EQ(out.host.get(p, r, c), rounded(in.host.get(p, r, c), to))
                    << p << " " << i;
            }
        }
    });
}

TEST_F(CopyEntries, WritesNanForProblemsThatLostTheirNumbersAlone) {
    const DeviceBuffer status = status_of({0, kSingular, 0, kNotPositive});
    for_each_case([&](ScalarType from, ScalarType to, Sizes size, Order in_order, Order out_order,
                      std::int64_t batch) {
        OnDevice in(from, batch, size.m, size.n, in_order);
        OnDevice out(to, batch, size.m, size.n, out_order);
        in.host.fill_random(4);
        gpu::copy_entries(of(in.upload()), of(out.upload()), batch, stream(), pointer(status));
        (void)finish();
        out.download();
        for (std::int64_t p = 0; p < batch; ++p) {
            for (std::int64_t i = 0; i < size.m * size.n; ++i) {
                const double got = out.host.get(p, i / size.n, i % size.n);
                if (p % 2 == 1) {
                    ASSERT_TRUE(std::isnan(got)) << p << " " << i;
                } else {
                    ASSERT_EQ(got, rounded(in.host.get(p, i / size.n, i % size.n), to));
                }
            }
        }
    });
}

TEST_F(CopyEntries, AKindOfFailureOutsideTheMaskKeepsItsNumbers) {
    const DeviceBuffer status =
        status_of({kNotPositive, kSingular, make_status(StatusKind::jittered), -1});
    // By mask: which problems are NaN. A kind past the last bit counts as the last.
    const std::pair<unsigned, std::vector<bool>> cases[] = {
        {0U, {false, false, false, false}},
        {block::kLosing, {true, true, false, true}},
        {block::kAnyFailure, {true, true, false, true}},
        {4U, {false, true, false, false}},
        {0x80000002U, {true, false, false, true}}};
    for (const auto& [losing, lost] : cases) {
        OnDevice in(kFloat, 4, 3, 8);
        OnDevice out(kFloat, 4, 3, 8);
        in.host.fill_random(5);
        gpu::copy_entries(of(in.upload()), of(out.upload()), 4, stream(), pointer(status), losing);
        (void)finish();
        out.download();
        for (std::int64_t p = 0; p < 4; ++p) {
            EXPECT_EQ(std::isnan(out.host.get(p, 2, 7)), lost[static_cast<std::size_t>(p)])
                << losing << " " << p;
        }
    }
}

/// `count` neighbours from entry `from_offset` of one buffer to `to_offset` of another.
template <typename From, typename To>
void copy_line(cudaStream_t stream, std::int64_t count, std::size_t from_offset,
               std::size_t to_offset, simulated::Launch& launch) {
    std::vector<From> given(static_cast<std::size_t>(count) + 8);
    for (std::size_t i = 0; i < given.size(); ++i) {
        given[i] = static_cast<From>(static_cast<double>(i) + 0.1);
    }
    const std::vector<To> before(given.size(), To(-7));
    const DeviceBuffer from(std::as_bytes(std::span(given)));
    const DeviceBuffer to(std::as_bytes(std::span(before)));
    const gpu::Matrices in{
        from.data() + from_offset * sizeof(From), sizeof(From) == 8, 1, count, count, 1, count};
    const gpu::Matrices out{
        to.data() + to_offset * sizeof(To), sizeof(To) == 8, 1, count, count, 1, count};
    gpu::copy_entries(in, out, 1, stream);
    MATGRAD_MUST(cudaStreamSynchronize(stream));
    launch = simulated::launches().back();
    std::vector<To> got(given.size());
    to.download(std::as_writable_bytes(std::span(got)));
    std::vector<To> want = before;
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
        want[to_offset + i] = static_cast<To>(given[from_offset + i]);
    }
    ASSERT_TRUE(got == want);
}

template <typename From, typename To>
void check_lines(cudaStream_t stream) {
    constexpr std::int64_t kOfBlock = 2048;
    constexpr std::int64_t kGroup = 16 / std::max(sizeof(From), sizeof(To));
    for (const std::int64_t count :
         {std::int64_t{1}, std::int64_t{2}, std::int64_t{3}, kOfBlock - 1, kOfBlock, kOfBlock + 1,
          2 * kOfBlock + 2, 2 * kOfBlock + 3}) {
        for (const std::size_t from_offset : {0, 1, 2, 3, 4}) {
            for (const std::size_t to_offset : {0, 1, 2, 4}) {
                SCOPED_TRACE(testing::Message()
                             << count << " from " << from_offset << " to " << to_offset << " types "
                             << sizeof(From) << sizeof(To));
                simulated::Launch launch;
                copy_line<From, To>(stream, count, from_offset, to_offset, launch);
                const bool aligned = from_offset % kGroup == 0 && to_offset % kGroup == 0;
                const std::int64_t whole = aligned ? count - count % kOfBlock : 0;
                EXPECT_EQ(launch.loads, whole / kGroup + count - whole);
                EXPECT_EQ(launch.stores, whole / kGroup + count - whole);
            }
        }
    }
}

TEST_F(CopyEntries, MovesSixteenBytesAtATimeWhereBothSidesAllowIt) {
    check_lines<float, float>(stream());
    check_lines<float, double>(stream());
    check_lines<double, float>(stream());
    check_lines<double, double>(stream());
}

TEST_F(CopyEntries, MovesEachSectorOnce) {
    constexpr std::int64_t kCount = 2 * 2048;
    simulated::profile_launches();
    for (const std::size_t offset : {0, 1}) {
        simulated::Launch launch;
        copy_line<double, float>(stream(), kCount, 0, offset, launch);
        const simulated::Profile profile = launch.profile.value();
        EXPECT_EQ(profile.loads.transfers, kCount * 8 / 32);
        // One float off, each access of a warp has a sector more.
        EXPECT_EQ(profile.stores.transfers,
                  kCount * 4 / 32 + (offset == 0 ? 0 : profile.stores.accesses));
        EXPECT_EQ(profile.stores.least_transfers, kCount * 4 / 32);
    }
    simulated::profile_launches(false);
}

/// Strides of a batch of 6x8 matrices by rows.
struct Gaps {
    std::int64_t row, batch;
};

/// Copies five matrices between 16-byte aligned buffers; gives what the launch did.
template <typename From, typename To>
simulated::Launch copy_gaps(cudaStream_t stream, Gaps in, Gaps out, const std::int32_t* status) {
    constexpr std::int64_t kBatch = 5;
    constexpr std::int64_t kSize = 400;
    std::vector<From> given(kSize);
    for (std::size_t i = 0; i < given.size(); ++i) {
        given[i] = static_cast<From>(static_cast<double>(i) + 0.1);
    }
    std::vector<To> want(kSize, To(-7));
    const DeviceBuffer from(std::as_bytes(std::span(given)));
    const DeviceBuffer to(std::as_bytes(std::span(want)));
    gpu::copy_entries({from.data(), sizeof(From) == 8, 6, 8, in.row, 1, in.batch},
                      {to.data(), sizeof(To) == 8, 6, 8, out.row, 1, out.batch}, kBatch, stream,
                      status);
    MATGRAD_MUST(cudaStreamSynchronize(stream));
    std::vector<To> got(kSize);
    to.download(std::as_writable_bytes(std::span(got)));
    for (std::int64_t i = 0; i < kBatch * 48; ++i) {
        const std::int64_t p = i / 48;
        const std::int64_t r = i / 8 % 6;
        const To value =
            static_cast<To>(given[static_cast<std::size_t>(p * in.batch + r * in.row + i % 8)]);
        To& entry = want[static_cast<std::size_t>(p * out.batch + r * out.row + i % 8)];
        entry = value;
        if (status != nullptr && p % 2 == 1) {
            // Compared below by bits, which only NaN may have here.
            To& found = got[static_cast<std::size_t>(p * out.batch + r * out.row + i % 8)];
            EXPECT_TRUE(std::isnan(found));
            found = entry;
        }
    }
    EXPECT_TRUE(got == want);
    return simulated::launches().back();
}

template <typename From, typename To>
void check_gaps(cudaStream_t stream) {
    constexpr std::int64_t kGroup = 16 / std::max(sizeof(From), sizeof(To));
    const DeviceBuffer status = status_of({0, kSingular, 0, kNotPositive, 0});
    // Rows and problems close together, and with gaps: of whole groups, and of one entry.
    constexpr Gaps kWhole[] = {{8, 48}, {8, 52}, {12, 72}, {12, 76}};
    constexpr Gaps kOdd[] = {{8, 49}, {9, 54}, {9, 56}};
    for (const bool has_status : {false, true}) {
        const std::int32_t* const of_problems = has_status ? pointer(status) : nullptr;
        for (const Gaps& in : kWhole) {
            for (const Gaps& out : kWhole) {
                SCOPED_TRACE(testing::Message() << in.row << "," << in.batch << " to " << out.row
                                                << "," << out.batch << " types " << sizeof(From)
                                                << sizeof(To) << " status " << has_status);
                const simulated::Launch launch = copy_gaps<From, To>(stream, in, out, of_problems);
                // All of it is less than a block of the flat kernel.
                const bool flat = !has_status && in.batch == 48 && out.batch == 48;
                const std::int64_t accesses = flat ? 5 * 48 : 5 * 48 / kGroup;
                EXPECT_EQ(launch.stores, accesses);
                EXPECT_EQ(launch.loads, has_status ? 2 * accesses : accesses);
            }
            for (const Gaps& out : kOdd) {
                EXPECT_EQ((copy_gaps<From, To>(stream, in, out, of_problems).stores), 5 * 48);
                EXPECT_EQ((copy_gaps<From, To>(stream, out, in, of_problems).stores), 5 * 48);
            }
        }
    }
}

TEST_F(CopyEntries, MovesSixteenBytesAtATimeOverGapsOfWholeGroups) {
    check_gaps<float, float>(stream());
    check_gaps<float, double>(stream());
    check_gaps<double, float>(stream());
    check_gaps<double, double>(stream());
}

TEST_F(CopyEntries, GoesThroughATileWhereTheSidesDisagree) {
    const auto barriers = [&](Order from, Order to) {
        OnDevice in(kDouble, 2, 65, 100, from);
        OnDevice out(kDouble, 2, 65, 100, to);
        gpu::copy_entries(of(in.upload()), of(out.upload()), 2, stream());
        return finish().at(0).barriers;
    };
    EXPECT_EQ(barriers(Order::rows, Order::padded_rows), 0);
    EXPECT_EQ(barriers(Order::columns, Order::columns), 0);
    constexpr std::int64_t kTiles = 2 * 3 * 4;  // of 32 x 32, of two problems
    EXPECT_EQ(barriers(Order::rows, Order::columns), kTiles);
    EXPECT_EQ(barriers(Order::columns, Order::rows), kTiles);
}

TEST_F(CopyEntries, SpreadsAScalarAndASharedMatrix) {
    OnDevice scalar(kFloat, 1, 1, 1);
    scalar.host.set(0, 0, 0, 0.125);
    gpu::DeviceView view = scalar.upload_shared();
    view.rows = 33;
    view.cols = 34;
    view.row_stride = view.col_stride = 0;
    OnDevice out(kDouble, 3, 33, 34);
    gpu::copy_entries(of(view), of(out.upload()), 3, stream());
    OnDevice shared(kFloat, 1, 33, 34, Order::columns);
    shared.host.fill_random(4);
    OnDevice each(kDouble, 3, 33, 34);
    gpu::copy_entries(of(shared.upload_shared()), of(each.upload()), 3, stream());
    (void)finish();
    out.download();
    each.download();
    for (std::int64_t p = 0; p < 3; ++p) {
        for (std::int64_t r = 0; r < 33; ++r) {
            for (std::int64_t c = 0; c < 34; ++c) {
                ASSERT_EQ(out.host.get(p, r, c), 0.125);
                ASSERT_EQ(each.host.get(p, r, c), shared.host.get(0, r, c));
            }
        }
    }
}

TEST_F(CopyEntries, InPiecesGivesTheSameBits) {
    const DeviceBuffer status = status_of({0, kSingular, 0, kNotPositive});
    for (const Order in_order : {Order::rows, Order::columns, Order::reversed_both}) {
        for (const bool has_status : {false, true}) {
            SCOPED_TRACE(testing::Message() << static_cast<int>(in_order) << " " << has_status);
            OnDevice in(kFloat, 4, 40, 52, in_order);
            in.host.fill_random(6);
            const gpu::Matrices from = of(in.upload());
            const auto copied = [&](std::int64_t most, std::size_t& launches) {
                OnDevice out(kFloat, 4, 40, 52);
                gpu::copy_entries(from, of(out.upload()), 4, stream(),
                                  has_status ? pointer(status) : nullptr, block::kLosing, most);
                launches = finish().size();
                out.download();
                const std::span<const std::byte> memory = std::as_const(out.host).memory();
                return std::vector<std::byte>(memory.begin(), memory.end());
            };
            std::size_t whole = 0;
            std::size_t pieces = 0;
            const std::vector<std::byte> want = copied(gpu::kMostCopied, whole);
            EXPECT_TRUE(copied(100, pieces) == want);
            EXPECT_EQ(whole, 1U);
            EXPECT_GE(pieces, 4U * 40 * 52 / 100);
        }
    }
}

TEST_F(CopyEntries, AnIdentityHasOnesWhereRowAndColumnAreEqual) {
    for (const ScalarType type : kTypes) {
        for (const Sizes& size : kShapes) {
            for (const Order order : kOrders) {
                for (const std::int64_t most : {gpu::kMostCopied, std::int64_t{50}}) {
                    SCOPED_TRACE(testing::Message() << size.m << "x" << size.n << " "
                                                    << static_cast<int>(order) << " " << most);
                    OnDevice out(type, 3, size.m, size.n, order);
                    out.host.fill_random(7);
                    gpu::set_identity(of(out.upload()), 3, stream(), most);
                    std::int64_t stored = 0;
                    for (const simulated::Launch& launch : finish()) {
                        stored += launch.stores;
                    }
                    out.download();
                    EXPECT_EQ(stored, 3 * size.m * size.n);
                    for (std::int64_t i = 0; i < 3 * size.m * size.n; ++i) {
                        const std::int64_t r = i / size.n % size.m;
                        const std::int64_t c = i % size.n;
                        ASSERT_EQ(out.host.get(i / (size.m * size.n), r, c), r == c ? 1 : 0) << i;
                    }
                }
            }
        }
    }
}

TEST_F(CopyEntries, AreLoadedBeforeTheirFirstLaunch) {
    const std::int64_t before = simulated::calls("cudaFuncGetAttributes");
    gpu::load_copy_kernels();
    EXPECT_EQ(simulated::calls("cudaFuncGetAttributes") - before, 4 * 4 + 2);
    simulated::fail_call("cudaFuncGetAttributes", 3, cudaErrorMemoryAllocation);
    EXPECT_THROW(gpu::load_copy_kernels(), gpu::CudaError);
}

TEST_F(CopyEntries, ARefusedLaunchIsAnErrorThatNamesTheCall) {
    OnDevice in(kFloat, 1, 2, 2);
    OnDevice out(kFloat, 1, 2, 2);
    const gpu::Matrices from = of(in.upload());
    const gpu::Matrices to = of(out.upload());
    simulated::fail_call("cudaLaunchKernelExC", 1, cudaErrorInvalidConfiguration);
    try {
        gpu::copy_entries(from, to, 1, stream());
        FAIL();
    } catch (const gpu::CudaError& error) {
        EXPECT_EQ(std::string(error.what()).rfind("cudaLaunchKernelExC failed with ", 0), 0U)
            << error.what();
    }
}

}  // namespace
}  // namespace matgrad::test
