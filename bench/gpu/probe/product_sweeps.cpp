// Products: what the machine can do at most, Gram matrices in three forms, syrk against gemm.
#include <algorithm>

#include "call.hpp"
#include "part.hpp"
#include "stopwatch.hpp"

namespace matgrad::probe {
namespace {

void measure_copy(const Recorder& recorder, const Stream& stream, const Stopwatch& stopwatch) {
    const std::vector<std::size_t> sizes =
        recorder.small() ? std::vector<std::size_t>{1} : std::vector<std::size_t>{8, 32, 128, 1024};
    for (const std::size_t mib : sizes) {
        const Buffer from(mib << 20);
        const Buffer to(mib << 20);
        MATGRAD_PROBE(cudaMemsetAsync(from.data(), 1, from.bytes(), stream.get()));
        const double us = stopwatch.us([&] { copy(to, from, stream.get()); });
        const double rate = 2 * static_cast<double>(from.bytes()) / us * 1e6;
        recorder.add({"ceilings.copy." + std::to_string(mib) + "MiB",
                      "cudaMemcpyAsync",
                      short_number(rate * 1e-9) + " GB/s read and written",
                      {{"us", us}, {"bytes_per_second", rate}}});
        stream.wait();
    }
}

void measure_ceilings(const Recorder& recorder) {
    const Stream stream;
    const Handles handles;
    const Stopwatch stopwatch(stream, recorder);
    measure_copy(recorder, stream, stopwatch);
    handles.bind(stream.get());
    for (const Type type : {Type::f32, Type::f64, Type::tf32}) {
        const Size n = recorder.small() ? 20 : 8192;
        const CallPointer call = gemm_call(packed_gemm(type, false, false, n, n, n, 1), stream);
        const double us = stopwatch.us([&] { call->make_call(handles, *call, stream.get()); });
        const auto size = static_cast<double>(n);
        const double rate = 2 * size * size * size / us * 1e6;
        recorder.add({std::string("ceilings.gemm.") + name_of(type),
                      "cublasGemmStridedBatchedEx_64",
                      short_number(rate * 1e-12) + " Tflop/s at n " + std::to_string(n),
                      {{"us", us}, {"flop_per_second", rate}, {"n", n}}});
        stream.wait();
    }
}

struct GramSize {
    Size m, n;
};

/// X'X of row-major X, m x n: by columns X is n x m, so the product is its own times its transpose.
void sweep_gram(const Recorder& recorder, Type type) {
    const Stream stream;
    const Handles handles;
    const Stopwatch stopwatch(stream, recorder);
    const std::vector<GramSize> sizes =
        recorder.small()
            ? std::vector<GramSize>{{9, 4}}
            : std::vector<GramSize>{{8, 4},    {16, 8},  {32, 8},   {64, 8},   {32, 16},  {64, 16},
                                    {256, 16}, {64, 32}, {128, 32}, {128, 64}, {256, 128}};
    Rows rows(recorder);
    for (const GramSize& s : sizes) {
        const Size bytes = s.m * s.n * static_cast<Size>(size_of(type));
        const Size batch =
            recorder.small() ? 3 : std::clamp<Size>((Size{64} << 20) / bytes, 1, 65536);
        const std::string name = std::string("gram.") + name_of(type) + "." + std::to_string(s.m) +
                                 "x" + std::to_string(s.n);
        if (!rows.next(name, static_cast<double>(s.m * s.n * s.n * batch))) {
            return;
        }
        const GemmShape nt = packed_gemm(type, false, true, s.n, s.n, s.m, batch);
        const GemmShape tn = packed_gemm(type, true, false, s.n, s.n, s.m, batch);
        handles.bind(stream.get());
        // Both factors are the same X, as they are in matgrad: it comes from memory once.
        const Buffer x(static_cast<std::size_t>(bytes * batch));
        const Buffer xx(static_cast<std::size_t>(s.n * s.n * batch) * size_of(type));
        const Buffer px(static_cast<std::size_t>(batch) * sizeof(void*));
        const Buffer pxx(px.bytes());
        fill(Kind::uniform, type, x.data(), s.n, s.m, batch, 1, stream.get());
        fill_pointers(px.as<void*>(), x.data(), bytes, batch, stream.get());
        fill_pointers(pxx.as<void*>(), xx.data(), s.n * s.n * static_cast<Size>(size_of(type)),
                      batch, stream.get());
        const Measured by_nt =
            measure(stopwatch, [&] { gemm(handles, nt, x.data(), x.data(), xx.data()); });
        const Measured by_tn =
            measure(stopwatch, [&] { gemm(handles, tn, x.data(), x.data(), xx.data()); });
        const Measured by_pointers = measure(stopwatch, [&] {
            gemm_pointers(handles, nt, px.as<void*>(), px.as<void*>(), pxx.as<void*>());
        });
        stream.wait();
        recorder.add({name,
                      "cublasGemmStridedBatchedEx_64, cublasGemmBatchedEx_64",
                      std::to_string(batch) + " problems: (N,T) " + by_nt.text() + ", (T,N) " +
                          by_tn.text() + ", (N,T) by pointers " + by_pointers.text(),
                      {{"batch", batch},
                       {"nt_us", by_nt.value()},
                       {"tn_us", by_tn.value()},
                       {"nt_pointers_us", by_pointers.value()}}});
    }
}

void sweep_syrk(const Recorder& recorder, Type type) {
    const Stream stream;
    const Handles handles;
    const Stopwatch stopwatch(stream, recorder);
    Rows rows(recorder);
    for (const Size n : recorder.small() ? std::vector<Size>{20}
                                         : std::vector<Size>{64, 128, 256, 512, 1024, 2048, 4096}) {
        const std::string name = std::string("syrk.") + name_of(type) + ".n" + std::to_string(n);
        if (!rows.next(name, static_cast<double>(n * n * n))) {
            return;
        }
        Fact fact{name, "cublas?syrk_64 against cublasGemmStridedBatchedEx_64", "syrk/gemm:", {}};
        handles.bind(stream.get());
        for (const Size k : {n, 4 * n}) {
            const CallPointer half = syrk_call(type, n, k, stream);
            const Measured by_syrk =
                measure(stopwatch, [&] { half->make_call(handles, *half, stream.get()); });
            // matgrad's gemm of the same: by columns A is k x n, the product its transpose times it.
            const CallPointer whole = gemm_call(packed_gemm(type, true, false, n, n, k, 1), stream);
            const Measured by_gemm =
                measure(stopwatch, [&] { whole->make_call(handles, *whole, stream.get()); });
            stream.wait();
            const std::string at = std::to_string(k);
            fact.values.emplace_back("syrk_us_k" + at, by_syrk.value());
            fact.values.emplace_back("gemm_us_k" + at, by_gemm.value());
            fact.answer += " k " + at + " " + by_syrk.text() + "/" + by_gemm.text();
        }
        recorder.add(fact);
    }
}

}  // namespace

void add_ceiling_sweeps(std::vector<Part>& parts) {
    parts.push_back({"ceilings", Group::sweeps, 8, true, measure_ceilings});
}

void add_gram_sweeps(std::vector<Part>& parts) {
    for (const Type type : {Type::f32, Type::f64, Type::tf32}) {
        parts.push_back({std::string("gram.") + name_of(type), Group::sweeps, 4, true,
                         [type](const Recorder& r) { sweep_gram(r, type); }});
    }
}

void add_syrk_sweeps(std::vector<Part>& parts) {
    for (const Type type : {Type::f32, Type::f64}) {
        parts.push_back({std::string("syrk.") + name_of(type), Group::sweeps, 5, true,
                         [type](const Recorder& r) { sweep_syrk(r, type); }});
    }
}

}  // namespace matgrad::probe
