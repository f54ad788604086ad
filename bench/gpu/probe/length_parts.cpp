// How long one call may be: right-hand sides of a triangle, rows and columns of a product. And pointers
// that are aligned to their entries alone.
#include <algorithm>

#include "call.hpp"
#include "part.hpp"

namespace matgrad::probe {
namespace {

/// A call over a stretch of its long dimension; x is overwritten or written there.
struct LongCall {
    std::string name, function;
    Size order;
    bool
        by_columns;  ///< the long dimension is that of columns; else rows, with gaps between columns
    bool solves;     ///< in place; else x = T y, with y as long as x
    bool batched;
};

std::size_t bytes_of(Size order, Size length) {
    return static_cast<std::size_t>(order * length) * sizeof(float);
}

class LongProblem {
public:
    LongProblem(const LongCall& call, Size length, const Handles& handles, const Stream& stream)
        : call_(call),
          length_(length),
          handles_(handles),
          stream_(stream),
          triangle_(bytes_of(call.order, call.order)),
          y_(bytes_of(call.order, length)),
          pointers_(2 * sizeof(void*)) {
        fill(Kind::spd, Type::f32, triangle_.data(), call.order, call.order, 1, 1, stream.get());
        fill(Kind::uniform, Type::f32, y_.data(), length, call.order, 1, 2, stream.get());
    }

    void run(Size first, Size count, const Buffer& x) const {
        const Size order = call_.order;
        const auto offset = bytes_of(call_.by_columns ? order : 1, first);
        void* const to = x.at(offset);
        handles_.bind(stream_.get());
        if (!call_.solves) {
            GemmShape shape = call_.by_columns
                                  ? packed_gemm(Type::f32, false, false, order, count, order, 1)
                                  : packed_gemm(Type::f32, false, false, count, order, order, 1);
            if (call_.by_columns) {
                return gemm(handles_, shape, triangle_.data(), y_.at(offset), to);
            }
            shape.lda = length_;
            shape.ldc = length_;
            return gemm(handles_, shape, y_.at(offset), triangle_.data(), to);
        }
        TrsmShape shape;
        shape.side = call_.by_columns ? CUBLAS_SIDE_LEFT : CUBLAS_SIDE_RIGHT;
        shape.m = call_.by_columns ? order : count;
        shape.n = call_.by_columns ? count : order;
        shape.ldx = call_.by_columns ? order : length_;
        if (!call_.batched) {
            return trsm(handles_, shape, triangle_.data(), to);
        }
        void** const pointers = pointers_.as<void*>();
        fill_pointers(pointers, triangle_.data(), 0, 1, stream_.get());
        fill_pointers(pointers + 1, to, 0, 1, stream_.get());
        trsm_batched(handles_, shape, pointers, pointers + 1);
    }

    [[nodiscard]] const Buffer& start() const { return y_; }

private:
    const LongCall& call_;
    Size length_;
    const Handles& handles_;
    const Stream& stream_;
    Buffer triangle_, y_, pointers_;
};

std::string judge(const LongCall& call, Size length, Size chunk) {
    const Stream stream;
    const Handles handles;
    const LongProblem problem(call, length, handles, stream);
    const Buffer whole(bytes_of(call.order, length));
    const Buffer chunks(bytes_of(call.order, length));
    const Buffer flag(sizeof(int));
    MATGRAD_PROBE(cudaMemsetAsync(flag.data(), 0, sizeof(int), stream.get()));
    copy(whole, problem.start(), stream.get());
    copy(chunks, problem.start(), stream.get());
    try {
        problem.run(0, length, whole);
        for (Size first = 0; first < length; first += chunk) {
            problem.run(first, std::min(chunk, length - first), chunks);
        }
        constexpr double kTolerance = 1e-3;  // a mistake is as large as the entries
        compare({Type::f32, call.order * length, 0, kTolerance, false}, whole.data(), chunks.data(),
                flag.as<int>(), stream.get());
        stream.wait();
    } catch (const CallFailed& error) {
        MATGRAD_PROBE(cudaDeviceSynchronize());
        return std::string("FAILS: ") + error.what();
    }
    return flag.download()[0] == std::byte{0} ? "right" : "WRONG";
}

void ask(const Recorder& recorder, const LongCall& call, const std::vector<Size>& lengths) {
    Fact fact{"length_limit." + call.name + "." + (call.by_columns ? "columns." : "rows.") +
                  std::to_string(call.order),
              call.function,
              "",
              {}};
    for (const Size length : lengths) {
        const std::string verdict = judge(call, length, recorder.small() ? 100 : 65000);
        worsen(fact.verdict, verdict == "right" ? Verdict::ok : Verdict::wrong);
        fact.values.emplace_back(std::to_string(length), verdict);
        fact.answer += (fact.answer.empty() ? "" : ", ") + std::to_string(length) + " " + verdict;
    }
    recorder.add(fact);
}

void ask_solves(const Recorder& recorder) {
    const std::vector<Size> lengths = recorder.small()
                                          ? std::vector<Size>{1001}
                                          : std::vector<Size>{524280, 524281, Size{1} << 23};
    for (const bool batched : {false, true}) {
        for (const bool by_columns : {true, false}) {
            for (const Size order : {4, 16}) {
                ask(recorder,
                    {batched ? "trsm_batched" : "trsm",
                     batched ? "cublasStrsmBatched_64" : "cublasStrsm_64", order, by_columns, true,
                     batched},
                    lengths);
            }
        }
    }
}

void ask_products(const Recorder& recorder) {
    const Size length = recorder.small() ? 1001 : (Size{1} << 23) + 1;
    for (const bool by_columns : {true, false}) {
        for (const Size order : {4, 16}) {
            ask(recorder,
                {"gemm", "cublasGemmStridedBatchedEx_64", order, by_columns, false, false},
                {length});
        }
    }
}

/// A wrong address ends the context of this process, so the answer is read off the wait.
void ask_alignment(const Recorder& recorder, Type type, Size offset) {
    const Stream stream;
    const Handles handles;
    Fact fact{std::string("alignment.") + name_of(type) + "." + std::to_string(offset),
              "cublasGemmBatchedEx_64",
              "no error",
              {{"offset_bytes", offset}}};
    const GemmShape shape = packed_gemm(type, false, true, 16, 16, 64, recorder.small() ? 3 : 100);
    const CallPointer call = gemm_pointers_call(shape, offset, stream);
    try {
        call->make(handles, stream.get());
        stream.wait();
    } catch (const CallFailed& error) {
        fact.answer = std::string("FAILS: ") + error.what();
        // TF32 may ask for more than the alignment of entries, and matgrad gives it no such pointers.
        fact.verdict = type == Type::tf32 ? Verdict::surprising : Verdict::wrong;
    }
    fact.values.emplace_back("works", fact.answer == "no error");
    recorder.add(fact);
}

}  // namespace

void add_length_limit_parts(std::vector<Part>& parts) {
    parts.push_back({"length_limit.trsm", Group::facts, 12, false, ask_solves});
    parts.push_back({"length_limit.gemm", Group::facts, 8, false, ask_products});
}

void add_alignment_parts(std::vector<Part>& parts) {
    for (const Type type : {Type::tf32, Type::f32}) {
        for (const Size offset : {4, 8}) {
            parts.push_back(
                {std::string("alignment.") + name_of(type) + "." + std::to_string(offset),
                 Group::facts, 8, false,
                 [=](const Recorder& r) { ask_alignment(r, type, offset); }});
        }
    }
}

}  // namespace matgrad::probe
