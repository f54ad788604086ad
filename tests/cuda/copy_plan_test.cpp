// How a copy is cut and which kernel runs: arithmetic, with batches that no machine here can hold.

#include "cuda/copy_plan.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace matgrad::test {
namespace {

using gpu::CopyKernel;
using gpu::CopyShape;

/// Nobody reads there.
std::byte* at(std::uintptr_t address) {
    return reinterpret_cast<std::byte*>(address);
}

gpu::Matrices rows_of(std::uintptr_t address, bool is_double, std::int64_t rows, std::int64_t cols,
                      std::int64_t row_stride, std::int64_t batch_stride) {
    return {at(address), is_double, rows, cols, row_stride, 1, batch_stride};
}

TEST(CopyPlan, JoinsDimensionsThatFollowEachOtherOnBothSides) {
    const gpu::Matrices close = rows_of(4096, false, 6, 8, 8, 48);
    CopyShape shape = gpu::copy_shape(close, close, 10, false);
    EXPECT_EQ(shape.entries.count, 480);
    EXPECT_EQ(shape.lines.count, 1);
    EXPECT_EQ(shape.problems.count, 1);
    shape = gpu::copy_shape(close, close, 10, true);
    EXPECT_EQ(shape.entries.count, 48);
    EXPECT_EQ(shape.problems.count, 10);
    // Rows with gaps follow each other, from problem to problem too.
    const gpu::Matrices gaps = rows_of(4096, true, 6, 8, 12, 72);
    shape = gpu::copy_shape(close, gaps, 10, false);
    EXPECT_EQ(shape.entries.count, 8);
    EXPECT_EQ(shape.lines.count, 60);
    EXPECT_EQ(shape.lines.from, 8);
    EXPECT_EQ(shape.lines.to, 12);
    // One entry for each problem: those of a batch are a line.
    const gpu::Matrices single = rows_of(4096, true, 1, 1, 77, 1);
    shape = gpu::copy_shape(single, single, 1000, false);
    EXPECT_EQ(shape.entries.count, 1000);
    EXPECT_EQ(shape.entries.to, 1);
}

TEST(CopyPlan, TakesTheFastestKernelThatStridesAndAlignmentAllow) {
    const auto kernel = [](const gpu::Matrices& from, const gpu::Matrices& to, bool has_status) {
        return gpu::copy_kernel(gpu::copy_shape(from, to, 10, has_status), has_status);
    };
    const gpu::Matrices close = rows_of(4096, false, 6, 8, 8, 48);
    EXPECT_EQ(kernel(close, close, false), CopyKernel::flat);
    EXPECT_EQ(kernel(close, close, true), CopyKernel::lines);
    // Behind one float: 16 bytes are not in place, nor 8 where the other side is of doubles.
    const gpu::Matrices behind = rows_of(4100, false, 6, 8, 8, 48);
    EXPECT_EQ(kernel(close, behind, false), CopyKernel::entries);
    EXPECT_EQ(kernel(behind, close, false), CopyKernel::entries);
    const gpu::Matrices doubles = rows_of(4096, true, 6, 8, 8, 48);
    EXPECT_EQ(kernel(behind, doubles, false), CopyKernel::entries);
    // Behind two floats: with doubles a group has two.
    EXPECT_EQ(kernel(rows_of(4104, false, 6, 8, 8, 48), doubles, false), CopyKernel::flat);
    EXPECT_EQ(kernel(rows_of(4104, false, 6, 8, 8, 48), close, false), CopyKernel::entries);
    EXPECT_EQ(kernel(rows_of(4104, true, 6, 8, 8, 48), doubles, false), CopyKernel::entries);
    // Gaps of whole groups, and of others, in problems and in rows.
    EXPECT_EQ(kernel(rows_of(4096, false, 6, 8, 8, 52), close, false), CopyKernel::lines);
    EXPECT_EQ(kernel(rows_of(4096, false, 6, 8, 8, 50), close, false), CopyKernel::entries);
    EXPECT_EQ(kernel(rows_of(4096, false, 6, 8, 12, 72), close, false), CopyKernel::lines);
    EXPECT_EQ(kernel(rows_of(4096, false, 6, 8, 9, 72), close, false), CopyKernel::entries);
    EXPECT_EQ(kernel(rows_of(4096, false, 6, 8, -8, 48), close, false), CopyKernel::lines);
    EXPECT_EQ(kernel(rows_of(4096, false, 6, 8, 8, 0), close, false), CopyKernel::lines);
    // Problems of 9 floats follow each other, but each begins elsewhere in its 16 bytes.
    const gpu::Matrices odd = rows_of(4096, false, 3, 3, 3, 9);
    EXPECT_EQ(kernel(odd, odd, false), CopyKernel::flat);
    EXPECT_EQ(kernel(odd, odd, true), CopyKernel::entries);
    // By columns against by rows.
    const gpu::Matrices wide = rows_of(4096, false, 40, 50, 50, 2000);
    const gpu::Matrices columns{at(4096), false, 40, 50, 1, 40, 2000};
    EXPECT_EQ(kernel(wide, columns, false), CopyKernel::tiles);
    EXPECT_EQ(kernel(columns, columns, false), CopyKernel::flat);
    const gpu::Matrices narrow = rows_of(4096, false, 40, 5, 5, 200);
    EXPECT_EQ(kernel(narrow, {at(4096), false, 40, 5, 1, 40, 200}, false), CopyKernel::entries);
}

TEST(CopyPlan, DividesEveryNumberBelowTwoToThe31) {
    constexpr std::int64_t kEnd = std::int64_t{1} << 31;
    std::vector<std::int64_t> divisors = {1, 2, 3, 5, 7, 9, 48, 641, 1000, 65535, 65537, kEnd - 1};
    for (int bit = 2; bit < 31; ++bit) {
        for (const std::int64_t near : {-1, 0, 1}) {
            divisors.push_back((std::int64_t{1} << bit) + near);
        }
    }
    for (const std::int64_t divisor : divisors) {
        const block::Divisor by = gpu::divisor_of(divisor);
        ASSERT_EQ(by.divisor, divisor);
        // A wrong quotient would be wrong where a multiple of the divisor begins.
        const std::int64_t quotients = (kEnd - 1) / divisor;
        for (const std::int64_t multiple : {std::int64_t{0}, std::int64_t{1}, quotients / 3,
                                            quotients / 2, quotients - 1, quotients}) {
            for (const std::int64_t n :
                 {multiple * divisor - 1, multiple * divisor, multiple * divisor + divisor - 1}) {
                if (n >= 0 && n < kEnd) {
                    const auto twice = static_cast<std::uint32_t>(2 * n);
                    const std::uint64_t high = (std::uint64_t{twice} * by.multiplier) >> 32;
                    ASSERT_EQ(static_cast<std::int64_t>(high >> by.shift), n / divisor)
                        << n << " by " << divisor;
                }
            }
        }
    }
}

/// Pieces of a shape: each is one, and together they have all its entries.
std::vector<CopyShape> pieces_of(const CopyShape& shape) {
    std::vector<CopyShape> pieces;
    std::int64_t count = 0;
    gpu::for_each_piece(shape, gpu::kMostCopied, [&](const CopyShape& piece) {
        EXPECT_TRUE(gpu::is_piece(piece, gpu::kMostCopied));
        EXPECT_GT(piece.count(), 0);
        count += piece.count();
        pieces.push_back(piece);
    });
    EXPECT_EQ(count, shape.count());
    return pieces;
}

TEST(CopyPlan, CutsALineOfMoreThanTwoToThe31Entries) {
    const gpu::Matrices from = rows_of(4096, false, 1 << 10, 1 << 10, 1 << 10, 1 << 20);
    const gpu::Matrices to = rows_of(1 << 20, true, 1 << 10, 1 << 10, 1 << 10, 1 << 20);
    constexpr std::int64_t kBatch = 10'000;  // 10^10 entries
    const CopyShape shape = gpu::copy_shape(from, to, kBatch, false);
    std::int64_t next = 0;
    for (const CopyShape& piece : pieces_of(shape)) {
        EXPECT_EQ(piece.entries.first, next);
        EXPECT_EQ(piece.from.data, shape.from.data + 4 * next);
        EXPECT_EQ(piece.to.data, shape.to.data + 8 * next);
        EXPECT_EQ(gpu::copy_kernel(piece, false), CopyKernel::flat);
        const gpu::CopyLaunch launch = gpu::copy_launch(piece, CopyKernel::flat);
        EXPECT_EQ(launch.args.entries, piece.entries.count);
        EXPECT_EQ(launch.blocks, (piece.entries.count + 2047) / 2048);
        next += piece.entries.count;
    }
    EXPECT_LE(pieces_of(shape).size(), 10U);
    // With a status by problems.
    std::int64_t first = 0;
    for (const CopyShape& piece : pieces_of(gpu::copy_shape(from, to, kBatch, true))) {
        EXPECT_EQ(piece.problems.first, first);
        EXPECT_EQ(piece.to.data, shape.to.data + 8 * (first << 20));
        first += piece.problems.count;
    }
    EXPECT_EQ(first, kBatch);
}

TEST(CopyPlan, CutsWhereStridesLeadTooFar) {
    // Rows 2^30 apart on one side: three problems of three rows, backwards.
    constexpr std::int64_t kFar = std::int64_t{1} << 30;
    const gpu::Matrices from = rows_of(std::uintptr_t{1} << 40, false, 3, 5, -kFar, 5);
    const gpu::Matrices to = rows_of(4096, false, 3, 5, 5, 15);
    const CopyShape shape = gpu::copy_shape(from, to, 3, false);
    const std::vector<CopyShape> pieces = pieces_of(shape);
    EXPECT_EQ(pieces.size(), 2U);
    EXPECT_EQ(pieces[1].from.data, shape.from.data - 4 * kFar);
    EXPECT_EQ(pieces[1].to.data, shape.to.data + 4 * 5);
    for (const CopyShape& piece : pieces) {
        const gpu::CopyLaunch launch = gpu::copy_launch(piece, gpu::copy_kernel(piece, false));
        EXPECT_EQ(launch.args.count, piece.count());
        EXPECT_EQ(launch.args.from.line, piece.lines.count == 1 ? 0 : -kFar);
    }
    // One matrix of 2^40 entries from a scalar: 2^9 and a few more launches.
    const gpu::Matrices spread{at(4096), true, 1 << 20, 1 << 20, 0, 0, 0};
    const gpu::Matrices all = rows_of(4096, true, 1 << 20, 1 << 20, 1 << 20, 0);
    EXPECT_LE(pieces_of(gpu::copy_shape(spread, all, 1, false)).size(), 1U << 10);
}

TEST(CopyPlan, KnowsWhereTheDiagonalOfAPieceIs) {
    const gpu::Matrices to = rows_of(4096, true, 1 << 17, 1 << 17, 1 << 17, 0);
    std::int64_t crossed = 0;
    gpu::for_each_piece(gpu::identity_shape(to, 1), gpu::kMostCopied, [&](const CopyShape& piece) {
        const gpu::CopyLaunch launch = gpu::copy_launch(piece, CopyKernel::entries);
        // Entry e of line l of the piece is on the diagonal where e - l is this.
        EXPECT_EQ(piece.entries.first + launch.args.diagonal, piece.lines.first);
        ++crossed;
    });
    EXPECT_GE(crossed, 8);
    CopyShape far = gpu::identity_shape(to, 1);
    far.lines.count = far.entries.count = 4;  // as far as a piece goes
    far.lines.first = std::int64_t{1} << 40;
    EXPECT_EQ(gpu::copy_launch(far, CopyKernel::entries).args.diagonal,
              std::numeric_limits<int>::max());
}

}  // namespace
}  // namespace matgrad::test
