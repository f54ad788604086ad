// The calls with operands.
#include <algorithm>

#include "call.hpp"

namespace matgrad::probe {
namespace {

std::size_t bytes_of(Type type, Size entries) {
    return static_cast<std::size_t>(entries) * size_of(type);
}

Size stride_bytes(Type type, Size entries) {
    return static_cast<Size>(bytes_of(type, entries));
}

/// Information codes begin as what no call answers.
int* add_info(Call& call, Size count, cudaStream_t stream) {
    Written& info = call.add_written(static_cast<std::size_t>(count) * sizeof(int), Type::i32);
    MATGRAD_PROBE(cudaMemsetAsync(info.before.data(), 0x55, info.before.bytes(), stream));
    return info.now.as<int>();
}

void* add_matrix(Call& call, Kind kind, Type type, Size rows, Size cols, Size batch,
                 std::uint64_t seed, cudaStream_t stream) {
    void* const data = call.add_read(bytes_of(type, rows * cols * batch)).data();
    fill(kind, type, data, rows, cols, batch, seed, stream);
    return data;
}

void* add_result(Call& call, Kind kind, Type type, Size rows, Size cols, Size batch,
                 std::uint64_t seed, cudaStream_t stream, Size upper_of_order = 0) {
    Written& w = call.add_written(bytes_of(type, rows * cols * batch), type, upper_of_order);
    fill(kind, type, w.before.data(), rows, cols, batch, seed, stream);
    return w.now.data();
}

CallPointer new_call() {
    auto call = std::make_unique<Call>();
    call->read.reserve(8);  // buffers are not moved
    call->written.reserve(4);
    return call;
}

CallPointer ready(CallPointer call, const Stream& stream) {
    call->reset(stream.get());
    stream.wait();
    return call;
}

}  // namespace

CallPointer gemm_call(const GemmShape& s, const Stream& stream, std::uint64_t seed) {
    CallPointer call = new_call();
    const void* const a =
        add_matrix(*call, Kind::uniform, s.type, s.m, s.k, s.batch, seed, stream.get());
    const void* const b =
        add_matrix(*call, Kind::uniform, s.type, s.k, s.n, s.batch, seed + 1000, stream.get());
    void* const c = add_result(*call, Kind::nan, s.type, s.m, s.n, s.batch, 0, stream.get());
    call->make_call = [=](const Handles& handles, Call&, cudaStream_t) {
        gemm(handles, s, a, b, c);
    };
    return ready(std::move(call), stream);
}

CallPointer gemm_pointers_call(const GemmShape& s, Size a_offset, const Stream& stream) {
    CallPointer call = new_call();
    const Size gap = 16;  // bytes between the matrices of A, so that all are aligned alike
    const Size a_bytes = (stride_bytes(s.type, s.m * s.k) + gap - 1) / gap * gap + gap;
    Buffer& a = call->add_read(static_cast<std::size_t>(a_bytes * s.batch + gap));
    fill(Kind::uniform, s.type, a.data(), static_cast<Size>(a.bytes() / size_of(s.type)), 1, 1, 1,
         stream.get());
    void** const pa = call->add_read(static_cast<std::size_t>(s.batch) * sizeof(void*)).as<void*>();
    fill_pointers(pa, a.at(static_cast<std::size_t>(a_offset)), a_bytes, s.batch, stream.get());
    (void)add_matrix(*call, Kind::uniform, s.type, s.k, s.n, s.batch, 2, stream.get());
    void** const pb = call->add_pointers(call->read.back(), stride_bytes(s.type, s.k * s.n),
                                         s.batch, stream.get());
    (void)add_result(*call, Kind::nan, s.type, s.m, s.n, s.batch, 0, stream.get());
    void** const pc = call->add_pointers(call->written[0].now, stride_bytes(s.type, s.m * s.n),
                                         s.batch, stream.get());
    call->make_call = [=](const Handles& handles, Call&, cudaStream_t) {
        gemm_pointers(handles, s, pa, pb, pc);
    };
    return ready(std::move(call), stream);
}

CallPointer syrk_call(Type type, Size n, Size k, const Stream& stream) {
    CallPointer call = new_call();
    const void* const a = add_matrix(*call, Kind::uniform, type, k, n, 1, 1, stream.get());
    void* const c = add_result(*call, Kind::nan, type, n, n, 1, 0, stream.get(), n);
    call->make_call = [=](const Handles& handles, Call&, cudaStream_t) {
        syrk(handles, type, CUBLAS_OP_T, n, k, a, c);
    };
    return ready(std::move(call), stream);
}

CallPointer trsm_call(const TrsmShape& s, const Stream& stream) {
    CallPointer call = new_call();
    const void* const t =
        add_matrix(*call, Kind::spd, s.type, s.order(), s.order(), 1, 1, stream.get());
    void* const x = add_result(*call, Kind::uniform, s.type, s.m, s.n, 1, 2, stream.get());
    call->make_call = [=](const Handles& handles, Call&, cudaStream_t) { trsm(handles, s, t, x); };
    return ready(std::move(call), stream);
}

CallPointer trsm_batched_call(const TrsmShape& s, const Stream& stream, std::uint64_t seed) {
    CallPointer call = new_call();
    const Size order = s.order();
    (void)add_matrix(*call, Kind::spd, s.type, order, order, s.batch, seed, stream.get());
    void** const pt = call->add_pointers(call->read.back(), stride_bytes(s.type, order * order),
                                         s.batch, stream.get());
    (void)add_result(*call, Kind::uniform, s.type, s.m, s.n, s.batch, seed + 1000, stream.get());
    void** const px = call->add_pointers(call->written[0].now, stride_bytes(s.type, s.m * s.n),
                                         s.batch, stream.get());
    call->make_call = [=](const Handles& handles, Call&, cudaStream_t) {
        trsm_batched(handles, s, pt, px);
    };
    return ready(std::move(call), stream);
}

CallPointer getrf_batched_call(Type type, Size n, Size batch, const Stream& stream,
                               std::uint64_t seed) {
    CallPointer call = new_call();
    (void)add_result(*call, Kind::swapped, type, n, n, batch, seed, stream.get());
    void** const pa =
        call->add_pointers(call->written[0].now, stride_bytes(type, n * n), batch, stream.get());
    int* const pivots = add_info(*call, n * batch, stream.get());
    int* const info = add_info(*call, batch, stream.get());
    call->make_call = [=](const Handles& handles, Call&, cudaStream_t) {
        getrf_batched(handles, type, n, pa, pivots, info, batch);
    };
    return ready(std::move(call), stream);
}

CallPointer getrs_batched_call(const Handles& handles, Type type, Size n, Size sides, Size batch,
                               const Stream& stream) {
    CallPointer factors = getrf_batched_call(type, n, batch, stream, 1);
    factors->make(handles, stream.get());
    CallPointer call = new_call();
    stream.wait();
    call->read.push_back(std::move(factors->written[0].now));
    void** const plu =
        call->add_pointers(call->read[0], stride_bytes(type, n * n), batch, stream.get());
    call->read.push_back(std::move(factors->written[1].now));
    const int* const pivots = call->read.back().as<int>();
    (void)add_result(*call, Kind::uniform, type, n, sides, batch, 2, stream.get());
    void** const px = call->add_pointers(call->written[0].now, stride_bytes(type, n * sides), batch,
                                         stream.get());
    call->make_call = [=](const Handles& h, Call&, cudaStream_t) {
        getrs_batched(h, type, CUBLAS_OP_N, n, sides, plu, pivots, px, batch);
    };
    return ready(std::move(call), stream);
}

CallPointer potrf_batched_call(Type type, Size n, Size batch, const Stream& stream,
                               std::uint64_t seed) {
    CallPointer call = new_call();
    (void)add_result(*call, Kind::spd, type, n, n, batch, seed, stream.get(), n);
    void** const pa =
        call->add_pointers(call->written[0].now, stride_bytes(type, n * n), batch, stream.get());
    int* const info = add_info(*call, batch, stream.get());
    call->make_call = [=](const Handles& handles, Call&, cudaStream_t) {
        potrf_batched(handles, type, CUBLAS_FILL_MODE_UPPER, n, pa, info, batch);
    };
    return ready(std::move(call), stream);
}

CallPointer potrf_call(const Handles& handles, Type type, Size n, const Stream& stream,
                       std::uint64_t seed) {
    CallPointer call = new_call();
    void* const a = add_result(*call, Kind::spd, type, n, n, 1, seed, stream.get(), n);
    int* const info = add_info(*call, 1, stream.get());
    call->scratch.emplace_back(potrf_bytes(handles, type, CUBLAS_FILL_MODE_UPPER, n));
    call->make_call = [=](const Handles& h, Call& self, cudaStream_t) {
        potrf(h, type, CUBLAS_FILL_MODE_UPPER, n, a, self.scratch[0], info);
    };
    return ready(std::move(call), stream);
}

CallPointer getrf_call(const Handles& handles, Type type, Size n, const Stream& stream) {
    CallPointer call = new_call();
    void* const a = add_result(*call, Kind::swapped, type, n, n, 1, 1, stream.get());
    int* const info = add_info(*call, 1, stream.get());
    // Twice as many ints hold its pivots of 64 bits.
    int* const pivots = add_info(*call, 2 * n, stream.get());
    call->scratch.emplace_back(getrf_bytes(handles, type, n));
    call->make_call = [=](const Handles& h, Call& self, cudaStream_t) {
        getrf(h, type, n, a, reinterpret_cast<std::int64_t*>(pivots), self.scratch[0], info);
    };
    return ready(std::move(call), stream);
}

CallPointer getrs_call(const Handles& handles, Type type, Size n, Size sides,
                       const Stream& stream) {
    CallPointer factors = getrf_call(handles, type, n, stream);
    factors->make(handles, stream.get());
    stream.wait();
    CallPointer call = new_call();
    call->read.push_back(std::move(factors->written[0].now));
    call->read.push_back(std::move(factors->written[2].now));
    const void* const lu = call->read[0].data();
    const auto* const pivots = call->read[1].as<std::int64_t>();
    void* const x = add_result(*call, Kind::uniform, type, n, sides, 1, 2, stream.get());
    int* const info = add_info(*call, 1, stream.get());
    call->make_call = [=](const Handles& h, Call&, cudaStream_t) {
        getrs(h, type, CUBLAS_OP_N, n, sides, lu, pivots, x, info);
    };
    return ready(std::move(call), stream);
}

CallPointer thrust_call(Size count, const Stream& stream) {
    CallPointer call = new_call();
    Written& w = call->add_written(static_cast<std::size_t>(count) * sizeof(void*), Type::i32);
    MATGRAD_PROBE(cudaMemsetAsync(w.before.data(), 0, w.before.bytes(), stream.get()));
    void** const out = w.now.as<void*>();
    call->make_call = [=](const Handles&, Call&, cudaStream_t on) {
        fill_pointers(out, out, 64, count, on);
    };
    return ready(std::move(call), stream);
}

}  // namespace matgrad::probe
