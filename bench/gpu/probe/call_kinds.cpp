// Which calls are asked about, and at which sizes.
#include <algorithm>

#include "call.hpp"

namespace matgrad::probe {
namespace {

constexpr Size kSmallOrder = 72;  // past 64, where libraries go over to blocks

std::string letter(Type type) {
    return type == Type::f64 ? "D" : "S";
}

class Kinds {
public:
    explicit Kinds(bool small) : small_(small) {}

    void add_gemm() {
        family_ = "gemm";
        struct Form {
            const char* name;
            bool ta, tb;
        };
        for (const Type type : {Type::f32, Type::f64, Type::tf32}) {
            for (const Form& form :
                 {Form{"nn", false, false}, Form{"nt", false, true}, Form{"tn", true, false}}) {
                // X'X of 64x16 and the like.
                const GemmShape shape = packed_gemm(type, form.ta, form.tb, 16, 16, 64, batch(100));
                add({"gemm", form.name, type}, "cublasGemmStridedBatchedEx_64",
                    form.name == std::string("nt"),
                    [=](const Handles&, const Stream& s) { return gemm_call(shape, s); });
            }
            const Size n = order(256);
            const GemmShape one = packed_gemm(type, false, false, n, n, n, 1);
            add({"gemm", "one", type}, "cublasGemmStridedBatchedEx_64", false,
                [=](const Handles&, const Stream& s) { return gemm_call(one, s); });
        }
        for (const Type type : {Type::f32, Type::f64, Type::tf32}) {
            const GemmShape shape = packed_gemm(type, false, false, 16, 16, 64, batch(100));
            add({"gemm_pointers", "nn", type}, "cublasGemmBatchedEx_64", type == Type::f32,
                [=](const Handles&, const Stream& s) { return gemm_pointers_call(shape, 0, s); });
        }
    }

    void add_triangles() {
        family_ = "triangles";
        for (const Type type : {Type::f32, Type::f64}) {
            const Size n = order(256);
            add({"syrk", "", type}, "cublas" + letter(type) + "syrk_64", type == Type::f32,
                [=](const Handles&, const Stream& s) { return syrk_call(type, n, n / 2, s); });
            add_solves(type);
        }
    }

    /// X stored by rows on the left of which matgrad has a triangle: one on the right here.
    void add_solves(Type type) {
        const std::string function = "cublas" + letter(type) + "trsm";
        for (const bool left : {false, true}) {
            const auto side = left ? CUBLAS_SIDE_LEFT : CUBLAS_SIDE_RIGHT;
            const std::string name = left ? "left" : "right";
            const auto shape = [&](Size n, Size sides, Size many) {
                return TrsmShape{type,
                                 side,
                                 CUBLAS_FILL_MODE_UPPER,
                                 left ? CUBLAS_OP_T : CUBLAS_OP_N,
                                 left ? n : sides,
                                 left ? sides : n,
                                 many,
                                 0};
            };
            const TrsmShape one = shape(order(256), 64, 1);
            add({"trsm", name, type}, function + "_64", type == Type::f32 && !left,
                [=](const Handles&, const Stream& s) { return trsm_call(one, s); });
            for (const Size n : {Size{16}, Size{64}}) {
                const TrsmShape many = shape(n, 64, batch(100));
                add({"trsm_batched", name + "." + std::to_string(n), type}, function + "Batched_64",
                    !left && (type == Type::f32 || n == 16),
                    [=](const Handles&, const Stream& s) { return trsm_batched_call(many, s); });
            }
        }
    }

    void add_lu() {
        family_ = "lu";
        for (const Type type : {Type::f32, Type::f64}) {
            for (const Size n : {Size{16}, Size{64}}) {
                const Size many = batch(100);
                add({"getrf_batched", std::to_string(n), type},
                    "cublas" + letter(type) + "getrfBatched", n == 16,
                    [=](const Handles&, const Stream& s) {
                        return getrf_batched_call(type, n, many, s);
                    });
                add({"getrs_batched", std::to_string(n), type},
                    "cublas" + letter(type) + "getrsBatched", type == Type::f32,
                    [=](const Handles& h, const Stream& s) {
                        return getrs_batched_call(h, type, n, 16, many, s);
                    });
            }
        }
    }

    void add_cholesky() {
        family_ = "potrf_batched";
        for (const Type type : {Type::f32, Type::f64}) {
            for (const Size n : {4, 16, 32, 33, 64, 128, 256, 520}) {
                const Size many = n > 128 ? batch(8) : batch(40);
                const Size size = order(n);
                add({"potrf_batched", std::to_string(n), type},
                    "cusolverDn" + letter(type) + "potrfBatched", n == 16 || n == 64 || n == 256,
                    [=](const Handles&, const Stream& s) {
                        return potrf_batched_call(type, size, many, s);
                    });
            }
        }
    }

    void add_large() {
        family_ = "single";
        for (const Type type : {Type::f32, Type::f64}) {
            const Size n = order(520);
            add({"xpotrf", "", type}, "cusolverDnXpotrf", type == Type::f32,
                [=](const Handles& h, const Stream& s) { return potrf_call(h, type, n, s); });
            add({"xgetrf", "", type}, "cusolverDnXgetrf", type == Type::f32,
                [=](const Handles& h, const Stream& s) { return getrf_call(h, type, n, s); });
            add({"xgetrs", "", type}, "cusolverDnXgetrs", type == Type::f32,
                [=](const Handles& h, const Stream& s) { return getrs_call(h, type, n, 16, s); });
        }
    }

    void add_thrust() {
        const Size count = batch(10000);
        kinds_.push_back({"thrust", "thrust::for_each_n", "thrust", true,
                          [=](const Handles&, const Stream& s) { return thrust_call(count, s); }});
    }

    [[nodiscard]] std::vector<CallKind> take() { return std::move(kinds_); }

private:
    struct Name {
        std::string call, variant;
        Type type;
    };

    [[nodiscard]] Size order(Size n) const { return small_ ? std::min(n, kSmallOrder) : n; }
    [[nodiscard]] Size batch(Size b) const { return small_ ? std::min<Size>(b, 3) : b; }

    void add(const Name& name, const std::string& function, bool typical,
             std::function<CallPointer(const Handles&, const Stream&)> prepare) {
        const std::string variant = name.variant.empty() ? "" : "." + name.variant;
        kinds_.push_back({name.call + "." + name_of(name.type) + variant, function, family_,
                          typical, std::move(prepare)});
    }

    bool small_;
    std::string family_;
    std::vector<CallKind> kinds_;
};

}  // namespace

std::vector<CallKind> all_calls(bool small) {
    Kinds kinds(small);
    kinds.add_gemm();
    kinds.add_triangles();
    kinds.add_lu();
    kinds.add_cholesky();
    kinds.add_large();
    kinds.add_thrust();
    return kinds.take();
}

}  // namespace matgrad::probe
