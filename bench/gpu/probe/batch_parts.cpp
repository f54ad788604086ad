// How many problems a call may have, and whether a problem's bits depend on their number.
#include <algorithm>

#include "call.hpp"
#include "part.hpp"

namespace matgrad::probe {
namespace {

enum class Op { gemm, gemm_pointers, trsm, getrf, getrs, potrf };

struct Batched {
    Op op;
    const char* name;
    const char* function;
};
const Batched kBatched[] = {{Op::gemm, "gemm", "cublasGemmStridedBatchedEx_64"},
                            {Op::gemm_pointers, "gemm_pointers", "cublasGemmBatchedEx_64"},
                            {Op::trsm, "trsm_batched", "cublas?trsmBatched_64"},
                            {Op::getrf, "getrf_batched", "cublas?getrfBatched"},
                            {Op::getrs, "getrs_batched", "cublas?getrsBatched"},
                            {Op::potrf, "potrf_batched", "cusolverDn?potrfBatched"}};

/// n x n problems, and any stretch of them put through the call.
class Problems {
public:
    Problems(Op op, Type type, Size n, Size batch, const Handles& handles, const Stream& stream)
        : op_(op),
          type_(type),
          n_(n),
          batch_(batch),
          handles_(handles),
          stream_(stream),
          a_(bytes(batch)),
          b_(bytes(batch)),
          pa_(pointers()),
          pb_(pointers()),
          pivots_(static_cast<std::size_t>(n * batch) * sizeof(int)) {
        const Kind kind = op == Op::trsm    ? Kind::spd
                          : op == Op::getrs ? Kind::swapped
                                            : Kind::uniform;
        fill(kind, type, a_.data(), n, n, batch, 1, stream.get());
        point(pa_, a_);
        fill(sides(), type, b_.data(), n, n, batch, 2, stream.get());
        point(pb_, b_);
        if (op == Op::getrs) {
            const Buffer info(static_cast<std::size_t>(batch) * sizeof(int));
            handles.bind(stream.get());
            getrf_batched(handles, type, n, pa_.as<void*>(), pivots_.as<int>(), info.as<int>(),
                          batch);
            stream.wait();
        }
    }

    /// What is overwritten: `count` results and codes, NaN and no codes at first.
    struct Output {
        Buffer x, px, info, pivots;
    };
    [[nodiscard]] Output make_output() const {
        Output out{Buffer(bytes(batch_)), pointers(),
                   Buffer(static_cast<std::size_t>(batch_) * sizeof(int)),
                   Buffer(static_cast<std::size_t>(n_ * batch_) * sizeof(int))};
        point(out.px, out.x);
        reset(out);
        return out;
    }
    void reset(const Output& out) const {
        if (is_product()) {
            fill(Kind::nan, type_, out.x.data(), n_, n_, batch_, 0, stream_.get());
        } else {
            copy(out.x, b_, stream_.get());
        }
        MATGRAD_PROBE(cudaMemsetAsync(out.info.data(), 0, out.info.bytes(), stream_.get()));
        MATGRAD_PROBE(cudaMemsetAsync(out.pivots.data(), 0, out.pivots.bytes(), stream_.get()));
    }

    void run(Size first, Size count, const Output& out) const {
        handles_.bind(stream_.get());
        const auto offset = bytes(first);
        void** const pa = pa_.as<void*>() + first;
        void** const pb = pb_.as<void*>() + first;
        void** const px = out.px.as<void*>() + first;
        const GemmShape product = packed_gemm(type_, false, true, n_, n_, n_, count);
        const TrsmShape solve{
            type_, CUBLAS_SIDE_RIGHT, CUBLAS_FILL_MODE_UPPER, CUBLAS_OP_N, n_, n_, count, 0};
        switch (op_) {
            case Op::gemm:
                return gemm(handles_, product, a_.at(offset), b_.at(offset), out.x.at(offset));
            case Op::gemm_pointers:
                return gemm_pointers(handles_, product, pa, pb, px);
            case Op::trsm:
                return trsm_batched(handles_, solve, pa, px);
            case Op::getrf:
                return getrf_batched(handles_, type_, n_, px, out.pivots.as<int>() + first * n_,
                                     out.info.as<int>() + first, count);
            case Op::getrs:
                return getrs_batched(handles_, type_, CUBLAS_OP_N, n_, n_, pa,
                                     pivots_.as<int>() + first * n_, px, count);
            case Op::potrf:
                return potrf_batched(handles_, type_, CUBLAS_FILL_MODE_UPPER, n_, px,
                                     out.info.as<int>() + first, count);
        }
    }

    /// Of the first `count` problems; with a tolerance below 0 their bits, and their codes.
    [[nodiscard]] bool are_same(const Output& a, const Output& b, Size count,
                                double tolerance) const {
        const Buffer flag(sizeof(int));
        MATGRAD_PROBE(cudaMemsetAsync(flag.data(), 0, sizeof(int), stream_.get()));
        compare({type_, n_ * n_ * count, op_ == Op::potrf ? n_ : 0, tolerance, false}, a.x.data(),
                b.x.data(), flag.as<int>(), stream_.get());
        compare({Type::i32, count, 0, -1}, a.info.data(), b.info.data(), flag.as<int>(),
                stream_.get());
        compare({Type::i32, n_ * count, 0, -1}, a.pivots.data(), b.pivots.data(), flag.as<int>(),
                stream_.get());
        stream_.wait();
        return flag.download()[0] == std::byte{0};
    }

private:
    [[nodiscard]] bool is_product() const { return op_ == Op::gemm || op_ == Op::gemm_pointers; }
    [[nodiscard]] Kind sides() const {
        return op_ == Op::potrf ? Kind::spd : op_ == Op::getrf ? Kind::swapped : Kind::uniform;
    }
    [[nodiscard]] std::size_t bytes(Size problems) const {
        return static_cast<std::size_t>(problems * n_ * n_) * size_of(type_);
    }
    [[nodiscard]] Buffer pointers() const {
        return Buffer(static_cast<std::size_t>(batch_) * sizeof(void*));
    }
    void point(const Buffer& pointers, const Buffer& to) const {
        fill_pointers(pointers.as<void*>(), to.data(), static_cast<Size>(bytes(1)), batch_,
                      stream_.get());
    }

    Op op_;
    Type type_;
    Size n_, batch_;
    const Handles& handles_;
    const Stream& stream_;
    Buffer a_, b_, pa_, pb_, pivots_;
};

double tolerance_for(Type type, Size n) {
    return 64 * static_cast<double>(n) * (type == Type::f64 ? 0x1p-52 : 0x1p-23);
}

void ask_lengths(const Recorder& recorder, const Batched& call, Type type, Size n,
                 const std::vector<Size>& lengths, Size chunk) {
    const Stream stream;
    const Handles handles;
    const Problems problems(call.op, type, n, lengths.back(), handles, stream);
    const Problems::Output chunks = problems.make_output();
    const Problems::Output whole = problems.make_output();
    for (Size first = 0; first < lengths.back(); first += chunk) {
        problems.run(first, std::min(chunk, lengths.back() - first), chunks);
    }
    Fact fact{
        std::string("batch_limit.") + call.name + "." + name_of(type) + "." + std::to_string(n),
        call.function,
        "",
        {}};
    for (const Size length : lengths) {
        problems.reset(whole);
        std::string verdict;
        try {
            problems.run(0, length, whole);
            const bool equal = problems.are_same(whole, chunks, length, tolerance_for(type, n));
            verdict = equal ? "right" : "WRONG";
        } catch (const CallFailed& error) {
            verdict = std::string("FAILS: ") + error.what();
            MATGRAD_PROBE(cudaDeviceSynchronize());
        }
        worsen(fact.verdict, verdict == "right" ? Verdict::ok : Verdict::wrong);
        fact.values.emplace_back(std::to_string(length), verdict);
        fact.answer += (fact.answer.empty() ? "" : ", ") + std::to_string(length) + " " + verdict;
    }
    recorder.add(fact);
    stream.wait();
}

void ask_limit(const Recorder& recorder, const Batched& call) {
    if (recorder.small()) {
        for (const Type type : {Type::f32, Type::f64}) {
            ask_lengths(recorder, call, type, 4, {7, 8, 9, 103}, 10);
        }
        return;
    }
    const std::vector<Size> lengths = {65535, 65536, 65537, (Size{1} << 20) + 3};
    constexpr Size kChunk = 1000;
    ask_lengths(recorder, call, Type::f32, 4, lengths, kChunk);
    ask_lengths(recorder, call, Type::f32, 16, lengths, kChunk);
    ask_lengths(recorder, call, Type::f64, 4, lengths, kChunk);
    ask_lengths(recorder, call, Type::f32, 40, {65535, 65536, 65537}, kChunk);
}

/// The bits of the first problems, alone and as part of longer batches.
void ask_bits(const Recorder& recorder) {
    const Stream stream;
    const Handles handles;
    const std::vector<Size> lengths =
        recorder.small() ? std::vector<Size>{1, 2, 7} : std::vector<Size>{1, 2, 7, 64, 1000, 4096};
    for (const Batched& call : kBatched) {
        for (const Type type : {Type::f32, Type::f64}) {
            for (const Size n :
                 recorder.small() ? std::vector<Size>{4} : std::vector<Size>{4, 16, 64}) {
                const Problems problems(call.op, type, n, lengths.back(), handles, stream);
                const Problems::Output all = problems.make_output();
                const Problems::Output some = problems.make_output();
                problems.run(0, lengths.back(), all);
                std::string differing;
                for (const Size length : lengths) {
                    problems.reset(some);
                    problems.run(0, length, some);
                    if (!problems.are_same(some, all, length, -1)) {
                        differing += " " + std::to_string(length);
                    }
                }
                const std::string of = std::to_string(lengths.back());
                recorder.add({std::string("batch_bits.") + call.name + "." + name_of(type) + "." +
                                  std::to_string(n),
                              call.function,
                              differing.empty()
                                  ? "same bits at every batch length up to " + of
                                  : "other bits than in a batch of " + of + " at:" + differing,
                              {{"same_bits", differing.empty()}}});
                stream.wait();
            }
        }
    }
}

}  // namespace

void add_batch_limit_parts(std::vector<Part>& parts) {
    for (const Batched& call : kBatched) {
        parts.push_back({std::string("batch_limit.") + call.name, Group::facts, 12, false,
                         [&call](const Recorder& r) { ask_limit(r, call); }});
    }
}

void add_batch_bits_part(std::vector<Part>& parts) {
    parts.push_back({"batch_bits", Group::facts, 12, false, ask_bits});
}

}  // namespace matgrad::probe
