/// Matrices of threads that have a problem each: read and written by their block, neighbours by neighbours.

#include <algorithm>
#include <cmath>

#include "cuda/fused_bench.hpp"

namespace matgrad::test {
namespace {

class ChipStaging : public OnChip {};

constexpr int kThreads = 64;

struct Staged {
    std::int64_t rows, cols;
    ScalarType from, own, to;
    gpu::KernelId kernel = 0;
};

/// Of an odd problem the status is a failure: its numbers are lost where they are not added to others.
gpu::KernelId add_kernel(const Staged& s, gpu::KernelSource& source) {
    const std::int64_t count = std::max<std::int64_t>(1, s.rows * s.cols);
    const std::int64_t bytes =
        round_up((kThreads + 1) * count * std::max(size_of(s.from), size_of(s.to)), 16);
    const std::string text = fmt::format(
        "MATGRAD_KERNEL(fused_#, FusedArgs<3>, {0}) {{\n"
        "MATGRAD_BLOCK_MEMORY(stage, {1});\n"
        "{2} numbers[{3}];\n"
        "const Own<{2}, {4}, {5}> a{{numbers}};\n"
        "for (long long first = block_index() * {0}; first < args.launch.batch; first += "
        "args.at_once) {{\n"
        "const BlockProblems<{0}> problems{{first, args.launch.batch}};\n"
        "load_own<{6}>(args.matrices[0], problems, stage, a);\n"
        "const int status = problems.own() % 2 == 0 ? 0 : singular_by_shape(0, 0);\n"
        "store_own<{7}>(a, args.matrices[1], problems, stage, false);\n"
        "store_own_result<{7}>(args, 2, problems, stage, status, a);\n"
        "}}\n}}\n",
        kThreads, bytes, chip_type(s.own), count, s.rows, s.cols, chip_type(s.from),
        chip_type(s.to));
    return source.add_fused(text, 3, kThreads, kThreads, bytes);
}

double rounded(double x, ScalarType type) {
    return type == kFloat ? static_cast<double>(static_cast<float>(x)) : x;
}

TEST_F(ChipStaging, GivesEachThreadItsProblemAndEachProblemItsResult) {
    std::vector<Staged> cases = {
        {1, 1, kDouble, kDouble, kDouble}, {3, 2, kFloat, kDouble, kFloat},
        {1, 7, kFloat, kFloat, kFloat},    {5, 1, kDouble, kDouble, kDouble},
        {4, 4, kFloat, kDouble, kDouble},  {0, 3, kFloat, kFloat, kFloat}};
    gpu::KernelSource source;
    for (Staged& s : cases) {
        s.kernel = add_kernel(s, source);
    }
    const gpu::Kernels kernels = kernels_of(source);
    std::size_t number = 0;
    for (const Staged& s : cases) {
        for (const std::int64_t batch : {1, 31, 64, 65, 200}) {
            for (const Order order : kOrders) {
                SCOPED_TRACE(testing::Message() << s.rows << "x" << s.cols << ", batch " << batch
                                                << ", order " << static_cast<int>(order));
                const Order other = kOrders[(static_cast<std::size_t>(order) + 1) % 6];
                const bool adds = number++ % 2 == 1;
                OnDevice from(s.from, batch, s.rows, s.cols, order, number % 3 == 0);
                OnDevice copy(s.to, batch, s.rows, s.cols, other);
                OnDevice result(s.to, batch, s.rows, s.cols, order, number % 3 == 1);
                from.host.fill_random(1);
                result.host.fill_random(2);
                const Matrices before = result.host;
                simulated::set_schedule({number, 0.25});
                const gpu::DeviceView views[] = {from.upload(), copy.upload(), result.upload()};
                const double beta[] = {0, 0, adds ? 0.5 : 0};
                kernels.fused(s.kernel, {views, beta}, batch, stream());
                (void)finish();
                copy.download();
                result.download();
                for (std::int64_t p = 0; p < batch; ++p) {
                    for (std::int64_t r = 0; r < s.rows; ++r) {
                        for (std::int64_t c = 0; c < s.cols; ++c) {
                            const double x = rounded(from.host.get(p, r, c), s.own);
                            ASSERT_EQ(copy.host.get(p, r, c), rounded(x, s.to))
                                << p << ": " << r << "," << c;
                            const double got = result.host.get(p, r, c);
                            if (p % 2 == 1 && !adds) {
                                ASSERT_TRUE(std::isnan(got)) << p << ": " << r << "," << c;
                            } else {
                                const double old = before.get(p, r, c);
                                ASSERT_EQ(got, adds && p % 2 == 1 ? old
                                               : adds             ? rounded(x + 0.5 * old, s.to)
                                                                  : rounded(x, s.to))
                                    << p << ": " << r << "," << c;
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Of matrices whose problems are neighbours in memory, and of one that all problems share.
TEST_F(ChipStaging, ReadsProblemsThatLieSideBySideOrInOnePlace) {
    constexpr std::int64_t kBatch = 130;
    Staged s{3, 4, kDouble, kDouble, kDouble};
    gpu::KernelSource source;
    s.kernel = add_kernel(s, source);
    const gpu::Kernels kernels = kernels_of(source);
    for (const bool shared : {true, false}) {
        OnDevice from(kDouble, 1, 12, kBatch);
        OnDevice copy(kDouble, kBatch, 3, 4);
        OnDevice result(kDouble, 1, 12, kBatch);
        from.host.fill_random(1);
        gpu::DeviceView in = from.upload();
        const std::int64_t line = in.row_stride;
        in.rows = 3;
        in.cols = 4;
        in.row_stride = 4 * line;
        in.col_stride = line;
        in.batch_stride = shared ? 0 : 1;
        gpu::DeviceView out = result.upload();
        out.rows = 3;
        out.cols = 4;
        out.row_stride = 4 * out.row_stride;
        out.col_stride = line;
        out.batch_stride = 1;
        const gpu::DeviceView views[] = {in, copy.upload(), out};
        const double beta[] = {0, 0, 0};
        kernels.fused(s.kernel, {views, beta}, kBatch, stream());
        (void)finish();
        copy.download();
        result.download();
        for (std::int64_t p = 0; p < kBatch; ++p) {
            for (std::int64_t e = 0; e < 12; ++e) {
                const double want = from.host.get(0, e, shared ? 0 : p);
                ASSERT_EQ(copy.host.get(p, e / 4, e % 4), want);
                const double got = result.host.get(0, e, p);
                ASSERT_TRUE(p % 2 == 1 ? std::isnan(got) : got == want);
            }
        }
    }
}

}  // namespace
}  // namespace matgrad::test
