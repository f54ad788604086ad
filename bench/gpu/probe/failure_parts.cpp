// What a factorization that fails leaves, and what solves make of it.
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>

#include "call.hpp"
#include "part.hpp"

namespace matgrad::probe {
namespace {

constexpr Size kBatch = 9;
constexpr Size kBroken = 4;  ///< problem

struct Spoiler {
    const char* name;
    double value;  ///< of an entry on the diagonal
};
const Spoiler kSpoilers[] = {{"nan", std::numeric_limits<double>::quiet_NaN()},
                             {"minus_one", -1},
                             {"inf", std::numeric_limits<double>::infinity()},
                             {"zero", 0}};

/// A batched factorization, or one matrix; its results are the factors, then the codes.
struct Factorization {
    std::string name, function;
    bool is_lu = false;
    std::size_t info = 1;  ///< place of the codes among what is written
    Size batch = kBatch;
    std::function<CallPointer(const Handles&, const Stream&, Type, Size n)> prepare;
};

std::vector<Factorization> factorizations() {
    return {{"potrf_batched", "cusolverDn?potrfBatched", false, 1, kBatch,
             [](const Handles&, const Stream& s, Type type, Size n) {
                 return potrf_batched_call(type, n, kBatch, s);
             }},
            {"xpotrf", "cusolverDnXpotrf", false, 1, 1,
             [](const Handles& h, const Stream& s, Type type, Size n) {
                 return potrf_call(h, type, n, s);
             }},
            {"getrf_batched", "cublas?getrfBatched", true, 2, kBatch,
             [](const Handles&, const Stream& s, Type type, Size n) {
                 return getrf_batched_call(type, n, kBatch, s);
             }},
            {"xgetrf", "cusolverDnXgetrf", true, 1, 1,
             [](const Handles& h, const Stream& s, Type type, Size n) {
                 return getrf_call(h, type, n, s);
             }}};
}

double entry(Type type, const std::vector<std::byte>& bytes, Size at) {
    const auto offset = static_cast<std::size_t>(at) * size_of(type);
    if (type == Type::f64) {
        double value = 0;
        std::memcpy(&value, bytes.data() + offset, sizeof value);
        return value;
    }
    float value = 0;
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    return static_cast<double>(value);
}

void put_entry(Type type, std::vector<std::byte>& bytes, Size at, double value) {
    const auto offset = static_cast<std::size_t>(at) * size_of(type);
    if (type == Type::f64) {
        std::memcpy(bytes.data() + offset, &value, sizeof value);
    } else {
        const auto narrow = static_cast<float>(value);
        std::memcpy(bytes.data() + offset, &narrow, sizeof narrow);
    }
}

std::string text(double value) {
    if (std::isnan(value)) {
        return "NaN";
    }
    char buffer[32];
    (void)std::snprintf(buffer, sizeof buffer, "%.3g", value);
    return buffer;
}

/// What the call gives with an entry (or a column, for a zero pivot of LU) replaced.
struct Result {
    std::vector<std::byte> factors;
    std::vector<int> info;
};

Result run(const Factorization& f, Type type, Size n, const Spoiler* spoiler,
           const Handles& handles, const Stream& stream) {
    const CallPointer call = f.prepare(handles, stream, type, n);
    if (spoiler != nullptr) {
        std::vector<std::byte> matrices = call->written[0].before.download();
        const Size first = f.batch > 1 ? kBroken * n * n : 0;
        const Size place = n / 2;
        if (f.is_lu) {  // rows change places: the whole column decides
            for (Size row = 0; row < n; ++row) {
                put_entry(type, matrices, first + row + place * n, spoiler->value);
            }
        } else {
            put_entry(type, matrices, first + place + place * n, spoiler->value);
        }
        upload(call->written[0].before, matrices, stream.get());
        call->reset(stream.get());
    }
    call->make(handles, stream.get());
    stream.wait();
    Result result{call->written[0].now.download(), {}};
    const std::vector<std::byte> codes = call->written[f.info].now.download();
    result.info.resize(codes.size() / sizeof(int));
    std::memcpy(result.info.data(), codes.data(), codes.size());
    return result;
}

/// The first entry of the diagonal (from 1) from which the failure can be read; 0 if there is none.
Size first_bad(const Factorization& f, Type type, Size n, const Result& result) {
    const Size first = f.batch > 1 ? kBroken * n * n : 0;
    for (Size i = 0; i < n; ++i) {
        const double pivot = entry(type, result.factors, first + i * (n + 1));
        if (!std::isfinite(pivot) || (f.is_lu ? pivot == 0 : !(pivot > 0))) {
            return i + 1;
        }
    }
    return 0;
}

/// Of the problems but the broken one: triangles of factors, or all of LU, and the codes.
bool neighbours_are_same(const Factorization& f, Type type, Size n, const Result& a,
                         const Result& b) {
    const std::size_t size = size_of(type);
    for (Size p = 0; p < f.batch; ++p) {
        if (p == kBroken || f.batch == 1) {
            continue;
        }
        for (Size col = 0; col < n; ++col) {
            const auto at = static_cast<std::size_t>(p * n * n + col * n) * size;
            const auto bytes = static_cast<std::size_t>(f.is_lu ? n : col + 1) * size;
            if (std::memcmp(a.factors.data() + at, b.factors.data() + at, bytes) != 0) {
                return false;
            }
        }
        if (a.info[static_cast<std::size_t>(p)] != b.info[static_cast<std::size_t>(p)]) {
            return false;
        }
    }
    return true;
}

void ask_one(const Recorder& recorder, const Factorization& f, Type type, Size n,
             const Handles& handles, const Stream& stream) {
    const std::string name = "failed." + f.name + "." + name_of(type) + "." + std::to_string(n);
    Fact fact{name, f.function, "", {}};
    const Result healthy = run(f, type, n, nullptr, handles, stream);
    bool apart = true;
    for (const Spoiler& spoiler : kSpoilers) {
        if (f.is_lu && spoiler.value == -1) {
            continue;  // such a column is no failure
        }
        const Result broken = run(f, type, n, &spoiler, handles, stream);
        const int info = broken.info[f.batch > 1 ? kBroken : 0];
        const Size bad = first_bad(f, type, n, broken);
        const Size first = f.batch > 1 ? kBroken * n * n : 0;
        const std::string kind = spoiler.name;
        fact.values.emplace_back(kind + "_info", std::int64_t{info});
        fact.values.emplace_back(kind + "_first_bad", std::int64_t{bad});
        fact.answer += kind + ": info " + std::to_string(info);
        if (bad > 0) {
            const double pivot = entry(type, broken.factors, first + (bad - 1) * (n + 1));
            fact.values.emplace_back(kind + "_pivot", pivot);
            fact.answer += ", pivot " + std::to_string(bad) + " " + text(pivot) + "; ";
        } else {
            fact.answer += ", DIAGONAL LOOKS SOUND; ";
            // matgrad reads failures off the diagonal and the code: if neither tells, none is found.
            worsen(fact.verdict, info == 0 ? Verdict::wrong : Verdict::surprising);
        }
        fact.values.emplace_back(kind + "_last_pivot",
                                 entry(type, broken.factors, first + n * n - 1));
        apart = apart && neighbours_are_same(f, type, n, healthy, broken);
    }
    fact.values.emplace_back("spoiled_column", std::int64_t{n / 2 + 1});
    fact.values.emplace_back("neighbours_keep_bits", apart);
    fact.answer += f.batch == 1 ? "one matrix"
                   : apart      ? "neighbours keep every bit"
                                : "NEIGHBOURS CHANGE";
    worsen(fact.verdict, apart ? Verdict::ok : Verdict::wrong);
    recorder.add(fact);
}

void ask_failures(const Recorder& recorder) {
    const Stream stream;
    const Handles handles;
    for (const Factorization& f : factorizations()) {
        for (const Type type : {Type::f32, Type::f64}) {
            for (const Size n :
                 recorder.small() ? std::vector<Size>{8, 40} : std::vector<Size>{8, 32, 40, 130}) {
                ask_one(recorder, f, type, n, handles, stream);
            }
        }
    }
}

struct Case {
    const char* name;
    Kind triangle;
};
const Case kTriangles[] = {{"sound", Kind::spd},
                           {"zero", Kind::zero},
                           {"infinity", Kind::infinity},
                           {"nan", Kind::nan},
                           {"zero_diagonal", Kind::zero_diagonal}};

/// Whether NaN on the right-hand sides is NaN everywhere in the solution.
bool stays_nan(Call& call, Type type, const Handles& handles, const Stream& stream) {
    const Buffer flag(sizeof(int));
    const Written& x = call.written[0];
    const auto count = static_cast<Size>(x.now.bytes() / size_of(type));
    MATGRAD_PROBE(cudaMemsetAsync(flag.data(), 0, sizeof(int), stream.get()));
    fill(Kind::nan, type, x.before.data(), count, 1, 1, 0, stream.get());
    call.reset(stream.get());
    call.make(handles, stream.get());
    compare({type, count, 0, -1}, x.now.data(), x.before.data(), flag.as<int>(), stream.get());
    stream.wait();
    return flag.download()[0] == std::byte{0};
}

void ask_nan_sides(const Recorder& recorder) {
    const Stream stream;
    const Handles handles;
    const Size batch = 5;
    for (const bool batched : {true, false}) {
        for (const Type type : {Type::f32, Type::f64}) {
            Fact fact{
                std::string("nan_sides.") + (batched ? "trsm_batched." : "trsm.") + name_of(type),
                batched ? "cublas?trsmBatched_64" : "cublas?trsm_64",
                "",
                {}};
            for (const Case& c : kTriangles) {
                std::string where;
                for (const Size n : {4, 16, 40, recorder.small() ? 50 : 200}) {
                    for (const bool left : {false, true}) {
                        TrsmShape shape{type,
                                        left ? CUBLAS_SIDE_LEFT : CUBLAS_SIDE_RIGHT,
                                        CUBLAS_FILL_MODE_UPPER,
                                        CUBLAS_OP_N,
                                        left ? n : 24,
                                        left ? 24 : n,
                                        batched ? batch : 1,
                                        0};
                        const CallPointer call =
                            batched ? trsm_batched_call(shape, stream) : trsm_call(shape, stream);
                        fill(c.triangle, type, call->read[0].data(), n, n, shape.batch, 1,
                             stream.get());
                        if (!stays_nan(*call, type, handles, stream)) {
                            where += " n=" + std::to_string(n) + (left ? " left" : " right");
                        }
                    }
                }
                fact.values.emplace_back(c.name, where.empty());
                fact.answer +=
                    where.empty() ? "" : std::string(c.name) + " triangle:" + where + "; ";
            }
            fact.verdict = fact.answer.empty() ? Verdict::ok : Verdict::surprising;
            fact.answer = fact.answer.empty() ? "all NaN, whatever the triangle holds"
                                              : "NUMBERS APPEAR: " + fact.answer;
            recorder.add(fact);
        }
    }
}

}  // namespace

void add_failure_parts(std::vector<Part>& parts) {
    parts.push_back({"failed", Group::facts, 12, false, ask_failures});
    parts.push_back({"nan_sides", Group::facts, 8, false, ask_nan_sides});
}

}  // namespace matgrad::probe
