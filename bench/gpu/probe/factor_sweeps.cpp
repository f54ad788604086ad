// Factorizations: batched against one by one, one problem alone, one triangle against the other.
#include "call.hpp"
#include "part.hpp"
#include "stopwatch.hpp"

namespace matgrad::probe {
namespace {

/// Matrices and what both ways to factor them need.
struct Matrices {
    Matrices(bool lu, Type type, Size n, Size batch, const Handles& handles, const Stream& stream)
        : bytes(static_cast<std::size_t>(n * n) * size_of(type)),
          now(bytes * static_cast<std::size_t>(batch)),
          before(now.bytes()),
          pointers(static_cast<std::size_t>(batch) * sizeof(void*)),
          info(static_cast<std::size_t>(batch) * sizeof(int)),
          pivots(static_cast<std::size_t>(batch * n) * sizeof(std::int64_t)),
          scratch(lu ? getrf_bytes(handles, type, n)
                     : potrf_bytes(handles, type, CUBLAS_FILL_MODE_UPPER, n)) {
        fill(lu ? Kind::swapped : Kind::spd, type, before.data(), n, n, batch, 1, stream.get());
        fill_pointers(pointers.as<void*>(), now.data(), static_cast<Size>(bytes), batch,
                      stream.get());
        stream.wait();
    }
    std::size_t bytes;
    Buffer now, before, pointers, info, pivots;
    SolverScratch scratch;
};

struct Pair {
    Measured batched, each;
};

Pair time_both(bool lu, Type type, Size n, Size batch, const Handles& handles, const Stream& stream,
               const Stopwatch& stopwatch) {
    constexpr auto kUpper = CUBLAS_FILL_MODE_UPPER;
    try {
        Matrices m(lu, type, n, batch, handles, stream);
        const auto reset = [&] { copy(m.now, m.before, stream.get()); };
        const auto batched = [&] {
            if (lu) {
                getrf_batched(handles, type, n, m.pointers.as<void*>(), m.pivots.as<int>(),
                              m.info.as<int>(), batch);
            } else {
                potrf_batched(handles, type, kUpper, n, m.pointers.as<void*>(), m.info.as<int>(),
                              batch);
            }
        };
        const auto each = [&] {
            for (Size p = 0; p < batch; ++p) {
                void* const a = m.now.at(static_cast<std::size_t>(p) * m.bytes);
                if (lu) {
                    getrf(handles, type, n, a, m.pivots.as<std::int64_t>() + p * n, m.scratch,
                          m.info.as<int>() + p);
                } else {
                    potrf(handles, type, kUpper, n, a, m.scratch, m.info.as<int>() + p);
                }
            }
        };
        handles.bind(stream.get());
        const Pair pair{measure(stopwatch, batched, reset), measure(stopwatch, each, reset)};
        stream.wait();
        return pair;
    } catch (const CallFailed& error) {  // no memory
        return {{0, error.what()}, {0, error.what()}};
    }
}

void sweep(const Recorder& recorder, bool lu, Type type) {
    const Stream stream;
    const Handles handles;
    const Stopwatch stopwatch(stream, recorder);
    const std::string name = std::string(lu ? "getrf." : "potrf.") + name_of(type);
    const std::vector<Size> orders = recorder.small()
                                         ? std::vector<Size>{4, 20}
                                         : std::vector<Size>{64, 128, 256, 512, 1024, 2048};
    const std::vector<Size> batches =
        recorder.small() ? std::vector<Size>{1, 2} : std::vector<Size>{1, 2, 4, 8, 16, 32, 64};
    Rows rows(recorder);
    for (const Size n : orders) {
        Fact fact{
            name + ".n" + std::to_string(n),
            lu ? "getrfBatched against cusolverDnXgetrf" : "potrfBatched against cusolverDnXpotrf",
            "batched/one by one in us, by batch:",
            {}};
        for (const Size batch : batches) {
            const auto cost = static_cast<double>(n * n * n * batch);
            if (!rows.next(fact.name + ".batch" + std::to_string(batch), cost)) {
                break;
            }
            const Pair pair = time_both(lu, type, n, batch, handles, stream, stopwatch);
            const std::string at = std::to_string(batch);
            fact.values.emplace_back("batched_us_" + at, pair.batched.value());
            fact.values.emplace_back("each_us_" + at, pair.each.value());
            const auto text = [](const Measured& m) {
                return m.failure.empty() ? short_number(m.us) : m.text();
            };
            fact.answer += " " + at + ": " + text(pair.batched) + "/" + text(pair.each);
        }
        recorder.add(fact);
    }
}

/// Routes of one problem.
void sweep_one(const Recorder& recorder, Type type) {
    const Stream stream;
    const Handles handles;
    const Stopwatch stopwatch(stream, recorder);
    const std::string name = std::string("batch_one.") + name_of(type);
    Rows rows(recorder);
    for (const Size n : recorder.small() ? std::vector<Size>{4, 20}
                                         : std::vector<Size>{8, 16, 32, 64, 128, 256, 512, 1024}) {
        if (!rows.next(name + ".n" + std::to_string(n), static_cast<double>(n * n * n))) {
            return;
        }
        Fact fact{name + ".n" + std::to_string(n), "", "batched/single in us:", {}};
        const auto add = [&](const std::string& what, const Pair& pair) {
            fact.values.emplace_back(what + "_batched_us", pair.batched.value());
            fact.values.emplace_back(what + "_single_us", pair.each.value());
            fact.answer += " " + what + " " + pair.batched.text() + "/" + pair.each.text();
        };
        add("potrf", time_both(false, type, n, 1, handles, stream, stopwatch));
        add("getrf", time_both(true, type, n, 1, handles, stream, stopwatch));
        constexpr Size kSides = 64;
        const TrsmShape shape{
            type, CUBLAS_SIDE_RIGHT, CUBLAS_FILL_MODE_UPPER, CUBLAS_OP_N, kSides, n, 1, 0};
        const auto time_call = [&](const CallPointer& call) {
            const Measured m = measure(
                stopwatch, [&] { call->make_call(handles, *call, stream.get()); },
                [&] { call->reset(stream.get()); });
            stream.wait();
            return m;
        };
        handles.bind(stream.get());
        add("trsm",
            {time_call(trsm_batched_call(shape, stream)), time_call(trsm_call(shape, stream))});
        const GemmShape shape_of_one = packed_gemm(type, false, true, n, kSides, n, 1);
        const CallPointer product = gemm_call(shape_of_one, stream);
        const Measured as_batch =
            measure(stopwatch, [&] { product->make_call(handles, *product, stream.get()); });
        const Measured as_one = measure(stopwatch, [&] {
            gemm_alone(handles, shape_of_one, product->read[0].data(), product->read[1].data(),
                       product->written[0].now.data());
        });
        stream.wait();
        add("gemm", {as_batch, as_one});
        recorder.add(fact);
    }
}

void sweep_fill(const Recorder& recorder, Type type) {
    const Stream stream;
    const Handles handles;
    const Stopwatch stopwatch(stream, recorder);
    const std::string name = std::string("fill.") + name_of(type);
    Rows rows(recorder);
    for (const Size n :
         recorder.small() ? std::vector<Size>{4, 20} : std::vector<Size>{16, 64, 256, 1024, 2048}) {
        if (!rows.next(name + ".n" + std::to_string(n), static_cast<double>(n * n * n))) {
            return;
        }
        const Size batch = recorder.small() ? 2 : n >= 1024 ? 4 : 262144 / (n * n) * 16;
        handles.bind(stream.get());
        Matrices m(false, type, n, batch, handles, stream);
        const auto reset = [&] { copy(m.now, m.before, stream.get()); };
        Fact fact{name + ".n" + std::to_string(n), "potrfBatched, cusolverDnXpotrf", "", {}};
        for (const auto fill : {CUBLAS_FILL_MODE_UPPER, CUBLAS_FILL_MODE_LOWER}) {
            const std::string which = fill == CUBLAS_FILL_MODE_UPPER ? "upper" : "lower";
            SolverScratch scratch(potrf_bytes(handles, type, fill, n));
            const Measured batched = measure(
                stopwatch,
                [&] {
                    potrf_batched(handles, type, fill, n, m.pointers.as<void*>(), m.info.as<int>(),
                                  batch);
                },
                reset);
            const Measured one = measure(
                stopwatch,
                [&] { potrf(handles, type, fill, n, m.now.data(), scratch, m.info.as<int>()); },
                reset);
            stream.wait();
            fact.values.emplace_back(which + "_batched_us", batched.value());
            fact.values.emplace_back(which + "_single_us", one.value());
            fact.answer += (fact.answer.empty() ? "" : "; ") + which + " " + std::to_string(batch) +
                           " at once " + batched.text() + ", one " + one.text();
        }
        recorder.add(fact);
    }
}

}  // namespace

void add_cholesky_sweeps(std::vector<Part>& parts) {
    for (const Type type : {Type::f32, Type::f64}) {
        parts.push_back({std::string("potrf.") + name_of(type), Group::sweeps, 7, true,
                         [type](const Recorder& r) { sweep(r, false, type); }});
    }
}

void add_other_factor_sweeps(std::vector<Part>& parts) {
    for (const Type type : {Type::f32, Type::f64}) {
        const std::string end = std::string(".") + name_of(type);
        parts.push_back({"fill" + end, Group::sweeps, 4, true,
                         [type](const Recorder& r) { sweep_fill(r, type); }});
        parts.push_back({"batch_one" + end, Group::sweeps, 5, true,
                         [type](const Recorder& r) { sweep_one(r, type); }});
    }
    // Its threshold is the least in doubt.
    for (const Type type : {Type::f32, Type::f64}) {
        parts.push_back({std::string("getrf.") + name_of(type), Group::sweeps, 8, true,
                         [type](const Recorder& r) { sweep(r, true, type); }});
    }
}

}  // namespace matgrad::probe
