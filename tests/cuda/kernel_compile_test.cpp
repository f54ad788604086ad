// Generated kernels through the real NVRTC, which needs no driver: for one of three architectures each, without
// a warning, without a register in local memory.

#include <gtest/gtest.h>

#include <regex>

#include "cuda/cache_folder.hpp"
#include "cuda/checked.hpp"
#include "cuda/compile.hpp"
#include "cuda/device_compiler.hpp"
#include "cuda/kernel_cache.hpp"
#include "cuda/kernels.hpp"

namespace matgrad::gpu {
namespace {

constexpr ScalarType kFloat = ScalarType::float32;
constexpr ScalarType kDouble = ScalarType::float64;

/// `stack` kernels may have a stack frame: sin and cos of large arguments need one in CUDA itself.
void expect_clean(const KernelSource& source, bool stack = false) {
    test::expect_clean(source.text(), source.kernels().size(), stack);
}

MapInstruction load_of(int operand) {
    return {MapOp::load, operand, -1, 0};
}

MapBody sum_of(int operands) {
    MapBody body;
    for (int i = 0; i < operands; ++i) {
        body.operands.push_back({Use{i}, Broadcast::none});
        body.code.push_back(load_of(i));
    }
    for (int i = 1; i < operands; ++i) {
        body.code.push_back({MapOp::add, i == 1 ? 0 : operands + i - 2, i, 0});
    }
    return body;
}

TEST(GeneratedKernels, CompileForEveryFunctionWithoutSpills) {
    constexpr MapOp kFunctions[] = {MapOp::exp,      MapOp::log,  MapOp::tanh, MapOp::sigmoid,
                                    MapOp::softplus, MapOp::sqrt, MapOp::atan, MapOp::log1p,
                                    MapOp::expm1,    MapOp::cosh, MapOp::sinh, MapOp::erf};
    constexpr MapOp kLight[] = {MapOp::scale, MapOp::offset, MapOp::abs,
                                MapOp::sign,  MapOp::step,   MapOp::relu};
    for (const ScalarType type : {kFloat, kDouble}) {
        KernelSource source;
        for (const MapOp op : kFunctions) {
            const MapBody body{{{Use{0}, Broadcast::none}}, {load_of(0), {op, 0, -1, 1.5}}};
            (void)source.add_map(body, 64, 16, type, {&type, 1}, type);
        }
        MapBody light{{{Use{0}, Broadcast::none}}, {load_of(0)}};
        for (const MapOp op : kLight) {
            const int last = static_cast<int>(light.code.size()) - 1;
            light.code.push_back({op, last, -1, 1.5});
            light.code.push_back({MapOp::add, last, last + 1, 0});
        }
        (void)source.add_map(light, 64, 16, type, {&type, 1}, type);
        for (const double exponent : {0.0, -63.0, 2.5}) {
            const MapBody body{{{Use{0}, Broadcast::none}},
                               {load_of(0), {MapOp::pow, 0, -1, exponent}}};
            (void)source.add_map(body, 64, 16, type, {&type, 1}, type);
        }
        expect_clean(source);
        KernelSource angles;
        for (const MapOp op : {MapOp::sin, MapOp::cos}) {
            const MapBody body{{{Use{0}, Broadcast::none}}, {load_of(0), {op, 0, -1, 0}}};
            (void)angles.add_map(body, 64, 16, type, {&type, 1}, type);
        }
        expect_clean(angles, true);
    }
}

TEST(GeneratedKernels, CompileForEveryShapeAndNumberOfOperandsWithoutSpills) {
    for (const ScalarType type : {kFloat, kDouble}) {
        KernelSource source;
        for (const int operands : {2, 4, 5, 60}) {
            const std::vector<ScalarType> types(static_cast<std::size_t>(operands), type);
            (void)source.add_map(sum_of(operands), 64, 16, type, types, type);
        }
        const std::vector<ScalarType> types(2, type);
        for (const auto& [rows, cols] :
             {std::pair<std::int64_t, std::int64_t>{0, 5}, {33, 31}, {1 << 20, 1 << 20}}) {
            (void)source.add_map(sum_of(2), rows, cols, type, types, kDouble);
            (void)source.add_batch_sum(rows, cols, type);
            (void)source.add_divide(rows, cols, type);
        }
        (void)source.add_count_failed();
        expect_clean(source);
    }
}

TEST(GeneratedKernels, CompileForEveryBroadcastPositionAndConstantWithoutSpills) {
    MapBody body;
    body.operands = {{Use{0}, Broadcast::none},
                     {Use{1}, Broadcast::scalar},
                     {Use{2}, Broadcast::column},
                     {Use{3}, Broadcast::row}};
    body.code = {load_of(0), load_of(1), load_of(2), load_of(3)};
    int last = 0;
    const auto apply = [&](MapOp op, int b, double number) {
        body.code.push_back({op, last, b, number});
        last = static_cast<int>(body.code.size()) - 1;
    };
    apply(MapOp::sub, 1, 0);
    apply(MapOp::div, 2, 0);
    apply(MapOp::mul, 3, 0);
    for (const MapOp test : {MapOp::is_diagonal, MapOp::is_lower, MapOp::is_upper}) {
        body.code.push_back({test, -1, -1, 0});
        apply(MapOp::mask, static_cast<int>(body.code.size()) - 1, 0);
    }
    for (const double number :
         {1e300, -1e300, -1e-300, 0.1, -0.0, static_cast<double>(std::nanf(""))}) {
        body.code.push_back({MapOp::constant, -1, -1, number});
        apply(MapOp::add, static_cast<int>(body.code.size()) - 1, 0);
    }
    for (const ScalarType type : {kFloat, kDouble}) {
        KernelSource source;
        const ScalarType types[] = {kFloat, kDouble, kFloat, kDouble};
        (void)source.add_map(body, 40, 50, type, types, kFloat);
        expect_clean(source);
    }
}

TEST(GeneratedKernels, CompileForEveryReductionWithoutSpills) {
    for (const ScalarType type : {kFloat, kDouble}) {
        KernelSource source;
        const ScalarType types[] = {kFloat, kDouble};
        for (const ReduceOp op : {ReduceOp::sum, ReduceOp::max, ReduceOp::product}) {
            for (const ReduceOver over : {ReduceOver::all, ReduceOver::rows, ReduceOver::cols}) {
                for (const auto& [rows, cols] :
                     {std::pair<std::int64_t, std::int64_t>{5, 0}, {64, 16}, {1000, 3000}}) {
                    if (op == ReduceOp::product && rows != 64) {
                        continue;  // it differs from a sum in one sign
                    }
                    Reduce step;
                    step.op = op;
                    step.over = over;
                    step.rows.size = rows;
                    step.cols.size = cols;
                    step.body = sum_of(2);
                    step.scale = over == ReduceOver::all ? 1 : 0.5;
                    (void)source.add_reduce(step, type, types, kFloat);
                }
            }
        }
        Reduce det;
        det.op = ReduceOp::signed_product;
        det.over = ReduceOver::diagonal;
        det.rows.size = det.cols.size = 300;
        det.body = sum_of(1);
        (void)source.add_reduce(det, type, {types, 1}, kDouble);
        expect_clean(source);
    }
}

TEST(Compile, GivesMachineCodeForADeviceThatNvrtcKnows) {
    KernelSource source;
    (void)source.add_divide(3, 4, kFloat);
    const auto code = compile(source.text(), 9, 0);
    ASSERT_GE(code->size(), 4U);
    EXPECT_EQ(std::string(code->data(), 4), "\177ELF");
    EXPECT_EQ(compile(source.text(), 9, 0), code);  // not compiled again
    EXPECT_NE(compile(source.text(), 8, 0), code);
}

TEST(Compile, GivesTextForADeviceNewerThanNvrtc) {
    KernelSource source;
    (void)source.add_count_failed();
    const auto code = compile(source.text(), 99, 0);
    const std::string text(code->begin(), code->end());
    EXPECT_NE(text.find(".visible .entry count_failed_0"), std::string::npos);
    EXPECT_EQ(text.back(), '\0');
}

TEST(Compile, SaysWhichDevicesAreTooOld) {
    try {
        (void)compile("", 1, 3);
        FAIL();
    } catch (const MachineError& error) {
        EXPECT_TRUE(std::regex_match(
            error.what(), std::regex("the device has compute capability 1\\.3: NVRTC compiles for "
                                     "\\d+\\.\\d+ and later")))
            << error.what();
    }
}

TEST(Compile, ReportsTheFirstErrorOfTheCompiler) {
    try {
        (void)compile(
            "__device__ int a() { return 1; }\n"
            "__device__ int b() { return nothing; }\n"
            "__device__ int c() { return nobody; }\n",
            9, 0);
        FAIL();
    } catch (const MachineError& error) {
        EXPECT_STREQ(error.what(),
                     "NVRTC does not compile a generated kernel (--gpu-architecture=sm_90): "
                     "matgrad_kernels.cu(2): error: identifier \"nothing\" is undefined");
    }
}

TEST(Compile, KeepsOnDiskWhatItGives) {
    const test::CacheFolder folder;
    KernelSource source;
    (void)source.add_divide(7, 5, kDouble);
    // For the device itself, and, as text, for one newer than the compiler.
    for (const int major : {9, 77}) {
        const std::string text = source.text();
        EXPECT_TRUE(test::holds_in_a_process([&] {
            const test::Environment on{{"MATGRAD_CACHE", folder.path().c_str()}};
            return !compile(text, major, 0)->empty();
        }));
        const test::Environment off{{"MATGRAD_CACHE", ""}};
        EXPECT_EQ(KernelCache(folder.path()).find(key_of(compilation_for(text, major, 0))),
                  *compile(text, major, 0));
    }
    EXPECT_EQ(folder.files().size(), 2U);
}

}  // namespace
}  // namespace matgrad::gpu
