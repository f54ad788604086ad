// map kernels on the simulated GPU, against loops in long double.

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "cuda/kernel_bench.hpp"
#include "executors/naive.hpp"

namespace matgrad::test {
namespace {

class MapKernel : public OnSimulatedGpu {};

struct FunctionCase {
    MapOp op;
    double number;
    std::function<long double(long double)> meaning;
};

/// Textbook definitions; where a formula overflows on the way, in a form that does not.
const FunctionCase kFunctions[] = {
    {MapOp::scale, -2.5, [](long double x) { return -2.5L * x; }},
    {MapOp::offset, 0.75, [](long double x) { return 0.75L + x; }},
    {MapOp::pow, 0, [](long double) { return 1.0L; }},
    {MapOp::pow, 1, [](long double x) { return x; }},
    {MapOp::pow, 2, [](long double x) { return x * x; }},
    {MapOp::pow, 7, [](long double x) { return std::pow(x, 7.0L); }},
    {MapOp::pow, -1, [](long double x) { return 1 / x; }},
    {MapOp::pow, -3, [](long double x) { return 1 / (x * x * x); }},
    {MapOp::pow, 0.5, [](long double x) { return std::pow(x, 0.5L); }},
    {MapOp::pow, -1.25, [](long double x) { return std::pow(x, -1.25L); }},
    {MapOp::exp, 0, [](long double x) { return std::exp(x); }},
    {MapOp::log, 0, [](long double x) { return std::log(x); }},
    {MapOp::sqrt, 0, [](long double x) { return std::sqrt(x); }},
    {MapOp::abs, 0, [](long double x) { return std::abs(x); }},
    {MapOp::sign, 0,
     [](long double x) { return std::isnan(x) ? x : static_cast<long double>((x > 0) - (x < 0)); }},
    {MapOp::step, 0, [](long double x) { return std::isnan(x) ? x
                                                : x > 0       ? 1.0L
                                                              : 0.0L; }},
    {MapOp::sin, 0, [](long double x) { return std::sin(x); }},
    {MapOp::cos, 0, [](long double x) { return std::cos(x); }},
    {MapOp::tanh, 0, [](long double x) { return std::tanh(x); }},
    {MapOp::sigmoid, 0, [](long double x) { return 1 / (1 + std::exp(-x)); }},
    {MapOp::softplus, 0,
     [](long double x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }},
    {MapOp::relu, 0, [](long double x) { return std::isnan(x) ? x
                                                : x > 0       ? x
                                                              : 0; }},
    {MapOp::tan, 0, [](long double x) { return std::tan(x); }},
    {MapOp::atan, 0, [](long double x) { return std::atan(x); }},
    {MapOp::log1p, 0, [](long double x) { return std::log1p(x); }},
    {MapOp::expm1, 0, [](long double x) { return std::expm1(x); }},
    {MapOp::cosh, 0, [](long double x) { return std::cosh(x); }},
    {MapOp::sinh, 0, [](long double x) { return std::sinh(x); }},
    {MapOp::erf, 0, [](long double x) { return std::erf(x); }},
    {MapOp::asinh, 0, [](long double x) { return std::asinh(x); }},
    {MapOp::acosh, 0, [](long double x) { return std::acosh(x); }},
    {MapOp::atanh, 0, [](long double x) { return std::atanh(x); }},
    {MapOp::lgamma, 0, [](long double x) { return std::lgamma(x); }},
    {MapOp::normcdf, 0, [](long double x) { return std::erfc(-x / std::sqrt(2.0L)) / 2; }},
};

TEST_F(MapKernel, FunctionsMeanWhatTheirNamesSayAlsoAtTheEdges) {
    const double infinity = std::numeric_limits<double>::infinity();
    std::vector<double> arguments = {
        0,    -0.0, infinity, -infinity, std::nan(""), 1e-3, -1e-3, 1,   -1,   0.5, -0.5, 2,
        -3.5, 20,   -20,      88,        -88,          100,  -100,  700, -700, 1e4, -1e4, 1e-30};
    for (const ScalarType type : kTypes) {
        SCOPED_TRACE(size_of(type));
        gpu::KernelSource source;
        std::vector<gpu::KernelId> ids;
        const auto count = static_cast<std::int64_t>(arguments.size());
        for (const FunctionCase& f : kFunctions) {
            const MapBody body{{{use(0), Broadcast::none}}, {load_of(0), {f.op, 0, -1, f.number}}};
            ids.push_back(source.add_map(body, 1, count, type, {&type, 1}, type));
        }
        const gpu::Kernels kernels = kernels_of(source);
        OnDevice x(type, 1, 1, count);
        for (std::int64_t i = 0; i < count; ++i) {
            x.host.set(0, 0, i, arguments[static_cast<std::size_t>(i)]);
        }
        const gpu::DeviceView in = x.upload();
        const long double largest =
            type == kFloat ? std::numeric_limits<float>::max() : std::numeric_limits<double>::max();
        const long double smallest =
            type == kFloat ? std::numeric_limits<float>::min() : std::numeric_limits<double>::min();
        for (std::size_t f = 0; f < ids.size(); ++f) {
            OnDevice y(type, 1, 1, count);
            kernels.map(ids[f], {&in, 1}, y.upload(), 1, stream());
            (void)finish();
            y.download();
            for (std::int64_t i = 0; i < count; ++i) {
                const long double argument = x.host.get(0, 0, i);
                const long double want = kFunctions[f].meaning(argument);
                const long double got = y.host.get(0, 0, i);
                const std::string what = (testing::Message() << "function " << f << " of "
                                                             << static_cast<double>(argument))
                                             .GetString();
                if (std::isnan(want)) {
                    EXPECT_TRUE(std::isnan(got)) << what;
                } else if (std::abs(want) > largest) {
                    EXPECT_EQ(got, std::copysign(infinity, want)) << what;
                } else {
                    // A power by multiplication rounds at most 7 times, a function of a library twice
                    // (its own documentation), sigmoid and softplus three times more; a result that
                    // is subnormal rounds absolutely.
                    EXPECT_LE(std::abs(got - want),
                              8 * unit(type) * std::max(std::abs(want), smallest))
                        << what;
                }
            }
        }
    }
}

/// Values of mpmath.
struct KnownValue {
    MapOp op;
    double x, want;
};

const KnownValue kKnown[] = {
    {MapOp::lognormcdf, -1e8, -5000000000000000.0 - 19.339},
    {MapOp::lognormcdf, -5, -15.064998393988725},
    {MapOp::lognormcdf, 2, -0.02301290932896349},
    {MapOp::normhazard, -5, 1.4867199409049056e-06},
    {MapOp::normhazard, 8, 8.121368112236112},
    {MapOp::normexcess, 8, 0.12136811223611269},
    {MapOp::normexcess, 1e8, 1e-8},
    {MapOp::digamma, 0.125, -8.388492663295855},
    {MapOp::digamma, 7.5, 1.9467574842460869},
    {MapOp::digamma, -1.5, 0.7031566406452432},
    {MapOp::trigamma, 2.5, 0.49035775610023485},
    {MapOp::trigamma, -1.5, 9.379246644989124},
    {MapOp::trigamma, -3, std::numeric_limits<double>::infinity()},
    {MapOp::digamma, 0, -std::numeric_limits<double>::infinity()},
};

TEST_F(MapKernel, FunctionsOfStatisticsHaveTheValuesOfTables) {
    for (const ScalarType type : kTypes) {
        for (const KnownValue& k : kKnown) {
            gpu::KernelSource source;
            const MapBody body{{{use(0), Broadcast::none}}, {load_of(0), {k.op, 0, -1, 0}}};
            const gpu::KernelId id = source.add_map(body, 1, 1, type, {&type, 1}, type);
            const gpu::Kernels kernels = kernels_of(source);
            OnDevice x(type, 1, 1, 1);
            x.host.set(0, 0, 0, k.x);
            const gpu::DeviceView in = x.upload();
            OnDevice y(type, 1, 1, 1);
            kernels.map(id, {&in, 1}, y.upload(), 1, stream());
            (void)finish();
            y.download();
            const double got = y.host.get(0, 0, 0);
            if (std::isinf(k.want)) {
                EXPECT_EQ(got, k.want);
                continue;
            }
            // A sum of ten terms and more, and of two parts of which one is a reflection.
            EXPECT_LE(std::abs(got - k.want), 20 * unit(type) * std::abs(k.want))
                << "op " << static_cast<int>(k.op) << " of " << k.x;
        }
    }
}

TEST_F(MapKernel, MaxAndMinAreOneOfTheTwoOrNaN) {
    const double nan = std::nan("");
    const double infinity = std::numeric_limits<double>::infinity();
    const std::vector<double> a = {1, 2, -infinity, 3, nan, 1, 0.25};
    const std::vector<double> b = {2, 2, 5, infinity, 1, nan, -0.5};
    const auto count = static_cast<std::int64_t>(a.size());
    for (const ScalarType type : kTypes) {
        gpu::KernelSource source;
        const ScalarType types[] = {type, type};
        std::vector<gpu::KernelId> ids;
        for (const MapOp op : {MapOp::max, MapOp::min}) {
            const MapBody body{{{use(0), Broadcast::none}, {use(1), Broadcast::none}},
                               {load_of(0), load_of(1), {op, 0, 1, 0}}};
            ids.push_back(source.add_map(body, 1, count, type, types, type));
        }
        const gpu::Kernels kernels = kernels_of(source);
        OnDevice x(type, 1, 1, count);
        OnDevice y(type, 1, 1, count);
        for (std::size_t i = 0; i < a.size(); ++i) {
            x.host.set(0, 0, static_cast<std::int64_t>(i), a[i]);
            y.host.set(0, 0, static_cast<std::int64_t>(i), b[i]);
        }
        const gpu::DeviceView in[] = {x.upload(), y.upload()};
        for (std::size_t f = 0; f < ids.size(); ++f) {
            OnDevice z(type, 1, 1, count);
            kernels.map(ids[f], in, z.upload(), 1, stream());
            (void)finish();
            z.download();
            for (std::size_t i = 0; i < a.size(); ++i) {
                const long double got = z.host.get(0, 0, static_cast<std::int64_t>(i));
                if (std::isnan(a[i]) || std::isnan(b[i])) {
                    EXPECT_TRUE(std::isnan(got)) << i;
                } else {
                    EXPECT_EQ(got, f == 0 ? std::max(a[i], b[i]) : std::min(a[i], b[i])) << i;
                }
            }
        }
    }
}

TEST_F(MapKernel, AMaskedEntryIsZeroEvenIfItIsNaN) {
    for (const ScalarType type : kTypes) {
        gpu::KernelSource source;
        const MapBody body{{{use(0), Broadcast::none}, {use(1), Broadcast::none}},
                           {load_of(0), load_of(1), {MapOp::mask, 0, 1, 0}}};
        const ScalarType types[] = {type, type};
        const gpu::KernelId id = source.add_map(body, 1, 5, type, types, type);
        const gpu::Kernels kernels = kernels_of(source);
        const double nan = std::nan("");
        const double values[] = {nan, 3, nan, 4, 5};
        const double masks[] = {0, -0.0, 1, nan, 0.5};
        OnDevice a(type, 1, 1, 5), b(type, 1, 1, 5), out(type, 1, 1, 5);
        for (int i = 0; i < 5; ++i) {
            a.host.set(0, 0, i, values[i]);
            b.host.set(0, 0, i, masks[i]);
        }
        const gpu::DeviceView in[] = {a.upload(), b.upload()};
        kernels.map(id, in, out.upload(), 1, stream());
        (void)finish();
        out.download();
        EXPECT_EQ(out.host.get(0, 0, 0), 0);
        EXPECT_EQ(out.host.get(0, 0, 1), 0);
        EXPECT_TRUE(std::isnan(out.host.get(0, 0, 2)));
        EXPECT_EQ(out.host.get(0, 0, 3), 4);
        EXPECT_EQ(out.host.get(0, 0, 4), 5);
    }
}

struct Sizes {
    std::int64_t m, n;
};
constexpr Sizes kShapes[] = {{0, 3},  {3, 0},   {1, 1},   {1, 31},  {32, 1},  {1, 257},
                             {3, 85}, {33, 31}, {32, 32}, {70, 33}, {40, 129}};

/// The number of operands decides how many entries a thread has: 4, 2 or 1.
MapBody sum_of(int operands) {
    MapBody body;
    for (int i = 0; i < operands; ++i) {
        body.operands.push_back({use(i), Broadcast::none});
        body.code.push_back(load_of(i));
    }
    for (int i = 1; i < operands; ++i) {
        const int left = i == 1 ? 0 : operands + i - 2;
        body.code.push_back({MapOp::add, left, i, 0});
    }
    return body;
}

TEST_F(MapKernel, ReadsAndWritesEveryEntryOnceInAnyMemoryOrder) {
    constexpr Order kOfOut[] = {Order::rows, Order::columns, Order::reversed_both};
    for (const ScalarType type : kTypes) {
        gpu::KernelSource source;
        std::vector<std::vector<gpu::KernelId>> ids;
        const std::vector<ScalarType> types(5, type);
        for (const Sizes& size : kShapes) {
            ids.emplace_back();
            for (const int operands : {2, 3, 5}) {
                ids.back().push_back(source.add_map(
                    sum_of(operands), size.m, size.n, type,
                    std::span(types).first(static_cast<std::size_t>(operands)), type));
            }
        }
        const gpu::Kernels kernels = kernels_of(source);
        for (std::size_t s = 0; s < std::size(kShapes); ++s) {
            const auto [m, n] = kShapes[s];
            for (const std::int64_t batch : {0, 1, 5}) {
                for (const Order order : kOfOut) {
                    for (const gpu::KernelId id : ids[s]) {
                        const auto operands = static_cast<std::size_t>(
                            source.kernels()[static_cast<std::size_t>(id)].operands);
                        SCOPED_TRACE(testing::Message()
                                     << m << "x" << n << " batch " << batch << " operands "
                                     << operands << " order " << static_cast<int>(order) << " type "
                                     << static_cast<int>(type));
                        std::vector<OnDevice> in;
                        std::vector<gpu::DeviceView> views;
                        for (std::size_t i = 0; i < operands; ++i) {
                            in.emplace_back(type, batch, m, n, kOrders[i], i == 1);
                            in.back().host.fill_random(static_cast<std::uint32_t>(i + 1));
                            views.push_back(in.back().upload());
                        }
                        OnDevice out(type, batch, m, n, order);
                        kernels.map(id, views, out.upload(), batch, stream());
                        const std::vector<simulated::Launch> launches = finish();
                        out.download();
                        const std::int64_t total = batch * m * n;
                        ASSERT_EQ(launches.size(), total > 0 ? 1U : 0U);
                        if (total > 0) {
                            EXPECT_EQ(launches[0].loads,
                                      total * static_cast<std::int64_t>(operands));
                            EXPECT_EQ(launches[0].stores, total);
                        }
                        for (std::int64_t p = 0; p < batch; ++p) {
                            Naive want(m, n);
                            for (const OnDevice& operand : in) {
                                want = plus(want, matrix(operand.host, p));
                            }
                            // At most four sums of numbers of at most five.
                            expect_within(matrix(out.host, p), want,
                                          entrywise(want, [&](auto, auto, auto) {
                                              return 4 * 5 * unit(type);
                                          }));
                        }
                        ASSERT_FALSE(HasFailure()) << source.text();
                    }
                }
            }
        }
    }
}

TEST_F(MapKernel, SpreadsScalarsColumnsAndRowsSharedOrNot) {
    // A + s*u*v, where row >= col.
    MapBody body;
    body.operands = {{use(0), Broadcast::none},
                     {use(1), Broadcast::scalar},
                     {use(2), Broadcast::column},
                     {use(3), Broadcast::row}};
    body.code = {load_of(0),
                 load_of(1),
                 load_of(2),
                 load_of(3),
                 {MapOp::mul, 1, 2, 0},
                 {MapOp::mul, 4, 3, 0},
                 {MapOp::add, 0, 5, 0},
                 {MapOp::is_lower, -1, -1, 0},
                 {MapOp::mask, 6, 7, 0}};
    const ScalarType types[] = {kFloat, kDouble, kFloat, kDouble};
    gpu::KernelSource source;
    const gpu::KernelId id = source.add_map(body, 34, 35, kDouble, types, kFloat);
    const gpu::Kernels kernels = kernels_of(source);
    constexpr std::int64_t kBatch = 3;
    for (const bool shared : {false, true}) {
        for (const Order order : kOrders) {
            SCOPED_TRACE(testing::Message()
                         << "shared " << shared << " " << static_cast<int>(order));
            const std::int64_t own = shared ? 1 : kBatch;
            OnDevice A(kFloat, own, 34, 35, order), s(kDouble, kBatch, 1, 1), u(kFloat, own, 34, 1),
                v(kDouble, own, 1, 35, order), out(kFloat, kBatch, 34, 35);
            OnDevice* all[] = {&A, &s, &u, &v};
            std::vector<gpu::DeviceView> views;
            for (std::size_t i = 0; i < 4; ++i) {
                all[i]->host.fill_random(static_cast<std::uint32_t>(i + 7));
                views.push_back(shared && i != 1 ? all[i]->upload_shared() : all[i]->upload());
            }
            kernels.map(id, views, out.upload(), kBatch, stream());
            (void)finish();
            out.download();
            for (std::int64_t p = 0; p < kBatch; ++p) {
                const std::int64_t q = shared ? 0 : p;
                const Naive want =
                    entrywise(matrix(A.host, q), [&](long double x, auto r, auto c) -> long double {
                        const long double spread = static_cast<long double>(s.host.get(p, 0, 0)) *
                                                   u.host.get(q, r, 0) * v.host.get(q, 0, c);
                        return r >= c ? x + spread : 0;
                    });
                // Computed in double, rounded once to float; numbers of at most 2.
                expect_within(matrix(out.host, p), want, entrywise(want, [](auto, auto, auto) {
                                  return 2 * unit(kFloat) + 6 * unit(kDouble);
                              }));
            }
        }
    }
}

TEST_F(MapKernel, MayWriteOverAnOperand) {
    for (const int operands : {1, 3, 5}) {
        SCOPED_TRACE(operands);
        gpu::KernelSource source;
        const std::vector<ScalarType> types(static_cast<std::size_t>(operands), kDouble);
        const gpu::KernelId id = source.add_map(sum_of(operands), 37, 41, kDouble, types, kDouble);
        const gpu::Kernels kernels = kernels_of(source);
        OnDevice a(kDouble, 3, 37, 41, Order::padded_rows);
        a.host.fill_random(1);
        const OnDevice before = [&] {
            OnDevice copy(kDouble, 3, 37, 41);
            copy.host = a.host;
            return copy;
        }();
        const std::vector<gpu::DeviceView> views(static_cast<std::size_t>(operands), a.upload());
        kernels.map(id, views, views[0], 3, stream());
        (void)finish();
        a.download();
        for (std::int64_t p = 0; p < 3; ++p) {
            const Naive want = scaled(operands, matrix(before.host, p));
            expect_within(matrix(a.host, p), want,
                          entrywise(want, [](auto, auto, auto) { return 4 * 5 * unit(kDouble); }));
        }
    }
}

TEST(KernelSource, GivesOneKernelForEqualRequests) {
    gpu::KernelSource source;
    EXPECT_EQ(source.text(), "");
    const ScalarType types[] = {kDouble, kDouble};
    const gpu::KernelId a = source.add_map(sum_of(2), 3, 4, kDouble, types, kDouble);
    const gpu::KernelId b = source.add_divide(3, 4, kDouble);
    EXPECT_EQ(source.add_map(sum_of(2), 3, 4, kDouble, types, kDouble), a);
    EXPECT_EQ(source.add_divide(3, 4, kDouble), b);
    EXPECT_NE(source.add_divide(4, 3, kDouble), b);
    EXPECT_NE(source.add_map(sum_of(2), 3, 4, kDouble, types, kFloat), a);
    EXPECT_EQ(source.kernels().size(), 4U);
}

TEST(KernelSource, LeavesOutWhatTheResultDoesNotNeed) {
    gpu::KernelSource source;
    MapBody body = sum_of(2);
    body.code.push_back({MapOp::scale, 0, -1, 2});  // the result; operand 1 has no part in it
    const ScalarType types[] = {kDouble, kDouble};
    (void)source.add_map(body, 3, 4, kDouble, types, kDouble);
    EXPECT_NE(source.text().find("from[0]"), std::string::npos);
    EXPECT_EQ(source.text().find("from[1]"), std::string::npos) << source.text();
}

TEST(KernelSource, RefusesMoreOperandsThanAKernelTakes) {
    gpu::KernelSource source;
    const std::vector<ScalarType> types(1001, kDouble);
    try {
        (void)source.add_map(sum_of(1001), 3, 4, kDouble, types, kDouble);
        FAIL();
    } catch (const UnsupportedError& error) {
        EXPECT_STREQ(error.what(),
                     "an entrywise expression of 1001 operands: expected at most 1000 on a GPU");
    }
}

}  // namespace
}  // namespace matgrad::test
